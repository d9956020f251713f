"""``kumobashi account unusual``: days on which somebody did what they never do."""

from typing import TYPE_CHECKING

from kumobashi.cli.command import command, option
from kumobashi.cli.exits import Exit
from kumobashi.cli.plain_tables import plain_table
from kumobashi.cli.terminal import Terminal

if TYPE_CHECKING:
    from kumobashi.identity.unusual import Noticed


@command(
    "unusual",
    ja="ふだんと違うアクセスを、くらべた数とともに示します。未確認があれば 1 で終わります。",
    en="Show unusual access with what it was compared to; ends with 1 while one is open.",
    example="kumobashi account unusual --site hall-core",
)
@option("--site", required=True, metavar="SITE", ja="サイトの名前", en="The site")
def unusual(terminal: Terminal, *, site: str) -> Exit:
    """Show what is to be looked into; answers are given at the console, by name."""
    from kumobashi.console import wording
    from kumobashi.kernel import SystemClock
    from kumobashi.service.access_watch import AccessWatch
    from kumobashi.service.evidence_desk import EvidenceDesk

    desk = EvidenceDesk(terminal.folder, site)
    noticed = AccessWatch(desk.read, tenant=desk.tenant, clock=SystemClock()).noticed()
    ends = Exit.RED if any(one.answer is None for one in noticed) else Exit.OK
    if terminal.as_json:
        terminal.emit([_plain(one) for one in noticed])
        return ends
    if not noticed:
        said = wording.say("unusual_none", terminal.lang)
        terminal.out.print(f"[bold green]✓[/] {said}", soft_wrap=True)
        return ends
    table = plain_table()
    for key in ("unusual_day", "unusual_who", "unusual_what", "unusual_answer"):
        table.add_column(wording.say(key, terminal.lang))
    for one in noticed:
        found = one.finding
        what = wording.say(
            f"rule_{found.rule.value}",
            terminal.lang,
            count=f"{found.count:,}",
            usual=f"{found.usual or 0:,}",
        )
        answer = f"answer_{one.answer.value}" if one.answer else "unusual_open"
        answered = wording.say(answer, terminal.lang)
        table.add_row(found.day.isoformat(), found.by, what, f"{answered} {one.answered_by}")
    terminal.out.print(table)
    return ends


def _plain(one: "Noticed") -> dict[str, object]:
    found = one.finding
    return {
        "id": found.id,
        "rule": found.rule.value,
        "by": found.by,
        "role": found.role,
        "day": found.day.isoformat(),
        "count": found.count,
        "usual": found.usual,
        "first": found.first.isoformat(),
        "last": found.last.isoformat(),
        "answer": one.answer.value if one.answer else None,
        "answered_by": one.answered_by or None,
        "answered_at": one.answered_at.isoformat() if one.answered_at else None,
    }
