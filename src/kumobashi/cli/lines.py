"""The lines to the neighbours as a table: who answers, how fast it is called, what waits."""

from collections.abc import Mapping
from typing import Any

from rich.table import Table

from kumobashi.cli.terminal import Terminal
from kumobashi.console.formatting import clock
from kumobashi.kernel import from_wire

_STANDING = {
    "open": ("応答あり", "answers", "green"),
    "down": ("応答なし", "down", "bold red"),
    "closed": ("受付時間外", "closed", "yellow"),
}


def draw_lines(
    terminal: Terminal, site: str, said: Mapping[str, Any], names: Mapping[str, str]
) -> Table:
    """Return one site's lines; ``said`` is what ``GET /api/v1/lines`` answers."""
    t = terminal.t
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0), title=site)
    for title in (
        t("相手", "Neighbour"),
        t("状態", "State"),
        t("待っている転送", "Waiting"),
        t("直近1分の要求", "Calls, last minute"),
        t("1分の上限", "A minute at most"),
        t("これから", "Next"),
    ):
        table.add_column(title, overflow="fold")
    for line in said["lines"]:
        ja, en, style = _STANDING[str(line["standing"])]
        table.add_row(
            names.get(str(line["site"]), str(line["site"])),
            f"[{style}]{t(ja, en)}[/]",
            f"{line['waiting']:,}",
            f"{line['calls_last_minute']:,}",
            f"{line['calls_permitted']:,} / {line['calls_declared']:,}",
            _next(terminal, line),
        )
    return table


def _next(terminal: Terminal, line: Mapping[str, Any]) -> str:
    cause = line.get("cause") or {}
    if not cause.get("next_try"):
        return ""
    at = clock(from_wire(str(cause["next_try"])))
    if line["standing"] == "closed":
        return terminal.t(f"{at} に開きます", f"opens at {at}")
    return terminal.t(
        f"{cause['tries']} 回確かめました。次は {at}",
        f"probed {cause['tries']} times, next at {at}",
    )
