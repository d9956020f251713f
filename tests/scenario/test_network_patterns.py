"""The nine patterns of network failure (report 003, table 2-14), all at once, over real sockets."""

import asyncio
import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kumobashi.monitoring.alerts import Alert, Moment
from kumobashi.monitoring.points import Pattern
from kumobashi.service.watch import watch_of
from kumobashi.testing.city import City
from kumobashi.testing.network_parts import BROKEN, PARTS, NetworkParts
from kumobashi.testing.town import Town

pytestmark = [pytest.mark.scenario, pytest.mark.slow]
HALL = "hall-core"
ALERT_SECONDS = 60.0


class Told:
    """Keeps what people would be told, and when."""

    def __init__(self) -> None:
        self.alerts: list[tuple[float, Alert]] = []
        self.first = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def tell(self, alert: Alert) -> None:
        self.alerts.append((time.monotonic(), alert))
        self._loop.call_soon_threadsafe(self.first.set)


@pytest.fixture(scope="module")
def town(city: City, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with Town.found(tmp_path_factory.mktemp("patterns") / "w", city) as made:
        made.start_all()
        yield made


def copied(town: Town, folder: Path) -> Path:
    """Return a workspace whose watch asks the same gateway, with rules and a book of its own."""
    for name in ("kumobashi.yaml", f"sites/{HALL}.yaml", f"private/{HALL}/api.token"):
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes((town.folder / name).read_bytes())
    return folder


async def broken(town: Town, folder: Path, pattern: Pattern) -> tuple[float, list[Alert]]:
    """Break a network in one way; return how long until the first alert, and all alerts."""
    told = Told()
    async with NetworkParts() as network:
        workspace = copied(town, folder / pattern.name.lower())
        network.write_rules(workspace)
        watch = watch_of(workspace, HALL, lambda _book: told, every=1.0)
        task = asyncio.create_task(watch.run())
        await asyncio.sleep(3)
        assert told.alerts == [], "nothing is wrong yet"
        network.cut(BROKEN[pattern])
        begin = time.monotonic()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(told.first.wait(), ALERT_SECONDS)
        first = told.alerts[0][0] - begin if told.alerts else ALERT_SECONDS
        await asyncio.sleep(5)  # a second alert of the same cause would come now
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    return first, [alert for _, alert in told.alerts]


def test_each_pattern_is_told_once_with_its_number_and_its_side(town: Town, tmp_path: Path) -> None:
    async def all_at_once() -> list[tuple[float, list[Alert]]]:
        return await asyncio.gather(*(broken(town, tmp_path, one) for one in Pattern))

    found = dict(zip(Pattern, asyncio.run(all_at_once()), strict=True))

    for pattern, (seconds, alerts) in found.items():
        assert [(a.moment, a.code) for a in alerts] == [
            (Moment.OPENED, f"network.pattern_{pattern.value}")
        ], pattern
        sides = {PARTS[part][2] for part in BROKEN[pattern]}
        assert any(side in alerts[0].lines_ja[0] for side in sides), pattern
        assert seconds < ALERT_SECONDS
