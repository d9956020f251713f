"""Calls through real gateways: asked, answered, recorded, provable, refused when the plan is."""

import contextlib
import http.client
import json
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from kumobashi.calls.refusals import EACH
from kumobashi.service.call_tokens import make_token
from kumobashi.testing.city import build
from kumobashi.testing.commands import command
from kumobashi.testing.gateways import until
from kumobashi.testing.town import Town
from tests.page_examples import ADDRESS, Page, run_python, run_shell

pytestmark = [pytest.mark.slow, pytest.mark.scenario]
SITE, PATH = "hall-core", "/call/collection/payments/v1/payments/search"


class _Collection(BaseHTTPRequestHandler):
    """The system of another vendor: it knows nothing of gateways."""

    asked: ClassVar[list[dict[str, Any]]]
    hold: ClassVar[threading.Event]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.asked.append({"path": self.path, "body": json.loads(body)})
        self.hold.wait(20)
        said = json.dumps({"result": [{"payment_no": "17", "levied": 1200}]}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(said)))
        with contextlib.suppress(BrokenPipeError):  # whoever asked was killed meanwhile
            self.end_headers()
            self.wfile.write(said)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def system() -> Iterator[tuple[int, type[_Collection]]]:
    class handler(_Collection):  # noqa: N801 - one for each test
        asked: ClassVar[list[dict[str, Any]]] = []
        hold = threading.Event()

    handler.hold.set()
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1], handler
        handler.hold.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def town(tmp_path: Path, system: tuple[int, type[_Collection]]) -> Iterator[Town]:
    def change(folder: Path) -> None:
        file = folder / "systems/collection.yaml"
        text = file.read_text("utf-8").replace(":8751/", f":{system[0]}/")
        file.write_text(text, encoding="utf-8")

    with build(60) as city, Town.found(tmp_path / "city", city, change=change) as town:
        make_token(town.folder, SITE, "arrears")
        town.start(SITE)
        until("a first answer", lambda: _ask(town)[0] == 200 or None, 20)
        system[1].asked.clear()
        yield town


def _ask(town: Town, *, system: str = "arrears", **headers: str) -> tuple[int, dict[str, Any]]:
    token = (town.folder / f"private/{SITE}/systems/arrears.token").read_text("ascii").strip()
    said = {"authorization": f"Bearer {token}", "kumobashi-system": system} | headers
    body = json.dumps({"resident_no": "0000000001", "fiscal_year": "2026"}).encode()
    request = urllib.request.Request(town.door(SITE) + PATH, data=body, headers=said)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def _told_by_the_page(town: Town) -> Any:
    """Run the example of the how-to, at the place and port of this town."""
    (code,) = Page("ask-another-system").blocks("python")
    said = run_python(code, town.folder, {ADDRESS: town.door(SITE)})
    return json.loads(said.replace("'", '"'))


def _told_by_curl(town: Town) -> Any:
    """Run the same with curl."""
    command = Page("ask-another-system").curl()
    return json.loads(run_shell(command, town.folder, {ADDRESS: town.door(SITE)}))


def _verify(town: Town) -> dict[str, Any]:
    done = command(
        "evidence", "verify", "--site", SITE, "--json", folder=town.folder, errors_apart=True
    )
    found: dict[str, Any] = json.loads(done.output)
    return found


def test_a_call_is_answered_recorded_and_stopped_with_its_approval(
    town: Town, system: tuple[int, type[_Collection]]
) -> None:
    assert _ask(town) == (200, {"result": [{"payment_no": "17", "levied": 1200}]})
    assert system[1].asked == [
        {
            "path": "/api/v1/payments/search",
            "body": {"resident_no": "0000000001", "fiscal_year": "2026"},
        }
    ]
    assert _told_by_the_page(town) == {"result": [{"payment_no": "17", "levied": 1200}]}
    assert _told_by_curl(town) == {"result": [{"payment_no": "17", "levied": 1200}]}
    status, problem = _ask(town, system="finance")
    assert (status, problem["code"]) == (401, "call.system_unproven")

    assert _allowed(town) == [{"method": "POST", "path": "/payments/search"}]
    approval = town.folder / "approvals/arrears-payments.yaml"
    kept = approval.read_bytes()
    approval.unlink()
    stopped = until("no more calls", lambda: _ask(town)[1].get("code"), 5)
    assert stopped == "call.link_not_ready"
    assert _allowed(town) == []
    asked = len(system[1].asked)
    assert _ask(town)[0] == 403
    assert len(system[1].asked) == asked
    approval.write_bytes(kept)
    until("calls again", lambda: _ask(town)[0] == 200 or None, 5)


def _allowed(town: Town) -> list[dict[str, str]]:
    """Return what arrears may ask of collection, as a GovStack client hears it."""
    place = "kumobashi/LG/999997"
    connection = http.client.HTTPConnection("127.0.0.1", town.ports[SITE], timeout=10)
    with contextlib.closing(connection):
        said = {"X-GovStack-Client": f"{place}/arrears"}
        connection.request("GET", f"/r1/{place}/collection/allowedMethods", headers=said)
        services = json.loads(connection.getresponse().read())["member"]
    return [one for service in services for one in service["endpointList"]["member"]]


def test_what_was_recorded_outlives_a_kill_and_is_proven(
    town: Town, system: tuple[int, type[_Collection]]
) -> None:
    for _ in range(5):
        assert _ask(town)[0] == 200
    system[1].hold.clear()
    cut_off: list[bool] = []

    def ask() -> None:
        with pytest.raises((ConnectionError, urllib.error.URLError, http.client.HTTPException)):
            _ask(town)
        cut_off.append(True)

    waiting = threading.Thread(target=ask)
    waiting.start()
    until("the system is asked", lambda: len(system[1].asked) == 6 or None, 10)
    town.running[SITE].kill()
    waiting.join()
    assert cut_off
    system[1].hold.set()
    town.start(SITE)
    until("calls again", lambda: _ask(town)[0] == 200 or None, 20)

    def entered() -> dict[str, Any] | None:
        calls = _verify(town).get("calls", {"records": 0})  # nothing is signed at first
        # Five whole calls have four records each, of the one that was cut off there are two.
        return calls if calls["records"] >= 5 * 4 + 2 and calls["waiting"] == 0 else None

    found = until("everything is entered", entered, 20)
    assert found["touched"] is None
    folder = town.folder / "var" / SITE / "calls"
    file = next(path for path in sorted(folder.iterdir()) if ".open" not in path.name)
    data = file.read_bytes()
    file.write_bytes(data.replace(b'"side":"asker"', b'"side":"other"', 1))
    touched = _verify(town)
    assert touched["calls"]["touched"]["code"] == "call.journal_touched"


def test_strangers_with_slow_and_broken_lines_keep_no_call_waiting(town: Town) -> None:
    port = int(town.door(SITE).rpartition(":")[2])
    head = b"POST /peer/v1/calls HTTP/1.1\r\nhost: here\r\n"
    slow = [
        head,  # the head never ends
        head + b"content-length: 1000\r\n\r\nab",  # nor does the body
        head + b"transfer-encoding: chunked\r\n\r\nffff\r\nab",
    ]
    with contextlib.ExitStack() as held:
        for number in range(300):
            line = held.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
            line.sendall(slow[number % len(slow)])
        asked = [_ask(town)[0] for _ in range(20)]
    assert asked == [200] * 20

    told = {
        what: _answered(port, sent, hang_up=what == "cut short")
        for what, sent in {
            "no HTTP": b"\x16\x03\x01\x02\x00\x01",
            "two lengths": head + b"content-length: 1\r\ncontent-length: 2\r\n\r\nab",
            "both lengths": head
            + b"content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
            "large head": head + b"x: " + b"y" * 2_000_000 + b"\r\n\r\n",
            "large field": head + b"x: " + b"y" * 70_000 + b"\r\ncontent-length: 0\r\n\r\n",
            "no header": head + b"content-length: 0\r\n\r\n",
            "cut short": head + b"content-length: 9\r\n\r\nabc",
        }.items()
    }
    malformed = (400, "service.request_malformed")
    assert told == {
        "no HTTP": malformed,
        "two lengths": malformed,
        "both lengths": malformed,
        "large head": (431, "service.head_too_large"),
        "large field": (400, "call.header_unreadable"),
        "no header": (401, "crypto.signature_missing"),
        "cut short": None,  # it hung up; nobody is told
    }


def test_of_what_strangers_send_the_disk_keeps_only_so_much(town: Town) -> None:
    line = http.client.HTTPConnection(town.door(SITE).removeprefix("http://"), timeout=10)
    for _ in range(200):
        line.request("POST", "/peer/v1/calls", body=b"")
        line.getresponse().read()
    line.close()

    assert _ask(town)[0] == 200
    town.running[SITE].stop()
    files = (town.folder / "var" / SITE / "calls").glob("*.jsonl")
    records = [json.loads(text) for file in files for text in file.read_bytes().splitlines()]
    refused = [one for one in records if one["event"] == "call.refused"]
    assert [one["more"] for one in refused if "more" in one] == [200 - EACH]
    assert len(refused) == EACH + 1


def _answered(port: int, sent: bytes, *, hang_up: bool) -> tuple[int, str] | None:
    """Send bytes and return status and code of what comes back."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
        said = b""
        with contextlib.suppress(ConnectionError):
            line.sendall(sent)
            if hang_up:
                line.shutdown(socket.SHUT_WR)
            while not said.endswith(b"}") and (piece := line.recv(1 << 16)):
                said += piece
    if not said:
        return None
    top, _, body = said.partition(b"\r\n\r\n")
    return int(top.split()[1]), json.loads(body)["code"]
