"""The table of the terminal: no lines, dim heads, two spaces between columns."""

from rich.table import Table


def plain_table() -> Table:
    """Return an empty table."""
    return Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
