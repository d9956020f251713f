"""What ``kumobashi policy`` shows to people and to machines."""

import csv
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date
from enum import Enum
from typing import TYPE_CHECKING, Any

from rich.text import Text

from kumobashi.cli.plain_tables import plain_table
from kumobashi.cli.wording import hung

if TYPE_CHECKING:
    from kumobashi.cli.terminal import Terminal
    from kumobashi.planning.rule_days import LinkOnDays
    from kumobashi.policy.errors import PolicyFailed
    from kumobashi.policy.inquiry import Answer
    from kumobashi.policy.questions import Reason
    from kumobashi.policy.reading import Dated, Origin
    from kumobashi.policy.who_may import Ask


def answer_json(found: "Answer", asked: "Ask", on: date) -> dict[str, Any]:
    """Return an answer for machines."""
    return {
        "permitted": found.is_permitted,
        "code": next((one.code for one in found.said if one.is_against), found.ruling.code),
        "on": on.isoformat(),
        "question": asked._asdict(),
        "forms": list(found.forms),
        "said": [
            {
                "code": one.code,
                "against": one.is_against,
                "ja": one.ja,
                "en": one.en,
                "rows": [origin_json(origin) for origin in one.origins],
                "remedy": one.remedy_ja,
            }
            for one in found.said
        ],
    }


def origin_json(origin: "Origin") -> dict[str, Any]:
    """Return where a row stands and how far it can be relied on."""
    return {
        "file": origin.file,
        "line": origin.row,
        "valid_from": origin.valid_from.isoformat(),
        "valid_to": origin.valid_to.isoformat() if origin.valid_to else None,
        "verified": origin.is_verified,
        "source": origin.source,
    }


def show_answer(terminal: "Terminal", found: "Answer", asked: "Ask", on: date) -> None:
    """Print permit or denial, and what each row says."""
    t = terminal.t
    head = t("○ 渡してよい", "✓ permitted") if found.is_permitted else t("× 渡せない", "× denied")
    style = "bold green" if found.is_permitted else "bold red"
    what = f"{asked.kind}: {asked.from_unit} → {asked.to_unit}  {asked.purpose}"
    terminal.out.print(Text.assemble((head, style), f"  {what}  {on.isoformat()}"), soft_wrap=True)
    for one in found.said:
        mark = Text("  × " if one.is_against else "  ○ ", "red" if one.is_against else "green")
        for line in hung(mark, t(one.ja, one.en), terminal.width):
            terminal.out.print(line)
        for origin in one.origins:
            terminal.out.print(Text(f"      {_row(terminal, origin)}", "dim"), soft_wrap=True)
        remedy = t(one.remedy_ja, one.remedy_en)
        if one.is_against and remedy:
            for line in hung(Text("    → "), remedy, terminal.width):
                terminal.out.print(line)
    if found.is_permitted and found.forms:
        said = t("渡せる形: ", "In these forms: ") + " ".join(found.forms)
        terminal.out.print(f"  {said}")


def _row(terminal: "Terminal", origin: "Origin") -> str:
    until = origin.valid_to.isoformat() if origin.valid_to else ""
    verified = (
        terminal.t("確認済", "compared with the text")
        if origin.is_verified
        else terminal.t("未確認", "not yet compared with the text")
    )
    return f"{origin.place}  {origin.valid_from.isoformat()}–{until}  {verified}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A row as text."""

    file: str
    line: int
    cells: dict[str, str]


def found_rows(
    rows: "Iterable[tuple[str, Dated]]", *, table: str | None, search: str | None, on: date | None
) -> list[Shown]:
    """Return the rows of a table with a word in them, of one day or of all."""
    found = []
    for file, row in rows:
        if (table and file != f"{table}.csv") or (on and not row.origin.holds(on)):
            continue
        cells = _cells(row)
        if not search or any(search.casefold() in said.casefold() for said in cells.values()):
            found.append(Shown(file=row.origin.file, line=row.origin.row, cells=cells))
    return found


# Fields whose columns are called otherwise in the files.
_COLUMNS = {
    "is_permitted": "permit",
    "keeps_tax_secrecy": "tax_secrecy",
    "carries_specific": "specific",
}


def _cells(row: "Dated") -> dict[str, str]:
    """Return the cells of a row under the names that its file gives them."""
    from kumobashi.policy.levels import CLOUD_COLUMNS, MASK_COLUMNS, CloudRow, LevelMask
    from kumobashi.policy.who_may import COLUMNS, MayRow

    keys = {MayRow: COLUMNS, LevelMask: MASK_COLUMNS, CloudRow: CLOUD_COLUMNS}
    cells: dict[str, str] = {}
    for field in fields(row):  # type: ignore[arg-type]
        value = getattr(row, field.name)
        if field.name == "key":
            cells |= dict(zip(keys[type(row)], value, strict=True))
        elif field.name != "origin":
            cells[_COLUMNS.get(field.name, field.name.removeprefix("is_"))] = _text(value)
    origin = row.origin
    return cells | {
        "valid_from": origin.valid_from.isoformat(),
        "valid_to": origin.valid_to.isoformat() if origin.valid_to else "",
        "verified": "確認済" if origin.is_verified else "未確認",
        "source": origin.source,
    }


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return "+".join(map(str, value))
    return str(value.value if isinstance(value, Enum) else value)


def print_csv(found: Sequence[Shown]) -> None:
    """Print rows as CSV; the columns are those of all tables that are shown."""
    columns = dict.fromkeys(["file", "line", *(name for one in found for name in one.cells)])
    writer = csv.DictWriter(sys.stdout, list(columns), lineterminator="\n")
    writer.writeheader()
    for one in found:
        writer.writerow({"file": one.file, "line": one.line, **one.cells})


_SKIPPED = {"article_en", "remedy_ja", "remedy_en", "en", "source", "valid_from", "valid_to"}


def show_rows(terminal: "Terminal", found: Sequence[Shown]) -> None:
    """Print rows, one line each, under the file they are from."""
    shown = None
    for one in found:
        if one.file != shown:
            shown = one.file
            terminal.out.print(Text(one.file, "bold"))
        said = "  ".join(
            f"{name}={text}" for name, text in one.cells.items() if text and name not in _SKIPPED
        )
        dates = f"{one.cells['valid_from']}–{one.cells['valid_to']}"
        for line in hung(Text(f"  {one.line:>4}  ", "dim"), f"{dates}  {said}", terminal.width):
            terminal.out.print(line)
    count = len(found)
    terminal.out.print(terminal.t(f"{count} 行", f"{count} rows"))


def change_json(change: "LinkOnDays") -> dict[str, Any]:
    """Return what changes for a link, for machines."""

    def reasons(held: "tuple[Reason, ...]") -> list[dict[str, Any]]:
        return [
            {
                "code": one.code,
                "ja": one.ja,
                "en": one.en,
                "file": one.where.file,
                "line": one.where.line,
                "row": one.origin.place if one.origin else None,
            }
            for one in held
        ]

    return {
        "link": change.link,
        "name": change.name,
        "permitted_today": not change.before,
        "permitted_then": not change.after,
        "breaks": change.breaks,
        "changed": change.is_changed,
        "reasons_today": reasons(change.before),
        "reasons_then": reasons(change.after),
        "cautions_then": reasons(change.cautions),
        "ending": [origin_json(origin) for origin in change.ending],
        "beginning": [origin_json(origin) for origin in change.beginning],
    }


def show_changes(
    terminal: "Terminal",
    found: "Sequence[LinkOnDays]",
    moving: "Sequence[Origin]",
    today: date,
    day: date,
) -> None:
    """Print each link with its two answers; where it changes, why and by which rows."""
    t = terminal.t
    breaking = sum(change.breaks for change in found)
    head = (
        t(f"{breaking} 本の連携が止まります", f"{breaking} links would stop")
        if breaking
        else t("止まる連携はありません", "no link would stop")
    )
    style = "bold red" if breaking else "bold green"
    title = f"  {today.isoformat()} → {day.isoformat()}"
    terminal.out.print(Text.assemble((head, style), title), soft_wrap=True)
    table = plain_table()
    for name in (t("連携", "Link"), today.isoformat(), day.isoformat()):
        table.add_column(name, no_wrap=True)
    for change in found:
        marks = ("[green]○[/]" if not held else "[red]×[/]" for held in _both(change))
        table.add_row(change.link, *marks)
    terminal.out.print(table)
    for change in found:
        if change.is_changed:
            _show_change(terminal, change)
    ending, beginning = (
        [row for row in moving if row.holds(on)] for on in (today, day)
    )  # rows of all tables, also of those that no link asks
    said = t(
        f"終わる行 {len(ending)}、始まる行 {len(beginning)}（どの連携も使わない行を含む）",
        f"{len(ending)} rows end and {len(beginning)} begin, those that no link uses included",
    )
    terminal.out.print(Text(said, "dim"))


def _both(change: "LinkOnDays") -> "tuple[tuple[Reason, ...], tuple[Reason, ...]]":
    return change.before, change.after


def _show_change(terminal: "Terminal", change: "LinkOnDays") -> None:
    t = terminal.t
    terminal.out.print()
    terminal.out.print(Text.assemble((change.link, "bold"), f"  {change.name}"), soft_wrap=True)
    told = {(reason.code, reason.where) for reason in change.before}
    for reason in change.after:
        if (reason.code, reason.where) not in told:
            where = t(reason.where.ja(), reason.where.en())
            mark = Text("  × ", "red")
            for line in hung(mark, f"{t(reason.ja, reason.en)} ({where})", terminal.width):
                terminal.out.print(line)
            if remedy := t(reason.remedy_ja, reason.remedy_en):
                for line in hung(Text("    → "), remedy, terminal.width):
                    terminal.out.print(line)
    for rows, word in (
        (change.ending, t("終わる行", "ends")),
        (change.beginning, t("始まる行", "begins")),
    ):
        for origin in rows:
            row = f"  {word}: {_row(terminal, origin)}"
            terminal.out.print(Text(row, "yellow"), soft_wrap=True)


def mistake_json(mistake: "PolicyFailed") -> dict[str, Any]:
    """Return a mistake of a table for machines."""
    return {
        "code": mistake.code,
        "ja": mistake.say("ja"),
        "en": mistake.say("en"),
        "remedy": mistake.remedy("ja"),
        **{name: str(value) for name, value in mistake.facts.items()},
    }


def show_mistakes(terminal: "Terminal", found: "Sequence[PolicyFailed]", place: object) -> None:
    """Print all mistakes, or that there are none."""
    if not found:
        said = terminal.t(f"間違いはありません（{place}）", f"no mistakes in {place}")
        terminal.out.print(Text.assemble(("✓ ", "bold green"), said), soft_wrap=True)
        return
    said = terminal.t(f"間違い {len(found)} 個", f"{len(found)} mistakes")
    terminal.out.print(Text.assemble(("× ", "bold red"), (said, "bold")))
    for mistake in found:
        for line in hung(Text("  × ", "red"), mistake.say(terminal.lang), terminal.width):
            terminal.out.print(line)
        for line in hung(Text("    → "), mistake.remedy(terminal.lang), terminal.width):
            terminal.out.print(line)
