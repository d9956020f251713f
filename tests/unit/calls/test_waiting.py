"""Rooms where calls wait: bounded, first come first served, and nothing handed over twice."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from kumobashi.calls.errors import CallsWaiting
from kumobashi.calls.header import FIELD, CallHeader
from kumobashi.calls.posting import Answered, NoAnswer, NotConnected
from kumobashi.calls.waiting import Waiting
from kumobashi.calls.wire import BUDGET
from kumobashi.kernel import new_id

ANSWER = Answered(status=200, headers=(("content-type", "text/plain"),), body=b"yes")


def _fields() -> dict[str, str]:
    header = CallHeader(
        call=new_id(), tenant="999997", link="payment-status", asker="arrears",
        asking_site="cloud", answerer="collection", answering_site="hall", service="payments",
        version="v1", unit="", kind="", purpose="arrears", agreement="",
        plan="sha256:" + 64 * "0", correlation=new_id(), sent=datetime.now(UTC), budget_ms=5_000,
    )  # fmt: skip
    return {FIELD: header.encode(), BUDGET: "5000"}


def _call(fields: Mapping[str, str]) -> str:
    return CallHeader.decode(fields[FIELD]).call


def _hold(waiting: Waiting, fields: Mapping[str, str], **wish: Any) -> "asyncio.Task[Answered]":
    said = {"seconds": 5.0, "largest": 100} | wish
    return asyncio.create_task(waiting.hold("hall", fields, said.pop("body", b"asked"), **said))


@pytest.mark.parametrize("is_early", [True, False], ids=["poll first", "call first"])
async def test_a_call_is_fetched_once_and_its_answer_goes_back(is_early: bool) -> None:
    waiting, fields = Waiting(), _fields()
    polls = [asyncio.create_task(waiting.fetch("hall", seconds=0.2)) for _ in range(2)]
    if is_early:
        await asyncio.sleep(0)
    asked = _hold(waiting, fields)
    first, second = await asyncio.gather(*polls)

    given = first or second
    assert given is not None
    assert first is None or second is None
    assert (given.call, given.body) == (_call(fields), b"asked")
    assert 4_000 < int(given.fields[BUDGET]) <= 5_000
    assert waiting.largest_answer("hall", given.call) == 100
    assert not waiting.bring("cloud", given.call, ANSWER)  # another site's call
    assert waiting.bring("hall", given.call, ANSWER)
    assert await asked == ANSWER
    assert not waiting.bring("hall", given.call, ANSWER)
    assert waiting.largest_answer("hall", given.call) is None


async def test_calls_of_one_site_are_not_given_to_another() -> None:
    waiting = Waiting()
    asked = _hold(waiting, _fields(), seconds=0.1)

    assert await waiting.fetch("cloud", seconds=0.05) is None
    with pytest.raises(NotConnected):
        await asked


async def test_what_nobody_fetches_was_handed_to_nobody() -> None:
    waiting = Waiting()

    with pytest.raises(NotConnected):
        await _hold(waiting, _fields(), seconds=0.05)

    assert await waiting.fetch("hall", seconds=0.01) is None  # it is gone with whoever asked


async def test_what_was_fetched_and_not_answered_is_told_so() -> None:
    waiting = Waiting()
    asked = _hold(waiting, _fields(), seconds=0.05)
    assert await waiting.fetch("hall", seconds=1) is not None

    with pytest.raises(TimeoutError):
        await asked


async def test_rooms_are_bounded_by_calls_and_by_bytes() -> None:
    waiting = Waiting(most_calls=2, most_bytes=10)
    held = [_hold(waiting, _fields(), body=b"12345", seconds=1) for _ in range(2)]
    await asyncio.sleep(0)

    with pytest.raises(CallsWaiting):
        await waiting.hold("hall", _fields(), b"", seconds=1, largest=1)
    for one in held:
        one.cancel()
    await asyncio.gather(*held, return_exceptions=True)
    with pytest.raises(CallsWaiting):
        await waiting.hold("hall", _fields(), b"12345678901", seconds=1, largest=1)
    again = _hold(waiting, _fields(), body=b"1234567890", seconds=1)
    given = await waiting.fetch("hall", seconds=1)
    assert given is not None
    waiting.bring("hall", given.call, ANSWER)
    assert await again == ANSWER


async def test_a_call_that_could_not_be_given_is_the_next_one() -> None:
    waiting = Waiting()
    first, second = _fields(), _fields()
    asked = [_hold(waiting, first), _hold(waiting, second)]
    given = await waiting.fetch("hall", seconds=1)
    assert given is not None
    waiting.put_back("hall", given)

    order = [await waiting.fetch("hall", seconds=1) for _ in range(2)]

    assert [one.call if one else "" for one in order] == [_call(first), _call(second)]
    assert order[0] is not None
    assert order[0].body == b"asked"
    for one in order:
        assert one is not None
        waiting.bring("hall", one.call, ANSWER)
    assert await asyncio.gather(*asked) == [ANSWER, ANSWER]


async def test_closing_lets_everybody_go() -> None:
    waiting = Waiting()
    poll = asyncio.create_task(waiting.fetch("cloud", seconds=20))
    fetched = _hold(waiting, _fields())
    assert await waiting.fetch("hall", seconds=1) is not None
    await asyncio.sleep(0)

    waiting.close()

    assert await poll is None
    with pytest.raises(NoAnswer):
        await fetched
    with pytest.raises(NotConnected):
        await waiting.hold("hall", _fields(), b"", seconds=1, largest=1)
