"""``kumobashi fault``: the faults that a site's watch has seen, and what people say of them."""

from typing import TYPE_CHECKING, Any

import click
from rich.table import Table

from kumobashi.cli.command import Group, command, option
from kumobashi.cli.exits import Exit
from kumobashi.cli.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kumobashi.monitoring.book import FaultBook
    from kumobashi.monitoring.faults import Fault

fault = Group(
    "fault",
    ja="障害の一覧・対応・原因の記録・報告です（見張りは kumobashi watch）。",
    en="Faults: list them, see to them, note enquiries and causes, print the report.",
    example="kumobashi fault list --site hall-core",
)
_SITE = option("--site", required=True, metavar="SITE", ja="サイトの名前", en="The site")
_BY = option(
    "--by", required=True, metavar="NAME", ja="だれが（職員の名前か役職）", en="Who says so"
)


@command(
    "list",
    ja="障害の一覧です。続いているものが先です。続いているものがあれば 1 で終わります。",
    en="List faults, those that go on first. Ends with 1 when one goes on.",
    example="kumobashi fault list --site hall-core --open",
)
@_SITE
@option("--open", "open_only", is_flag=True, ja="続いているものだけ", en="Only those that go on")
@option("--limit", type=click.IntRange(1, 1000), default=50, ja="件数", en="How many at most")
def list_(terminal: Terminal, *, site: str, open_only: bool, limit: int) -> int:
    """Show the faults."""
    book = _book(terminal, site)
    found = book.listed(open_only=open_only, limit=limit)
    if terminal.as_json:
        terminal.emit([_plain(one) for one in found])
    elif not found:
        terminal.out.print(terminal.t("障害はありません。", "There is no fault."))
    else:
        terminal.out.print(_table(terminal, found))
    return Exit.RED if any(one.ended is None for one in found) else Exit.OK


@command(
    "show",
    ja="1つの障害の原因・影響・経過です。番号（6けた）でも指せます。",
    en="One fault: cause, effect and timeline; its six-digit number will do.",
    example="kumobashi fault show 4F2A91 --site hall-core",
)
@click.argument("name", metavar="FAULT")
@_SITE
def show(terminal: Terminal, *, name: str, site: str) -> None:
    """Show one fault."""
    _tell(terminal, _book(terminal, site).get(name))


@command(
    "take",
    ja="対応を始めたことを記録します。ほかの人への呼び出しは止まります。",
    en="Say that you see to it; nobody else is called for it.",
    example="kumobashi fault take 4F2A91 --by sato --site hall-core",
)
@click.argument("name", metavar="FAULT")
@_BY
@_SITE
def take(terminal: Terminal, *, name: str, by: str, site: str) -> None:
    """Take a fault."""
    _tell(terminal, _book(terminal, site).take(name, by=by))


@command(
    "note",
    ja="問い合わせ・対応・原因を経過に書きます。住民の情報は書かないでください。",
    en="Add an enquiry, a measure or the cause to the timeline; nothing about residents.",
    example="kumobashi fault note 4F2A91 TEXT --kind enquiry --by sato --site hall-core",
)
@click.argument("name", metavar="FAULT")
@click.argument("text")
@option(
    "--kind",
    type=click.Choice(["enquiry", "measure", "cause"]),
    default="measure",
    ja="種類: 問い合わせ・対応・原因",
    en="What it is",
)
@_BY
@_SITE
def note(terminal: Terminal, *, name: str, text: str, kind: str, by: str, site: str) -> None:
    """Add a line."""
    from kumobashi.monitoring.faults import EntryKind

    _tell(terminal, _book(terminal, site).note(name, EntryKind(kind), text, by=by))


@command(
    "close",
    ja="復旧した障害の原因を書いて、障害票を閉じます。",
    en="Close the record of a fault that is over, with its cause.",
    example="kumobashi fault close 4F2A91 TEXT --by sato --site hall-core",
)
@click.argument("name", metavar="FAULT")
@click.argument("cause")
@_BY
@_SITE
def close(terminal: Terminal, *, name: str, cause: str, by: str, site: str) -> None:
    """Close a record."""
    _tell(terminal, _book(terminal, site).close_record(name, cause, by=by))


@command(
    "letter",
    ja="朝の便りが届いたことを、書いてあった合言葉で知らせます。",
    en="Say, by the word in it, that the daily letter has arrived.",
    example="kumobashi fault letter 4c1d09 --by sato --site hall-core",
)
@click.argument("word")
@_BY
@_SITE
def letter(terminal: Terminal, *, word: str, by: str, site: str) -> None:
    """Confirm the daily letter."""
    from kumobashi.kernel import SystemClock
    from kumobashi.monitoring.telling.book import TellingBook, telling_file
    from kumobashi.monitoring.telling.daily import DailyLetters
    from kumobashi.service.watch import municipality_of, site_file

    site_file(terminal.folder, site)
    tenant = municipality_of(terminal.folder).municipality.code
    file = telling_file(terminal.folder / "var" / site)
    book = TellingBook(file, tenant=tenant, clock=SystemClock())
    channel = DailyLetters(book).confirm(word, by=by)
    if terminal.as_json:
        terminal.emit({"channel": channel, "confirmed": True})
    else:
        said = f"便りが「{channel}」で届いたことを記録しました。"
        terminal.out.print(terminal.t(said, f"Noted: the letter arrived by {channel}."))


for one in (list_, show, take, note, close, letter):
    fault.add_command(one)


def _book(terminal: Terminal, site: str) -> "FaultBook":
    from kumobashi.kernel import SystemClock
    from kumobashi.monitoring.book import FaultBook, watch_file
    from kumobashi.service.watch import municipality_of, site_file

    site_file(terminal.folder, site)
    return FaultBook(
        watch_file(terminal.folder / "var" / site),
        tenant=municipality_of(terminal.folder).municipality.code,
        site=site,
        clock=SystemClock(),
    )


def _plain(one: "Fault") -> dict[str, Any]:
    from kumobashi.kernel import to_wire
    from kumobashi.monitoring.faults import plain_suspicion

    return {
        "fault": one.id,
        "number": one.number,
        "standing": one.standing.value,
        **plain_suspicion(one.seen),
        "began": to_wire(one.began),
        "opened": to_wire(one.opened),
        "ended": to_wire(one.ended) if one.ended else None,
        "taken_by": one.taken_by,
        "closed_by": one.closed_by,
        "timeline": [
            {
                "at": to_wire(line.at),
                "kind": line.kind.value,
                "by": line.by,
                "ja": line.words.ja,
                "en": line.words.en,
            }
            for line in one.entries
        ],
    }


def _table(terminal: Terminal, found: "Sequence[Fault]") -> Table:
    from kumobashi.monitoring.wording import STANDINGS, moment

    t = terminal.t
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for title in (t("番号", "Number"), t("状態", "Stands"), t("いつから", "Since")):
        table.add_column(title, no_wrap=True)
    for title in (t("原因", "Cause"), t("側", "Side"), t("連携", "Links")):
        table.add_column(title, overflow="fold")
    for one in found:
        words, style = STANDINGS[one.standing]
        seen = one.seen
        table.add_row(
            one.number,
            f"[{style}]{t(words.ja, words.en)}[/]",
            moment(one.began),
            t(seen.what.ja, seen.what.en),
            seen.side_name,
            f"{len(seen.links):,}",
        )
    return table


def _tell(terminal: Terminal, one: "Fault") -> None:
    from kumobashi.monitoring.points import POINTS
    from kumobashi.monitoring.wording import KINDS, STANDINGS, moment

    if terminal.as_json:
        terminal.emit(_plain(one))
        return
    t, seen = terminal.t, one.seen
    words, style = STANDINGS[one.standing]
    point = POINTS[seen.point]
    out = terminal.out
    out.print(f"[{style}]{t(words.ja, words.en)}[/]  {one.number}  {t(seen.what.ja, seen.what.en)}")
    rows = [
        (t("原因の側", "Side"), seen.side_name),
        (t("検知", "Seen at"), f"{t(point.ja, point.en)}  {seen.code}"),
        (t("影響", "Stops"), t(f"{len(seen.links):,}件の連携", f"{len(seen.links):,} links")),
    ]
    if seen.contact:
        who = seen.contact
        rows.append((t("連絡先", "Call"), f"{who.name} {who.phone}（{who.hours}）"))
    if seen.tried:
        rows.append((t("これまで", "So far"), t(seen.tried.ja, seen.tried.en)))
    if one.ended is None:
        rows.append((t("すること", "Do"), t(seen.remedy.ja, seen.remedy.en)))
    for name, value in rows:
        out.print(f"  {name}: {value}", markup=False, soft_wrap=True)
    for line in one.entries:
        kind = KINDS[line.kind]
        by = f"（{line.by}）" if line.by else ""
        said = t(line.words.ja, line.words.en)
        out.print(
            f"  {moment(line.at)}  {t(kind.ja, kind.en)}{by}  {said}", markup=False, soft_wrap=True
        )
