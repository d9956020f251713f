"""Traces across real gateways and relays, as a collector gets them by OTLP."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from kumobashi.observe.trace_context import of_transfer
from kumobashi.testing.bench.calls_stage import ANSWERING, ASKING, BODY, RELAY, Stage, staged
from kumobashi.testing.city import City
from kumobashi.testing.gateways import until
from kumobashi.testing.town import SITES, Town
from tests.collecting import Collector, Seen, collecting

pytestmark = [pytest.mark.slow, pytest.mark.scenario]
TRACE, ABOVE = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
ALLOWED = {"transfer", "call", "link", "site", "from", "to", "system", "code", "state", "attempt",
           "rows", "bytes", "parts", "status"}  # fmt: skip


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as made:
        yield made


def ask(stage: Stage, **headers: str) -> int:
    held = {**stage.headers, **headers}
    request = urllib.request.Request(stage.url, data=BODY, headers=held)  # noqa: S310 - http
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - likewise
            json.load(answer)
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def start(town: Town, endpoint: str) -> None:
    """Start every gateway of a town with a collector."""
    for site in SITES:
        town.start(site, environment={"KUMO_OTLP_ENDPOINT": endpoint})


def only_what_may_be_said(collector: Collector) -> None:
    for one in collector.spans:
        names = {name.removeprefix("kumobashi.") for name in one.attributes}
        assert names <= ALLOWED, one
    for body in collector.raw:
        assert b"0000000001" not in body  # whom the call asks for
        assert "山田".encode() not in body


def test_a_call_through_a_relay_is_one_trace(
    tmp_path: Path, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUMO_OTLP_ENDPOINT", collector.url)
    monkeypatch.setenv("KUMO_TRACED_CALLS", "1")
    with staged(tmp_path / "city", through_relay=True) as stage:
        assert ask(stage, traceparent=f"00-{TRACE}-{ABOVE}-01") == 200
        forged = ("x" * 55, f"00-{TRACE}-{ABOVE}-01" * 100, f"00-{'0' * 32}-{ABOVE}-01", "")
        for one in forged:
            assert ask(stage, traceparent=one) == 200

        def whole() -> list[Seen] | None:
            mine = [one for one in collector.spans if one.trace == TRACE]
            return mine if len(mine) >= 6 else None

        spans = until("the spans of the call", whole, 20)
        until("all traces", lambda: len(collector.of("call", ASKING)) >= 6 or None, 20)
    found = {(one.name, one.site): one for one in spans}
    way = [
        ("call", ASKING),
        ("call.hand_on", ASKING),
        ("call.relay", RELAY),
        ("call.answer", ANSWERING),
        ("call.system", ANSWERING),
    ]
    above = ABOVE
    assert found[way[0]].parent == above
    assert found[way[1]].parent == found[way[0]].span
    assert found[way[2]].parent == found[way[1]].span
    handed = found["call.hand_on", RELAY]
    assert handed.parent == found[way[2]].span
    assert found[way[3]].parent == handed.span
    assert found[way[4]].parent == found[way[3]].span
    assert len(found) == len(spans) == 6
    calls = {
        one.attributes["kumobashi.call"] for one in spans if "kumobashi.call" in one.attributes
    }
    assert len(calls) == 1
    # What is not in the form began a trace of its own.
    others = {one.trace for one in collector.of("call", ASKING)} - {TRACE}
    assert len(others) == len(collector.of("call", ASKING)) - 1 >= len(forged)
    only_what_may_be_said(collector)


def test_a_transfer_is_one_trace_however_far_it_goes(
    tmp_path: Path, city: City, collector: Collector
) -> None:
    with Town.found(tmp_path / "city", city) as town:
        start(town, collector.url)
        run = town.wait(town.submit("notice-attributes")["transfer"])
        assert run["state"] == "applied"
        root = of_transfer(run["transfer"])
        trace, top = f"{root.trace:032x}", f"{root.span:016x}"
        until("the root", lambda: collector.of("transfer") or None, 20)
        until("the receiver's", lambda: collector.of("transfer.apply") or None, 20)
        until("all of them", lambda: len(collector.of("transfer.receive")) == 3 or None, 20)
        until("what prepared", lambda: collector.of("transfer.prepare") or None, 20)
    mine = [one for one in collector.spans if one.trace == trace]
    by_name = {one.name: one for one in mine}
    assert by_name["transfer"].span == top
    assert by_name["transfer"].parent == ""
    assert by_name["transfer"].attributes["kumobashi.state"] == "applied"
    prepared = by_name["transfer.prepare"]
    for name in ("transfer.extract", "transfer.release", "transfer.convert", "transfer.seal"):
        assert by_name[name].parent == prepared.span, name
    for name in ("transfer.prepare", "transfer.carry", "transfer.open", "transfer.apply"):
        assert by_name[name].parent == top, name
    assert by_name["transfer.validate"].parent == top
    (carried,) = [one for one in mine if one.name == "transfer.carry"]
    passed = {one.span: one for one in mine if one.name == "transfer.pass"}
    received = {one.site: one for one in mine if one.name == "transfer.receive"}
    assert set(received) == {"hall-exchange", "asp-relay", "public-cloud"}
    assert received["hall-exchange"].parent == carried.span
    assert passed[received["asp-relay"].parent].site == "hall-exchange"
    assert passed[received["public-cloud"].parent].site == "asp-relay"
    assert by_name["transfer.apply"].site == "public-cloud"
    only_what_may_be_said(collector)


def test_a_dead_collector_keeps_nobody_waiting(tmp_path: Path, city: City) -> None:
    with Town.found(tmp_path / "city", city) as town:
        start(town, "http://127.0.0.1:9")
        run = town.wait(town.submit("notice-attributes")["transfer"])
        assert run["state"] == "applied"
        begun = time.monotonic()
        town.running["hall-core"].stop(15)
        assert time.monotonic() - begun < 12
        log = (town.folder / "var" / "hall-core.log").read_text("utf-8")
    assert "opentelemetry" not in log
    assert '"error"' not in log
