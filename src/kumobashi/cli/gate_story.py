"""What the gate refused, how far the ladder was climbed for it, and predicate-only beside both."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.text import Text

from kumobashi.cli.plain_tables import plain_table
from kumobashi.cli.terminal import Terminal
from kumobashi.cli.wording import hung
from kumobashi.exchange.views import TransferView
from kumobashi.planning.gate_rendering import ladder
from kumobashi.release.gate_report import Figures, GateReport, Outcome
from kumobashi.release.gate_words import neighbour_of

if TYPE_CHECKING:
    from kumobashi.release.comparing import Kind, Way


def gate_story(
    terminal: Terminal,
    as_written: GateReport | None,
    sent: TransferView,
    predicate: TransferView,
    ways: "Sequence[Way]",
) -> Iterator[RenderableType]:
    """Give the three ways with the gate's verdict on each, then the ladder that was climbed.

    ``as_written`` is the gate asked about the rule as it is written, ``sent`` the link's transfer,
    ``predicate`` that of the link which sends codes alone.
    """
    from kumobashi.release.comparing import Kind

    if as_written is None:
        return
    t = terminal.t
    table = plain_table()
    table.add_column(t("送り方", "Way"), no_wrap=True)
    table.add_column(t("危険度の確認", "Gate"), no_wrap=True)
    for title in (
        t("似た人の最少", "fewest alike"),
        t("5人未満の組", "in small classes"),
        t("余分に届く", "told wrongly"),
        t("漏れる", "missed"),
    ):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_row(
        t("書いたまま", "as written"),
        _verdict(terminal, is_refused=as_written.outcome is Outcome.REFUSED),
        *_figures(terminal, as_written.before),
        *_errors(ways, Kind.COARSENED),
    )
    left = sent.gate.after if sent.gate else None
    table.add_row(
        t("粗くして", "made coarser"),
        _verdict(terminal, is_refused=left is None),
        *(_figures(terminal, left) if left else ("―", "―")),
        *_errors(ways, Kind.CLIMBED if sent.gate and sent.gate.levels else Kind.COARSENED),
    )
    table.add_row(
        t("符号だけ", "codes alone"),
        Text(t("属性は出ない", "no attribute"), "green"),
        "―",
        "―",
        *_errors(ways, Kind.PREDICATE),
    )
    yield table
    said = t(
        *neighbour_of(as_written.before.k, as_written.before.below_five, as_written.before.rows)
    )
    yield from hung(Text(t("書いたまま: ", "As written: "), "bold"), said, terminal.width)
    for climb in sent.gate.climbs if sent.gate else ():
        name = terminal.t(sent.gate.names[climb.column], climb.column) if sent.gate else ""
        yield from hung(Text(f"  {name}: ", "dim"), ladder(climb, terminal.lang), terminal.width)
    rows = predicate.rows_released or 0
    said = t(
        f"庁内で判定し、符号と通知のコードだけ {rows:,} 件。属性は1つも出ません。",
        f"answered in the hall: {rows:,} rows of token and campaign code, and nothing else.",
    )
    yield from hung(Text(t("符号だけ: ", "Codes alone: "), "bold"), said, terminal.width)


def _verdict(terminal: Terminal, *, is_refused: bool) -> Text:
    if is_refused:
        return Text(terminal.t("× 出せません", "× refused"), "bold red")
    return Text(terminal.t("✓ 出しました", "✓ sent"), "green")


def _figures(terminal: Terminal, found: Figures) -> tuple[str, str]:
    return terminal.t(f"{found.k:,} 人", f"{found.k:,}"), terminal.t(
        f"{found.below_five:,} 人", f"{found.below_five:,}"
    )


def _errors(ways: "Sequence[Way]", kind: "Kind") -> tuple[str, str]:
    for way in ways:
        if way.kind is kind:
            return f"{way.wrong:,}", f"{way.missed:,}"
    return "―", "―"
