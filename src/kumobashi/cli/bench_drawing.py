"""What every benchmark prints: what was measured on which machine, then a table of figures."""

from collections.abc import Mapping
from typing import Any

from rich.table import Table

from kumobashi.cli.plain_tables import plain_table
from kumobashi.cli.terminal import Terminal

Words = tuple[str, str]  # Japanese, English


def machine_line(terminal: Terminal, found: Mapping[str, Any], ja: str, en: str) -> str:
    """Return what was measured, the cores, the load before and after, and the disk's pace."""
    busy = f"{found['load_before']:.1f}–{found['load_after']:.1f}"
    cores = found["machine"]["cores"]
    ja, en = f"{ja}、{cores} コア、負荷 {busy}", f"{en}, {cores} cores, load {busy}"
    if "fsync_per_second" in found:
        fsyncs = f"{found['fsync_per_second']:,}"
        ja, en = f"{ja}、fsync {fsyncs} 回/秒", f"{en}, {fsyncs} fsync/s"
    return terminal.t(ja, en)


def figures_table(terminal: Terminal, first: Words, *others: Words) -> Table:
    """Return an empty table: names on the left, figures on the right."""
    table = plain_table()
    table.add_column(terminal.t(*first), no_wrap=True)
    for words in others:
        table.add_column(terminal.t(*words), justify="right")
    return table
