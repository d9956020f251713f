"""Calls through real gateways: asked, answered, recorded, provable, refused when the plan is."""

import contextlib
import http.client
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

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
