"""Calls into the hall, where connections open outward only: four gateways, all of them fetching."""

import asyncio
import contextlib
import json
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import aiohttp
import pytest

from kumobashi.service.call_tokens import make_token
from kumobashi.testing.city import build
from kumobashi.testing.commands import command
from kumobashi.testing.gateways import until
from kumobashi.testing.town import Town

pytestmark = [pytest.mark.slow, pytest.mark.scenario]
CLOUD, HALL = "public-cloud", "hall-core"
PATH = "/call/collection/accounts/v1/totals/2026-11-20"
TOTALS = {"result": [{"budget_item": "01-01-01", "received": 1200}]}
AT_ONCE = 500


class _Collection(BaseHTTPRequestHandler):
    """The system in the hall."""

    asked: ClassVar[list[str]]
    hold: ClassVar[threading.Event]

    def do_GET(self) -> None:
        self.asked.append(self.headers["kumobashi-call-id"])
        self.hold.wait(20)
        said = json.dumps(TOTALS).encode()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    request_queue_size = AT_ONCE
    daemon_threads = True


@pytest.fixture(scope="module")
def system() -> Iterator[tuple[int, type[_Collection]]]:
    class handler(_Collection):  # noqa: N801 - one for all tests
        asked: ClassVar[list[str]] = []
        hold = threading.Event()

    with _Server(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1], handler
        handler.hold.set()
        server.shutdown()
        thread.join()


def _into_the_hall(folder: Path, port: int) -> None:
    """Move the asking system to the cloud; it may have totals, and nothing about a person."""
    places = {
        "systems/collection.yaml": (":8751/", f":{port}/"),
        "systems/finance.yaml": ("site: hall-core", f"site: {CLOUD}"),
        "calls/finance-collection.yaml": (
            "versions: [v1]", "versions: [v1]\noperations: [listTotals]\nanswer_seconds: 6",
        ),
    }  # fmt: skip
    for name, (before, after) in places.items():
        text = (folder / name).read_text("utf-8")
        assert before in text
        (folder / name).write_text(text.replace(before, after), encoding="utf-8")
    call = folder / "calls/finance-collection.yaml"
    call.write_text(re.sub(r"hide: .*\n", "", call.read_text("utf-8")), encoding="utf-8")
    rows = folder / "policy/who_may.csv"
    text = rows.read_text("utf-8")
    (row,) = [line for line in text.splitlines() if ",collection-totals," in line]
    row = row.replace(",mynumber,mynumber,", ",mynumber,internet,")
    rows.write_text(f"{text}{row}\n", encoding="utf-8")


@pytest.fixture(scope="module")
def town(
    tmp_path_factory: pytest.TempPathFactory, system: tuple[int, type[_Collection]]
) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("fetched") / "city"

    def change(folder: Path) -> None:
        _into_the_hall(folder, system[0])

    with build(60) as city, Town.found(folder, city, change=change) as town:
        make_token(town.folder, CLOUD, "finance")
        town.start_all()
        yield town


@pytest.fixture(autouse=True)
def _goes(town: Town, system: tuple[int, type[_Collection]]) -> None:
    system[1].hold.set()
    until("an answer", lambda: _ask(town)[0] == 200 or None, 40)
    system[1].asked.clear()


def _ask(town: Town, **headers: str) -> tuple[int, dict[str, Any]]:
    ((status, found),) = _ask_often(town, 1, **headers)
    return status, found


def _ask_often(town: Town, times: int, **headers: str) -> list[tuple[int, dict[str, Any]]]:
    token = (town.folder / f"private/{CLOUD}/systems/finance.token").read_text("ascii").strip()
    said = {"authorization": f"Bearer {token}", "kumobashi-system": "finance"} | headers

    async def one(session: aiohttp.ClientSession) -> tuple[int, dict[str, Any]]:
        async with session.get(town.door(CLOUD) + PATH, headers=said) as answer:
            return answer.status, json.loads(await answer.read())

    async def all_of_them() -> list[tuple[int, dict[str, Any]]]:
        connector = aiohttp.TCPConnector(limit=0)
        wait = aiohttp.ClientTimeout(total=40)
        async with aiohttp.ClientSession(connector=connector, timeout=wait) as session:
            return await asyncio.gather(*(one(session) for _ in range(times)))

    return asyncio.run(all_of_them())


def test_a_call_into_the_hall_is_answered_and_proven_on_both_sides(
    town: Town, system: tuple[int, type[_Collection]]
) -> None:
    assert _ask(town) == (200, TOTALS)
    begun = time.monotonic()
    assert [status for status, _ in _ask_often(town, 60)] == [200] * 60
    assert time.monotonic() - begun < 10  # not one call a poll
    assert len(system[1].asked) == len(set(system[1].asked)) == 61

    def proven() -> bool | None:
        found = [
            json.loads(
                command("evidence", "verify", "--site", site, "--json", folder=town.folder,
                        errors_apart=True).output
            ).get("calls", {"records": 0})
            for site in (CLOUD, HALL)
        ]  # fmt: skip
        # Two records of each call on each side, and of the one in the fixture.
        done = all(one["records"] >= 62 * 2 and one["waiting"] == 0 for one in found)
        return (done and all(one["touched"] is None for one in found)) or None

    until("both sides prove all of it", proven, 30)
    for relay in ("hall-exchange", "asp-relay"):
        assert not list((town.folder / "var" / relay).rglob("calls/*.jsonl"))


def test_whoever_asks_hears_what_became_of_a_gateway_that_was_killed(
    town: Town, system: tuple[int, type[_Collection]]
) -> None:
    system[1].hold.clear()
    found: list[tuple[int, dict[str, Any]]] = []
    asking = threading.Thread(target=lambda: found.append(_ask(town)))
    asking.start()
    until("the system is asked", lambda: len(system[1].asked) == 1 or None, 10)
    town.running[HALL].kill()
    asking.join(20)
    ((status, problem),) = found
    assert (status, problem["code"]) == (504, "call.peer_silent")  # it may have been done
    system[1].hold.set()

    status, problem = _ask(town)
    assert (status, problem["code"]) == (502, "call.peer_away")  # it was not
    assert "届いていません" in problem["detail"]
    town.start(HALL)
    until("calls again, and nobody helped", lambda: _ask(town)[0] == 200 or None, 40)
    assert len(system[1].asked) == len(set(system[1].asked))


def test_a_relay_that_is_away_is_told_and_found_again(town: Town) -> None:
    town.running["asp-relay"].kill()

    status, problem = _ask(town)
    assert (status, problem["code"], problem["side"]) == (502, "call.peer_away", "line")
    town.start("asp-relay")
    until("calls again, and nobody helped", lambda: _ask(town)[0] == 200 or None, 40)


def test_a_system_that_stops_answering_under_many_calls_is_told_in_time(
    town: Town, system: tuple[int, type[_Collection]]
) -> None:
    system[1].hold.clear()
    begun = time.monotonic()

    found = _ask_often(town, AT_ONCE, **{"kumobashi-budget": "4000"})

    assert time.monotonic() - begun < 4 + 6
    codes = Counter(problem["code"] for _, problem in found)
    assert sum(codes.values()) == AT_ONCE
    assert codes.keys() <= {
        "call.service_silent", "call.peer_silent", "call.over", "call.waiting", "call.peer_away",
    }, codes  # fmt: skip
    system[1].hold.set()
    until("calls again, and nobody helped", lambda: _ask(town)[0] == 200 or None, 15)
