"""``kumobashi policy``: what is permitted, by which row, and what changes on a day."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kumobashi.cli.command import Group, command, option
from kumobashi.cli.errors import NoWorkspace, Usage
from kumobashi.cli.exits import Exit
from kumobashi.cli.terminal import Terminal

if TYPE_CHECKING:
    from kumobashi.policy.tables import Tables
    from kumobashi.policy.who_may import Ask

policy = Group(
    "policy",
    ja="何を、どこへ、どの根拠で渡してよいかを規則の表に聞き、ある日に何が変わるかを調べます。",
    en="Ask the rules what may go where and on what basis, and what changes on a day.",
    example="kumobashi policy check --on 2027-04-01",
)
_DATE = click.DateTime(["%Y-%m-%d"])
_ZONES = click.Choice(["mynumber", "lgwan", "internet"])
_FORMS = click.Choice(["kept", "coarsened", "flag", "token", "derived"])
_day_of = option(
    "--date", "on", type=_DATE, metavar="DATE", ja="その日（既定: 今日）", en="The day"
)
_tables_in = option(
    "--tables",
    "folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="DIR",
    ja="規則の表のフォルダ（既定: 連携設定フォルダの policy/）。案を試すときに",
    en="Folder of rules (default: policy/ of the workspace), to try a draft",
)


@command(
    "ask",
    ja="ある業務が、ある情報を、ある目的で受け取ってよいかを聞きます。\n"
    "許可なら 0、許されないなら 2 で終わり、決めた行（ファイル:行）と理由を示します。",
    en="Ask whether a unit may have some information for a purpose.\n"
    "Ends with 0 for a permit and 2 for a denial, with the rows that decided (file:line).",
    example="kumobashi policy ask --to nhi --kind resident-record --purpose"
    " national-health-insurance",
)
@option("--to", "to_unit", required=True, metavar="UNIT", ja="受け取る業務", en="Who receives")
@option("--kind", required=True, metavar="KIND", ja="情報の種類", en="The kind of information")
@option("--purpose", required=True, metavar="NAME", ja="目的", en="What for")
@option("--from", "from_unit", metavar="UNIT", ja="渡す業務（既定: 情報の所管）", en="Who gives")
@option("--from-zone", type=_ZONES, default="mynumber", show_default=True, ja="渡す領域", en="From")
@option("--to-zone", type=_ZONES, default="mynumber", show_default=True, ja="受け取る領域", en="To")
@option("--form", type=_FORMS, ja="どの形で", en="In which form")
@option("--basis", metavar="CODE", ja="法的根拠の符号", en="Code of the legal basis")
@option(
    "--linkage",
    is_flag=True,
    ja="架空の情報連携の表（見本）に聞く: --from 提供者 --to 照会者 --kind 情報 --purpose 事務",
    en="Ask the fictional linkage table: provider, inquirer, information, affair",
)
@_day_of
@_tables_in
def ask(  # noqa: PLR0913 - one for each option
    terminal: Terminal,
    *,
    to_unit: str,
    kind: str,
    purpose: str,
    from_unit: str | None,
    from_zone: str,
    to_zone: str,
    form: str | None,
    basis: str | None,
    linkage: bool,
    on: date | None,
    folder: Path | None,
) -> Exit:
    """Answer one question."""
    from kumobashi.cli.policy_tables import answer_json, show_answer
    from kumobashi.policy.inquiry import Inquiry, answer, answer_of_linkage
    from kumobashi.policy.who_may import Ask

    tables, day = _tables(terminal, folder), _day(on)
    if linkage:
        asked = _asked_of_linkage(from_unit, to_unit, kind, purpose)
        found = answer_of_linkage(asked, on=day)
    else:
        held = tables.kind(kind, on=day)
        giver = from_unit or (held.unit if held else "")
        asked = Ask(giver, to_unit, kind, purpose, from_zone, to_zone)
        _require_known(tables, asked, day)
        found = answer(tables, Inquiry(ask=asked, form=form, basis=basis), on=day)
    if terminal.as_json:
        terminal.emit(answer_json(found, asked, day))
    else:
        show_answer(terminal, found, asked, day)
    return Exit.OK if found.is_permitted else Exit.REFUSED


@command(
    "rows",
    ja="規則の表の行を、出どころとともに示します。--search で言葉を含む行だけを出します。",
    en="Show the rows of the rules with where they stand; --search keeps those with a word.",
    example="kumobashi policy rows --search nhi",
)
@option("--search", metavar="WORD", ja="この言葉を含む行だけ", en="Only rows with this word")
@option(
    "--table",
    metavar="NAME",
    ja="表の名前（who_may など。既定: すべて）",
    en="Name of the table, such as who_may (default: all)",
)
@option("--csv", "as_csv", is_flag=True, ja="CSV で出す", en="Print CSV")
@option(
    "--linkage",
    is_flag=True,
    ja="架空の情報連携の表（見本）を出す",
    en="The fictional linkage table",
)
@option("--all", "is_all", is_flag=True, ja="その日に有効でない行も", en="Rows of other days too")
@_day_of
@_tables_in
def rows(
    terminal: Terminal,
    *,
    search: str | None,
    table: str | None,
    as_csv: bool,
    linkage: bool,
    is_all: bool,
    on: date | None,
    folder: Path | None,
) -> Exit:
    """List rows."""
    from kumobashi.cli.policy_tables import found_rows, print_csv, show_rows
    from kumobashi.policy.linkage import load_linkage
    from kumobashi.policy.rulebook import FILES

    wanted = table.removesuffix(".csv") if table else None
    known = [file.removesuffix(".csv") for file in FILES.values()]
    if wanted and wanted not in known:
        raise Usage(
            what=f"表「{table}」はありません。あるもの: {'、'.join(known)}",
            what_en=f"There is no table {table!r}; there are: {', '.join(known)}",
            command="kumobashi policy rows",
        )
    held = (
        [("linkage.csv", row) for row in load_linkage()]
        if linkage
        else list(_tables(terminal, folder).every_row())
    )
    day = None if is_all else _day(on)
    found = found_rows(held, table=wanted, search=search, on=day)
    if terminal.as_json:
        terminal.emit([{**one.cells, "file": one.file, "line": one.line} for one in found])
    elif as_csv:
        print_csv(found)
    else:
        show_rows(terminal, found)
    return Exit.OK


@command(
    "check",
    ja="すべての連携を今日とその日で判定し、何が変わるかを、終わる行・始まる行とともに示します。\n"
    "動いている連携がその日に止まるなら 1、止まらないなら 0 で終わります。",
    en="Decide every link for today and for that day; tell what changes and by which rows.\n"
    "Ends with 1 if a link that runs today would stop, else with 0.",
    example="kumobashi policy check --on 2027-04-01",
)
@option("--on", required=True, type=_DATE, metavar="DATE", ja="調べる日", en="The day to look at")
@option("--today", type=_DATE, metavar="DATE", ja="くらべる日（既定: 今日）", en="To compare with")
@_tables_in
def check(terminal: Terminal, *, on: date, today: date | None, folder: Path | None) -> Exit:
    """Tell what would break."""
    from kumobashi.cli.policy_tables import change_json, show_changes
    from kumobashi.planning.rule_days import between

    workspace, now, day = terminal.workspace(), _day(today), _day(on)
    tables = _tables(terminal, folder) if folder else workspace.tables
    found = between(workspace, now, day, tables=tables)
    moving = tables.changing(now, day)
    if terminal.as_json:
        terminal.emit(
            {
                "today": now.isoformat(),
                "on": day.isoformat(),
                "links": [change_json(change) for change in found],
                "rows_ending": sorted({row.place for row in moving if row.holds(now)}),
                "rows_beginning": sorted({row.place for row in moving if row.holds(day)}),
            }
        )
    else:
        show_changes(terminal, found, moving, now, day)
    return Exit.RED if any(change.breaks for change in found) else Exit.OK


@command(
    "lint",
    ja="規則の表のフォルダにある間違い（読めない行、重なり、付属の行をゆるめる行）をすべて示します。\n"
    "間違いがあれば 2 で終わります。DIR の既定は連携設定フォルダの policy/ です。",
    en="Tell everything wrong in a folder of rules: unreadable, overlapping or loosening rows.\n"
    "Ends with 2 when there is anything. DIR is policy/ of the workspace by default.",
    example="kumobashi policy lint policy",
)
@click.argument(
    "folder", metavar="[DIR]", required=False, type=click.Path(path_type=Path, file_okay=False)
)
def lint(terminal: Terminal, *, folder: Path | None) -> Exit:
    """Tell all mistakes of a folder."""
    from kumobashi.cli.policy_tables import mistake_json, show_mistakes
    from kumobashi.policy.tables import OWN, mistakes_in

    place = folder or terminal.folder / OWN
    if not place.is_dir():
        raise Usage(
            what=f"フォルダ {place} がありません。",
            what_en=f"There is no folder {place}.",
            command="kumobashi policy lint",
        )
    found = mistakes_in(place) if _is_whole(place) else mistakes_in(own=place)
    if terminal.as_json:
        terminal.emit({"mistakes": [mistake_json(mistake) for mistake in found]})
    else:
        show_mistakes(terminal, found, place)
    return Exit.REFUSED if found else Exit.OK


for made in (ask, rows, check, lint):
    policy.add_command(made)


def _tables(terminal: Terminal, folder: Path | None) -> "Tables":
    """Return the tables of a folder, of the workspace here, or ours alone."""
    from kumobashi.policy.tables import OWN, load_tables

    if folder is not None:
        return load_tables(folder) if _is_whole(folder) else load_tables(own=folder)
    try:
        return load_tables(own=terminal.folder / OWN)
    except NoWorkspace:
        if terminal.wish:
            raise
        return load_tables()


def _asked_of_linkage(provider: str | None, inquirer: str, kind: str, affair: str) -> "Ask":
    from kumobashi.policy.linkage import ask_of

    if provider is None:
        raise Usage(
            what="--linkage では、だれが渡すか（--from）も指定します。",
            what_en="With --linkage, say who gives (--from).",
            command="kumobashi policy ask",
        )
    return ask_of(inquirer=inquirer, affair=affair, provider=provider, information=kind)


def _is_whole(folder: Path) -> bool:
    """Whether a folder holds tables of its own instead of rows to add to ours."""
    return (folder / "zone_flows.csv").is_file()


def _require_known(tables: "Tables", asked: "Ask", day: date) -> None:
    """Raise unless units and kind are in the tables: a slip of the pen is no denial."""
    kinds = [row.kind for row in tables.kinds if row.origin.holds(day)]
    units = [row.unit for row in tables.units if row.origin.holds(day)]
    wished = (
        (asked.kind, kinds, ("情報の種類", "kind of information")),
        (asked.from_unit, units, ("業務", "unit")),
        (asked.to_unit, units, ("業務", "unit")),
    )
    for name, known, (ja, en) in wished:
        if name not in known:
            raise Usage(
                what=f"{ja}「{name}」は {day.isoformat()} の表にありません。あるもの:"
                f" {'、'.join(known)}",
                what_en=f"There is no {en} {name!r} on {day.isoformat()}; there are:"
                f" {', '.join(known)}",
                command="kumobashi policy ask",
            )


def _day(on: date | None) -> date:
    from kumobashi.kernel import SystemClock, business_date

    return date.fromisoformat(f"{on:%Y-%m-%d}") if on else business_date(SystemClock().now())
