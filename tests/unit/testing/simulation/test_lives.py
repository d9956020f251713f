"""The simulated world finds what is broken on purpose, repeats itself, and finds nothing else.

``KUMO_LIVES`` says how many lives are lived; ``python -m kumobashi.testing.simulation`` lives more.
"""

import logging
import os
from collections.abc import Iterator
from functools import cache

import pytest

from kumobashi.exchange.records import Incoming
from kumobashi.exchange.states import In
from kumobashi.messages.manifest import Manifest
from kumobashi.messages.receipts import Stage
from kumobashi.storage.tables import Load
from kumobashi.testing.simulation.disks import Life, Target
from kumobashi.testing.simulation.living import live
from kumobashi.testing.simulation.sites import SimulatedReceiver

pytestmark = pytest.mark.slow
LIVES = int(os.environ.get("KUMO_LIVES", "12"))
lived = cache(live)  # a seed's life is always the same, which a test below shows


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("seed", [*range(1, LIVES + 1)])
def test_every_life_ends_well(seed: int) -> None:
    assert lived(seed).faults == []


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_disk_too_full_even_for_a_note_strands_nothing(seed: int) -> None:
    assert live(seed, full=0.6).faults == []


def test_lives_are_full_of_deaths() -> None:
    lives = [lived(seed) for seed in range(1, 6)]

    assert sum(one.deaths for one in lives) > 5
    assert sum(len(one.trace) for one in lives) > 500


def test_the_same_seed_is_the_same_life() -> None:
    first, again, other = lived(4), live(4), lived(6)

    assert first.trace == again.trace
    assert first.seconds == again.seconds
    assert first.trace != other.trace


class ReceiptFirst(SimulatedReceiver):
    """Confirms before the target has committed."""

    def _take_in(self, bundle: Incoming) -> None:
        manifest = self._manifest(bundle)
        self._state(bundle, manifest, Stage.OPENED, In.OPENED)
        self._state(bundle, manifest, Stage.VALIDATED, In.VALIDATED)
        self._state(bundle, manifest, Stage.APPLIED, In.APPLIED)
        super()._take_in(bundle)


class ForgetfulTarget(Target):
    """Does not look whether a transfer was written before."""

    def apply(self, load: Load, content: bytes, life: Life) -> None:
        life.step("before the target commits")
        self.commit(load, content)
        life.step("after the target committed")


class NoMemory(SimulatedReceiver):
    """Applies what it applied before."""

    def _take_in(self, bundle: Incoming) -> None:
        self.target.__class__ = ForgetfulTarget
        super()._take_in(bundle)


class PartsGoneTooEarly(SimulatedReceiver):
    """Forgets the parts while they may still be needed."""

    def _state(self, bundle: Incoming, manifest: Manifest, stage: Stage, state: In) -> None:
        if stage is Stage.VALIDATED:
            self.spool.forget(bundle.transfer, bundle.attempt)
        super()._state(bundle, manifest, stage, state)


class ReceiptsAnew(SimulatedReceiver):
    """Signs another receipt when it is asked again."""

    def _state(self, bundle: Incoming, manifest: Manifest, stage: Stage, state: In) -> None:
        kept = self._ledger.receipts
        if stage is Stage.APPLIED:
            self._ledger.receipts = lambda *key: kept(*key)[:1]  # type: ignore[method-assign]
        try:
            super()._state(bundle, manifest, stage, state)
        finally:
            self._ledger.receipts = kept  # type: ignore[method-assign]


@pytest.mark.parametrize(
    "broken", [ReceiptFirst, NoMemory, PartsGoneTooEarly, ReceiptsAnew], ids=lambda b: b.__name__
)
def test_what_is_broken_on_purpose_is_found(broken: type[SimulatedReceiver]) -> None:
    found = next((seed for seed in range(1, 100) if live(seed, broken).faults), None)

    assert found is not None, f"{broken.__doc__} Nobody noticed."
