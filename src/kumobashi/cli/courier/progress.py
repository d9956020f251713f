"""A bar while media are written or read: on a terminal only, and never in JSON."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from kumobashi.cli.terminal import Terminal

Told = Callable[[int, int], None]


@contextmanager
def bar(terminal: Terminal, ja: str, en: str) -> Iterator[Told]:
    """Give a function that is told how much is done, and of how much."""
    console = Console(file=sys.stderr, highlight=False, emoji=False)
    if terminal.as_json or not console.is_terminal:
        yield lambda _done, _total: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
    )
    with Progress(*columns, TimeRemainingColumn(), console=console) as progress:
        task = progress.add_task(terminal.t(ja, en), total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)
