"""Watch a transfer until it is over: a live picture on a terminal, plain lines in a pipe."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from rich.console import Group
from rich.live import Live
from rich.text import Text

from kumobashi.cli.local_api import LocalApi, Watched
from kumobashi.cli.picture import (
    OVER,
    headline,
    is_settled,
    last_lines,
    receipts_line,
    stage_lines,
)
from kumobashi.cli.terminal import Terminal
from kumobashi.exchange.views import Light, TransferView
from kumobashi.kernel import SystemClock

_LOOK_AGAIN_SECONDS = 1  # at the latest; the gateway answers earlier when something has changed
_PAUSE_SECONDS = 0.05


@dataclass(frozen=True, kw_only=True)
class Watching:
    """How a transfer is shown, and when watching ends."""

    terminal: Terminal
    api: LocalApi
    name: str  # of the link
    to_site: str
    timeout: float | None = None
    until: frozenset[Light] = OVER
    is_short: bool = False  # the stages were shown before

    def watch(self, watched: Watched) -> Watched:
        """Show the transfer until it is over or the time is up; return it as it was last."""
        if self.terminal.as_json:
            return self._follow(watched, lambda _view: None)
        if self.terminal.out.is_terminal:
            return self._live(watched)
        return self._lines(watched)

    def _live(self, watched: Watched) -> Watched:
        with Live(
            self._picture(watched.transfer), console=self.terminal.out, auto_refresh=False
        ) as live:

            def show(view: TransferView) -> None:
                live.update(self._picture(view), refresh=True)

            return self._follow(watched, show)

    def _lines(self, watched: Watched) -> Watched:
        """Print each line once it will not change any more."""
        out = self.terminal.out
        out.print(
            headline(self.terminal, self.name, self.to_site, watched.transfer), soft_wrap=True
        )
        printed: set[str] = set()

        def show(view: TransferView) -> None:
            for stage in view.stages[:4]:
                if self.is_short:
                    break
                if is_settled(view, stage) and stage.stage not in printed:
                    printed.add(stage.stage)
                    for line in stage_lines(self.terminal, view, only=stage.stage):
                        out.print(line, soft_wrap=True)

        last = self._follow(watched, show)
        for line in self._tail(last.transfer):
            out.print(line, soft_wrap=True)
        return last

    def _follow(self, watched: Watched, show: Callable[[TransferView], None]) -> Watched:
        end = time.monotonic() + self.timeout if self.timeout is not None else None
        show(watched.transfer)
        while watched.transfer.light not in self.until:
            if end is not None and time.monotonic() >= end:
                break
            time.sleep(_PAUSE_SECONDS)
            known = watched.version
            watched = self.api.transfer(
                watched.transfer.transfer, seen=known, wait=_LOOK_AGAIN_SECONDS
            )
            show(watched.transfer)
        return watched

    def _picture(self, view: TransferView) -> Group:
        return Group(
            headline(self.terminal, self.name, self.to_site, view),
            *([] if self.is_short else stage_lines(self.terminal, view)),
            *self._tail(view),
        )

    def _tail(self, view: TransferView) -> list[Text]:
        receipts = [receipts_line(self.terminal, view)] if view.sealed_bytes is not None else []
        return [*receipts, *last_lines(self.terminal, view, view.link, SystemClock().now())]
