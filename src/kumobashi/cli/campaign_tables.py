"""The error table and the three ways at a terminal, within the width of our pictures."""

from collections.abc import Iterator, Sequence
from datetime import date

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from kumobashi.cli.plain_tables import plain_table
from kumobashi.cli.terminal import Terminal
from kumobashi.cli.wording import hung
from kumobashi.console.formatting import size
from kumobashi.planning.campaign_story import (
    WAYS,
    CampaignLine,
    of_which_moment,
    percent,
    tells,
    way_columns,
)
from kumobashi.release.comparing import Way
from kumobashi.release.verdicts import Verdict

_STYLES = {Verdict.PINPOINT: "green", Verdict.GENERAL: "yellow", Verdict.UNFIT: "red"}


def draw(terminal: Terminal, lines: Sequence[CampaignLine], on: date) -> Iterator[RenderableType]:
    """Give the table, then what must be said below it."""
    t = terminal.t
    people = max(line.counted.counts.people for line in lines)
    title = t(
        f"抽象化による誤差（基準日 {on}、{people:,} 人）",
        f"Errors by abstraction ({on}, {people:,} people)",
    )
    yield Text(title, "bold")
    yield error_table(terminal, lines)
    for line in lines:
        if line.stopped is not None:
            head = Text(f"  × {line.campaign.campaign}: ", "red")
            yield from hung(head, t(*of_which_moment(line)), terminal.width)
    if len(lines) > 1:
        return
    (line,) = lines
    if line.stopped is None:
        yield from hung(Text("  "), t(*of_which_moment(line)), terminal.width)
    if line.ways:
        yield Text()
        yield Text(
            t("送り方を比べる（同意した人）", "Ways compared (of those who consented)"), "bold"
        )
        yield ways_table(terminal, line.ways, lines)
        yield from hung(Text("  "), t(*tells(line)), terminal.width)


def error_table(terminal: Terminal, lines: Sequence[CampaignLine]) -> Table:
    """Return a line for each campaign, and below it the same of those who consented."""
    t = terminal.t
    table = plain_table()
    table.add_column(t("通知", "Campaign"), overflow="fold")
    for title in (
        t("対象", "meant"),
        t("届く", "told"),
        t("余分", "wrong"),
        t("漏れ", "missed"),
        t("適合率", "precision"),
        t("再現率", "recall"),
    ):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column(t("判定", "Verdict"), no_wrap=True)
    for line in lines:
        counts, consenting = line.counted.counts, line.counted.consenting
        style = _STYLES[line.counted.verdict] if line.has_coarsened else "dim"
        name = terminal.t(line.campaign.name, line.campaign.campaign)
        below = t("\n  同意した人では", "\n  who consented")
        pairs = [(counts.exact, consenting.exact)]
        if line.has_coarsened:
            pairs += [
                (counts.coarsened, consenting.coarsened),
                (counts.wrong, consenting.wrong),
                (counts.missed, consenting.missed),
            ]
        numbers = [Text.assemble(f"{all_:,}", (f"\n{some:,}", "dim")) for all_, some in pairs]
        numbers += [Text("―")] * (4 - len(numbers))
        shares = [counts.precision, counts.recall] if line.has_coarsened else [None, None]
        table.add_row(
            Text.assemble(name, (below, "dim")),
            *numbers,
            *(percent(share) for share in shares),
            Text.assemble((t(*line.verdict), style), (f"\n{t(*line.error)}", "dim")),
        )
        unknown = line.counted.unknown_exact + line.counted.unknown_coarsened
        if unknown:
            said = t(
                f"  わからない人 {line.counted.unknown_exact:,}（正確）・"
                f"{line.counted.unknown_coarsened:,}（粗い）",
                f"  unknown {line.counted.unknown_exact:,} exactly,"
                f" {line.counted.unknown_coarsened:,} coarsely",
            )
            table.add_row(Text(said, "yellow"))
    return table


def ways_table(
    terminal: Terminal,
    ways: Sequence[Way],
    lines: Sequence[CampaignLine],
) -> Table:
    """Return the three ways: who is reached, what could be learned, what it costs."""
    t = terminal.t
    table = plain_table()
    table.add_column(t("送り方", "Way"), no_wrap=True)
    for title in (
        t("余分", "wrong"),
        t("漏れ", "missed"),
        t("出る人", "people"),
        t("件数", "rows"),
        t("容量", "bytes"),
        t("最小の組", "smallest"),
        t("1人だけ", "alone"),
    ):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column(t("符号のほかに出る項目", "Beside the token"), overflow="fold")
    for way in ways:
        table.add_row(
            t(*WAYS[way.kind]),
            f"{way.wrong:,}",
            f"{way.missed:,}",
            f"{way.people:,}",
            f"{way.rows:,}",
            size(way.bytes),
            "―" if way.smallest is None else f"{way.smallest:,}",
            f"{way.alone:,}",
            way_columns(way, lines, terminal.lang),
        )
    return table
