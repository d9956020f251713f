"""One trace from the asking system to the one that answers, whichever way a call takes."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from kumobashi.observe import tracing
from kumobashi.observe.names import declared
from kumobashi.observe.trace_context import HEADER
from kumobashi.observe.tracing import Options
from tests.collecting import Collector, Seen, collecting
from tests.unit.calls.sites_here import WAYS, City, city, open_socket, run
from tests.unit.calls.test_calls import System

TRACE, ABOVE = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SAID = f"00-{TRACE}-{ABOVE}-01"
FORGED = ("x", SAID * 50, SAID + "-more", "00-" + "0" * 32 + f"-{ABOVE}-01", "\u00e9" * 55)


@pytest.fixture
def collector() -> Iterator[Collector]:
    declared.know(["hall", "relay", "cloud", "arrears", "collection", "payment-status"])
    with collecting() as made:
        yield made
        tracing.end()


@asynccontextmanager
async def running(folder: Path, way: str) -> AsyncIterator[tuple[City, System]]:
    system = System()
    async with city(folder, way) as held, run(system.app(), open_socket()) as url:
        held.places["cloud"].office.base = f"{url}/api"
        yield held, system


def chain(spans: list[Seen]) -> list[str]:
    """Return the names from the outermost span inwards; each must stand below the one before."""
    below = {one.parent: one for one in spans}
    assert len(below) == len(spans)
    names, at = [], ABOVE
    while at in below:
        names.append(below[at].name)
        at = below[at].span
    assert len(names) == len(spans)
    return names


@pytest.mark.parametrize("way", WAYS)
async def test_a_call_is_one_trace_whichever_way_it_takes(
    tmp_path: Path, collector: Collector, way: str
) -> None:
    tracing.begin(Options(endpoint=collector.url, calls=1.0), site="hall", version="0")
    async with running(tmp_path, way) as (held, system):
        answered = await held.ask(headers={HEADER: SAID})
    tracing.end()
    assert answered.status == 200
    relayed = ["call.relay", "call.hand_on"] if "relay" in way else []
    assert chain(collector.spans) == [
        "call",
        "call.hand_on",
        *relayed,
        "call.answer",
        "call.system",
    ]
    assert {one.trace for one in collector.spans} == {TRACE}
    last = next(one for one in collector.spans if one.name == "call.system")
    assert system.asked[0][HEADER] == f"00-{TRACE}-{last.span}-01"


@pytest.mark.parametrize("number", range(len(FORGED)))
async def test_what_is_forged_is_no_trace_and_no_failure(
    tmp_path: Path, collector: Collector, number: int
) -> None:
    tracing.begin(Options(endpoint=collector.url, calls=1.0), site="hall", version="0")
    async with running(tmp_path, "through a relay") as (held, system):
        answered = await held.ask(headers={HEADER: FORGED[number]})
    tracing.end()
    assert answered.status == 200
    outermost = next(one for one in collector.spans if one.name == "call")
    assert outermost.parent == ""
    assert len(system.asked[0][HEADER]) == 55
    assert system.asked[0][HEADER].split("-")[1] == outermost.trace


async def test_a_gateway_without_tracing_hands_the_system_s_own_on(tmp_path: Path) -> None:
    async with running(tmp_path, "through a relay") as (held, system):
        assert (await held.ask(headers={HEADER: SAID})).status == 200
    assert system.asked[0][HEADER] == SAID  # inside the call, end to end


async def test_a_failed_call_says_its_code_in_the_span(
    tmp_path: Path, collector: Collector
) -> None:
    tracing.begin(Options(endpoint=collector.url, calls=1.0), site="hall", version="0")
    async with running(tmp_path, "direct") as (held, _system):
        held.places["cloud"].office.base = "http://127.0.0.1:9"
        assert (await held.ask()).status >= 500
    tracing.end()
    (asked,) = [one for one in collector.spans if one.name == "call"]
    assert asked.is_error
    (system,) = [one for one in collector.spans if one.name == "call.system"]
    assert system.is_error
