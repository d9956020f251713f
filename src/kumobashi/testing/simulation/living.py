"""Live one life of the whole city, from one seed, and judge it.

One or two links send on one or two days. While they do, each step may be a process's last, each
request may be lost, and a disk may be full for a while. Then the weather clears, and all must come
to an end.
"""

import asyncio
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast
from unittest.mock import patch

from kumobashi.exchange import patience
from kumobashi.exchange.states import IN_FINAL, Out
from kumobashi.messages.receipts import Stage, check_chain, verify_receipt
from kumobashi.storage.errors import DiskFailed, OutcomeUnknown, SpoolFull
from kumobashi.testing.simulation.disks import AFTER_COMMIT, READ, Killed
from kumobashi.testing.simulation.loop import Loop, Stuck
from kumobashi.testing.simulation.network import Network, Weather
from kumobashi.testing.simulation.sites import (
    RECEIVER,
    SENDER,
    SITES,
    SimulatedReceiver,
    SimulatedSite,
    identities,
    task_factory,
)

_LINKS = ("notice-attributes", "vaccination-reminders")
_DAYS = ("2026-11-21", "2026-11-22")
_STORM_SECONDS = 240.0
_LATEST_SECONDS = 60.0  # by when a late request has come
_PATIENCE_SECONDS = 3_600.0  # simulated; afterwards it is stuck
_LOOK_SECONDS = 3.0
_BROKEN = 0.3  # of the times a disk does not do its work
Spoil = Callable[[str, str], Exception | None]  # site and place: what its disk says


@dataclass(slots=True, kw_only=True)
class Lived:
    """What became of one life."""

    seed: int
    faults: list[str] = field(default_factory=list)
    deaths: int = 0
    seconds: float = 0.0  # simulated
    rested: float = 0.0  # simulated seconds until every transfer had ended
    trace: list[str] = field(default_factory=list)  # every step; the same for the same seed


def live(
    seed: int,
    receiver_class: type[SimulatedReceiver] = SimulatedReceiver,
    *,
    full: float | None = None,
    spoil: Spoil | None = None,
) -> Lived:
    """Live the life of a seed.

    ``receiver_class`` may be a broken one, to see that it is found; ``full`` is how often a disk
    is full during the storm, which otherwise the seed decides. With ``spoil`` there is no storm:
    it alone says which disk of which site fails when.
    """
    lived = Lived(seed=seed)
    chance = random.Random(seed)
    with Loop(lambda: chance.uniform(0.0, 0.05)) as loop, _sure_waits(chance):
        loop.set_task_factory(cast("Any", task_factory))
        loop.set_exception_handler(lambda _loop, _context: None)  # who was killed has no last word
        world = _World(chance, receiver_class, lived, spoil)
        if full is not None:
            world.full = full
        try:
            loop.run_until_complete(world.run())
        except (Stuck, TimeoutError) as error:
            lived.faults.append(f"stuck: {error}")
        lived.seconds = loop.time()
        _end(loop)
    return lived


class _World:
    def __init__(
        self,
        chance: random.Random,
        receiver_class: type[SimulatedReceiver],
        lived: Lived,
        spoil: Spoil | None,
    ) -> None:
        self._chance = chance
        self._lived = lived
        self._spoil = spoil
        self._is_storm = spoil is None
        self._is_looking = False
        self._latest = _LATEST_SECONDS if spoil is None else _LOOK_SECONDS
        # Of dying at a step: mostly one or two sites are in danger, so that much is done between.
        self._danger = {site: chance.choice((0.0, 0.0, 0.05, 0.25)) for site in SITES}
        self.full = chance.choice((0.0, 0.0, 0.1))
        weather = Weather(
            lost=chance.choice((0.0, 0.1, 0.3)),
            answer_lost=chance.choice((0.0, 0.1, 0.3)),
            twice=chance.choice((0.0, 0.2, 0.5)),
            late=chance.choice((0.0, 0.1, 0.3)),
            altered=chance.choice((0.0, 0.2)),
        )
        self._network = Network(chance, weather, self._confirmed)
        self._seen: set[str] = set()
        self._links = _LINKS[: chance.choice((1, 1, 2))]
        self._days = _DAYS[: chance.choice((1, 1, 2))]
        self._contents: dict[str, bytes] = {}
        self._sites = {
            name: SimulatedSite(
                name,
                self._network,
                chance,
                dies=partial(self._dies, name),
                fails=partial(self._fails, name),
                restart_seconds=lambda: chance.uniform(0.1, 6.0),
                receiver_class=receiver_class,
                contents=self._contents,
            )
            for name in SITES
        }
        self._network.hosts.update(self._sites)
        if spoil is not None:
            self._calm()

    async def run(self) -> None:
        """Storm, then calm, then judgement."""
        for site in self._sites.values():
            site.start()
        loop = asyncio.get_running_loop()
        loop.call_later(_STORM_SECONDS, self._calm)
        for day in self._days:
            asked = {f"{link} {day}": await self._ask(link, day) for link in self._links}
            await self._rest(set(asked.values()))
        self._lived.rested = loop.time()
        self._calm()
        await self._quiet()
        with self._unspoiled():
            self._judge()

    # -- chance ---------------------------------------------------------------------------------

    def _dies(self, site: str, step: str) -> bool:
        dies = self._is_storm and self._chance.random() < self._danger[site]
        self._lived.trace.append(f"{site}: {step}{' †' if dies else ''}")
        self._lived.deaths += dies
        return dies

    def _fails(self, site: str, place: str) -> Exception | None:
        """Return what a disk says that takes nothing: full mostly, at times broken."""
        if self._is_looking:
            return None
        if self._spoil is not None:
            return self._spoil(site, place)
        if not self._is_storm or self._chance.random() >= self.full:
            return None
        if place == AFTER_COMMIT:
            return OutcomeUnknown(system="state", name=site)
        if place == READ or self._chance.random() < _BROKEN:
            return DiskFailed(place=place)
        return SpoolFull(place=place)

    def _calm(self) -> None:
        self._is_storm = False
        self._network.weather.clear()

    @contextmanager
    def _unspoiled(self) -> Iterator[None]:
        """Look at what sites hold without meeting, or counting as, a fault."""
        self._is_looking = True
        try:
            yield
        finally:
            self._is_looking = False

    # -- the story ------------------------------------------------------------------------------

    async def _ask(self, link: str, day: str) -> str:
        """Ask the sender for a run until it has answered, as cron and a clerk would."""
        name = f"{link} {day}"
        self._contents[name] = f"{name}: {self._chance.random()}".encode()
        site = self._sites[SENDER]
        while True:
            try:
                if site.ledger is not None and site.dispatcher is not None:
                    row, _ = site.ledger.start(
                        link, day, mode="full", plan_hash="sha256:0", again=False
                    )
                    if site.dispatcher is not None:
                        site.dispatcher.wake()
                    return row.transfer
            except (Killed, Exception):  # noqa: BLE001, S110 - whatever it is, they ask again
                pass
            await asyncio.sleep(_LOOK_SECONDS)

    async def _rest(self, transfers: set[str]) -> None:
        end = asyncio.get_running_loop().time() + _PATIENCE_SECONDS
        while asyncio.get_running_loop().time() < end:
            await asyncio.sleep(_LOOK_SECONDS)
            try:
                ledger = self._sites[SENDER].ledger
                with self._unspoiled():
                    rows = ledger.several(sorted(transfers)) if ledger else []
            except Killed:
                continue
            if len(rows) == len(transfers) and all(row.finished_at for row in rows):
                return
        raise TimeoutError("transfers that never end")

    async def _quiet(self) -> None:
        """Wait until every site has nothing left to do; late requests may still come meanwhile."""
        end = asyncio.get_running_loop().time() + _PATIENCE_SECONDS
        left: list[str] = []
        await asyncio.sleep(self._latest)
        while asyncio.get_running_loop().time() < end:
            with self._unspoiled():
                left = [line for site in self._sites.values() for line in _left(site)]
            if not left:
                return
            await asyncio.sleep(_LOOK_SECONDS)
        self._lived.faults += [f"never quiet: {line}" for line in left]

    # -- judgement ------------------------------------------------------------------------------

    def _judge(self) -> None:
        faults, target = self._lived.faults, self._sites[RECEIVER].target
        sender = self._sites[SENDER].ledger
        assert sender is not None, "nobody dies in calm weather"
        applied: dict[str, list[str]] = {link: [] for link in self._links}
        for row in reversed(sender.outgoings()):
            if row.state is not Out.APPLIED:
                faults.append(f"not applied: {row.link} {row.business_date} {row.state}")
                continue
            applied[row.link].append(row.transfer)
            if target.effects[row.transfer] != 1:
                faults.append(f"applied {target.effects[row.transfer]} times: {row.link}")
            self._chain(row.transfer, row.attempt)
        for link in self._links:
            loaded = [transfer for name, transfer in target.loads if name == link]
            if loaded != applied[link]:
                faults.append(f"loads of {link} are not what was sent, in that order")
            content = self._contents[f"{link} {self._days[-1]}"]
            if not target.contents.get(link, b"").startswith(content):
                faults.append(f"content of {link} is not what was sent last")

    def _confirmed(self, tokens: list[str]) -> None:
        """Check, at the moment a receipt is handed over, that what it says is so."""
        keys, target = identities()[RECEIVER].keys_of(RECEIVER), self._sites[RECEIVER].target
        for token in tokens:
            if token in self._seen:
                continue
            self._seen.add(token)
            receipt = verify_receipt(token, keys)
            if receipt.stage is Stage.APPLIED and not target.effects[receipt.transfer]:
                self._lived.faults.append("confirmed as applied before it was")

    def _chain(self, transfer: str, attempt: int) -> None:
        """Check the sender's receipts, and that nobody ever handed over others."""
        sender = self._sites[SENDER].ledger
        assert sender is not None, "see above"
        keys = identities()[RECEIVER].keys_of(RECEIVER)
        tokens = sender.receipts(transfer, attempt, "out")
        chain = [verify_receipt(token, keys) for token in tokens]
        stage = check_chain(chain, chain[0].manifest_digest) if chain else None
        if stage is not Stage.APPLIED:
            self._lived.faults.append(f"shown as applied with a receipt of {stage}")
        others = [
            receipt
            for receipt in (verify_receipt(token, keys) for token in self._seen - set(tokens))
            if receipt.transfer == transfer and receipt.attempt == attempt
        ]
        if others:
            self._lived.faults.append(f"{len(others)} other receipts of the same transfer")
        if any(receipt.stage is Stage.REFUSED for receipt in others):
            self._lived.faults.append("refused, and applied")


def _left(site: SimulatedSite) -> list[str]:
    if site.inbox is None or site.ledger is None:
        return [f"{site.name} is down"]
    left = [
        f"{site.name}: {row.state} {(row.cause or {}).get('code')}"
        for row in site.ledger.incomings()
        if row.state not in IN_FINAL
    ]
    return left + ([f"{site.name}: {site.spooled()} parts"] if site.spooled() else [])


@contextmanager
def _sure_waits(chance: random.Random) -> Iterator[None]:
    """Let waits between tries come from the seed, too."""

    class Chance:
        @staticmethod
        def Random(_seed: object = None) -> random.Random:  # noqa: N802 - named as in `random`
            return chance

    with patch.object(patience, "random", Chance):
        yield


def _end(loop: asyncio.AbstractEventLoop) -> None:
    """Let every task go."""
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    loop.set_task_factory(None)
    if tasks:
        loop.run_until_complete(asyncio.wait(tasks))
