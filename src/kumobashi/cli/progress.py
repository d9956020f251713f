"""A bar while something long runs: on a terminal's error stream only, and never in JSON."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from kumobashi.cli.terminal import Terminal


class Told(Protocol):
    """Hears how much is done, of how much, and what comes next if that has changed."""

    def __call__(self, done: int, total: int, next_: str = "", /) -> None:
        """Draw it."""


@contextmanager
def bar(terminal: Terminal, ja: str, en: str) -> Iterator[Told]:
    """Give a function that is told how far the work has come; the bar goes with the work."""
    if terminal.as_json or not terminal.err.is_terminal:
        yield lambda _done, _total, _next="": None
        return
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn(terminal.t("残り", "left")),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=terminal.err, transient=True) as progress:
        task = progress.add_task(terminal.t(ja, en), total=None)

        def told(done: int, total: int, next_: str = "", /) -> None:
            description = next_ or None
            progress.update(task, completed=done, total=total, description=description)

        yield told
