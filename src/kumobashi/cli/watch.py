"""``kumobashi watch``: watch a site's links, ways and clocks, and have people told."""

import asyncio
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import click

from kumobashi.cli.command import command, option
from kumobashi.cli.serve import log_to
from kumobashi.cli.terminal import Terminal
from kumobashi.monitoring.following import CONFIRM, REST, Following

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kumobashi.monitoring.alerts import Alert
    from kumobashi.monitoring.book import FaultBook
    from kumobashi.monitoring.ports import Teller
    from kumobashi.service.telling import Telling


@command(
    "watch",
    ja="1つのサイトの連携・経路・期限・時計を見張り、異常を知らせます。ゲートウェイとは別に動きます。",
    en="Watch a site's links, ways, deadlines and clocks, beside its gateway; tell what is wrong.",
    example="kumobashi watch --site hall-core",
)
@option("--site", required=True, metavar="SITE", ja="サイトの名前", en="The site")
@option(
    "--every",
    type=click.FloatRange(0.2, 3600),
    default=5.0,
    metavar="SECONDS",
    ja="見る間隔（秒。既定 5）",
    en="Seconds between two looks (default 5)",
)
@option(
    "--confirm",
    type=click.FloatRange(1, 3600),
    default=CONFIRM,
    metavar="SECONDS",
    ja="これだけ続いたら知らせる（秒。既定 25）",
    en="How long something must last until it is told (default 25)",
)
@option("--once", is_flag=True, ja="1回だけ見て終わる", en="Look once and end")
def watch(terminal: Terminal, *, site: str, every: float, confirm: float, once: bool) -> None:
    """Watch until asked to stop."""
    from kumobashi.kernel import SystemClock
    from kumobashi.planning.monitor_references import ALERTS
    from kumobashi.service.ending import asked_to_end
    from kumobashi.service.telling import telling_of
    from kumobashi.service.watch import municipality_of, watch_of

    log_to(None, site)
    telling: list[Telling] = []

    def teller(book: "FaultBook") -> "Teller":
        """Show alerts here, and have people told where ``alerts.yaml`` says who."""
        shown = _Shown(terminal)
        if not (terminal.folder / ALERTS).is_file():
            return shown
        tenant = municipality_of(terminal.folder).municipality.code
        telling.append(telling_of(terminal.folder, site, book, tenant=tenant, clock=SystemClock()))
        return _Both(telling[0], shown)

    made = watch_of(terminal.folder, site, teller, every=every)
    made.following = Following(confirm=confirm, rest=confirm * REST / CONFIRM)

    async def run() -> None:
        if once:
            await asyncio.to_thread(made.resume)
            await made.look()
            return
        task = asyncio.create_task(made.run())

        def end(_number: int) -> None:
            task.cancel()

        with asked_to_end(end):
            await asyncio.gather(task, return_exceptions=True)

    if not terminal.as_json:
        said = terminal.t(f"{site} を見張っています。", f"Watching {site}.")
        terminal.out.print(said)
        sys.stdout.flush()
    with closing(_Told(telling)):
        asyncio.run(run())


class _Told:
    """Has people told while the watch runs."""

    def __init__(self, telling: "Sequence[Telling]") -> None:
        self._telling = telling
        for one in telling:
            one.start()

    def close(self) -> None:
        """Hand over what is going out, and stop."""
        for one in self._telling:
            one.close()


class _Both:
    """Takes an alert over durably, then shows it."""

    def __init__(self, first: "Teller", then: "Teller") -> None:
        self._tellers = (first, then)

    def tell(self, alert: "Alert") -> None:
        """Tell both."""
        for one in self._tellers:
            one.tell(alert)


class _Shown:
    """Shows alerts on this terminal."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal

    def tell(self, alert: "Alert") -> None:
        """Show an alert."""
        t, out = self._terminal.t, self._terminal.out
        if self._terminal.as_json:
            self._terminal.emit(_plain(alert))
        else:
            out.print(t(alert.title_ja, alert.title_en), markup=False, soft_wrap=True)
            for ja, en in zip(alert.lines_ja, alert.lines_en, strict=True):
                out.print("  " + t(ja, en), markup=False, soft_wrap=True)
        sys.stdout.flush()


def _plain(alert: "Alert") -> dict[str, object]:
    return {
        "alert": alert.id,
        "fault": alert.fault,
        "moment": alert.moment.value,
        "urgency": alert.urgency.value,
        "code": alert.code,
        "side": alert.side,
        "title": alert.title_en,
        "lines": list(alert.lines_en),
        "links": list(alert.links),
        "more_links": alert.more_links,
    }
