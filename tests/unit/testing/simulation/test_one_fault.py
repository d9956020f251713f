"""One call of a database that fails strands nothing, whichever it is.

``python -m kumobashi.testing.simulation --each-call`` lets every single one fail.
"""

import logging
from collections.abc import Iterator
from itertools import chain

import pytest

from kumobashi.exchange.lanes import Lane
from kumobashi.testing.simulation.one_fault import KINDS, each_call

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("kind", KINDS)
def test_a_commit_that_fails_or_whose_answer_is_lost_strands_nothing(kind: str) -> None:
    lives = list(each_call(kind, reads=False, every=2 if kind == "own" else 1))

    assert len(lives) > 25
    assert list(chain.from_iterable(lives)) == []


@pytest.mark.parametrize(("kind", "every"), [("full", 9), ("unforeseen", 11)])
def test_a_read_that_fails_strands_nothing(kind: str, every: int) -> None:
    lives = list(each_call(kind, reads=True, every=every))

    assert len(lives) > 10
    assert list(chain.from_iterable(lives)) == []


def test_a_lane_that_ends_at_a_failed_look_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run_once(self: Lane) -> None:
        while True:
            self._news.clear()
            await self._fill()
            await self._news.wait()

    monkeypatch.setattr(Lane, "_run", run_once)

    assert any(each_call("full", reads=True, every=3))
