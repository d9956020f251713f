"""収納 → 滞納 → 財務会計: finance moves from vendor A to vendor B while everybody goes on asking.

Figure 5-3 of the reports. One line of the workspace changes, no other system notices, not one call
is lost or done twice, and finance sees totals and payees of refunds, and no other taxpayer.
"""

import contextlib
import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from kumobashi.planning.sample_vendors import VENDOR_PORTS, add_vendors
from kumobashi.service.call_tokens import make_token
from kumobashi.testing.city import build
from kumobashi.testing.commands import command
from kumobashi.testing.gateways import until
from kumobashi.testing.town import SITES, Town, free_ports

pytestmark = [pytest.mark.slow, pytest.mark.scenario]
HALL, A, B = "hall-core", "vendor-a", "vendor-b"
OTHERS = ("架空 滞納太郎", "TAXPAYER-0042", "滞納の事情")  # whoever is no payee of a refund
PAYEE = "カクウ ハナコ"
Json = dict[str, Any]


class _System(BaseHTTPRequestHandler):
    """A vendor's system: it knows nothing of gateways, clouds or moves."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    asked: ClassVar[list[tuple[str, Json]]]

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        given = json.loads(body) if body else {}
        self.asked.append((self.path, given))
        status, said = self.says(given)
        text = json.dumps(said, ensure_ascii=False).encode()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

    def says(self, given: Json) -> tuple[int, Json]:
        raise NotImplementedError

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Collection(_System):
    """収納管理: it says more than anybody asked for, as systems do after their next release."""

    asked: ClassVar[list[tuple[str, Json]]] = []

    def says(self, _given: Json) -> tuple[int, Json]:
        refund = {
            "refund_no": "R-1", "resident_no": OTHERS[1], "tax_item": "市民税",
            "reason": OTHERS[2], "payee_name": PAYEE, "bank_code": "0000001",
            "account_no": "1234567", "amount": 1500, "budget_item": "01-01", "memo": OTHERS[0],
        }  # fmt: skip
        payment = {"payment_no": "17", "levied": 5000, "paid": 0, "debtor": OTHERS[0]}
        records = refund if "refunds" in self.path else payment
        return 200, {"result": [records], "debtors": [{"name": OTHERS[0]}]}


class _Finance(_System):
    """財務会計 at one of the vendors."""

    def says(self, given: Json) -> tuple[int, Json]:
        time.sleep(0.01)
        return 201, {"result": {"posting_no": str(len(self.asked)), **given}}


class FinanceA(_Finance):
    asked: ClassVar[list[tuple[str, Json]]] = []


class FinanceB(_Finance):
    asked: ClassVar[list[tuple[str, Json]]] = []


def _serve(stack: ExitStack, handler: type[_System]) -> int:
    handler.asked.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    stack.callback(thread.join)
    stack.callback(server.server_close)
    stack.callback(server.shutdown)
    return server.server_address[1]


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with ExitStack() as stack:
        collection = _serve(stack, _Collection)
        accounts = {A: _serve(stack, FinanceA), B: _serve(stack, FinanceB)}
        ports = dict(zip(VENDOR_PORTS, free_ports(2), strict=True))

        def change(folder: Path) -> None:
            add_vendors(folder, ports=ports, accounts=accounts)
            file = folder / "systems/collection.yaml"
            text = file.read_text("utf-8").replace(":8751/", f":{collection}/")
            file.write_text(text, encoding="utf-8")

        city = stack.enter_context(build(60))
        town = stack.enter_context(Town.found(tmp_path / "city", city, change=change))
        town.ports |= ports
        for site, system in ((HALL, "arrears"), (A, "finance"), (B, "finance")):
            make_token(town.folder, site, system)
        started = [town.start(site, wait=False) for site in (*SITES[:3], A, B)]
        for process in started:
            process.wait_ready()
        until("finance is reached", lambda: _post(town, "totals", _total(0))[0] == 201 or None, 40)
        until("finance asks", lambda: _refunds(town, A)[0] == 200 or None, 40)
        for handler in (_Collection, FinanceA, FinanceB):
            handler.asked.clear()
        yield town


def _ask(
    town: Town,
    site: str,
    system: str,
    method: str,
    path: str,
    body: Json | list[Json] | None = None,
) -> tuple[int, Json]:
    token = (town.folder / f"private/{site}/systems/{system}.token").read_text("ascii").strip()
    headers = {"authorization": f"Bearer {token}", "kumobashi-system": system}
    connection = http.client.HTTPConnection("127.0.0.1", town.ports[site], timeout=40)
    with contextlib.closing(connection):
        text = json.dumps(body).encode() if body is not None else None
        connection.request(
            method, f"/call/{path}", text, headers | {"content-type": "application/json"}
        )
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())


def _post(town: Town, what: str, body: Json | list[Json]) -> tuple[int, Json]:
    return _ask(town, HALL, "arrears", "POST", f"finance/postings/v1/{what}", body)


def _refunds(town: Town, site: str) -> tuple[int, Json]:
    return _ask(town, site, "finance", "GET", "collection/accounts/v1/refunds/2026-11-20")


def _total(number: int) -> Json:
    return {
        "business_date": "2026-11-20",
        "budget_item": f"N{number}",
        "received": number,
        "refunded": 0,
    }


def _payee(number: int) -> Json:
    return {"payee_name": PAYEE, "bank_code": "0000001", "account_no": "1234567",
            "amount": number, "budget_item": f"N{number}"}  # fmt: skip


class _Arrears(threading.Thread):
    """滞納管理: it asks collection, posts to finance, and goes on as if nothing ever moved."""

    def __init__(self, town: Town, first: int, stop: threading.Event) -> None:
        super().__init__()
        self.town, self.number, self.stop = town, first, stop
        self.found: list[tuple[int, str, int, Json]] = []

    def run(self) -> None:
        while not self.stop.is_set():
            self.number += 10
            what = "totals" if self.number % 20 < 10 else "payees"
            body = _total(self.number) if what == "totals" else _payee(self.number)
            status, said = _post(self.town, what, body)
            self.found.append((self.number, what, status, said))
            paid = {"resident_no": "0000000001", "fiscal_year": "2026"}
            path = "collection/payments/v1/payments/search"
            status, said = _ask(self.town, HALL, "arrears", "POST", path, paid)
            assert (status, said) == (
                200,
                {"result": [{"payment_no": "17", "levied": 5000, "paid": 0}]},
            )


def test_finance_moves_to_another_vendor_and_nobody_notices(town: Town) -> None:
    stop = threading.Event()
    callers = [_Arrears(town, first, stop) for first in range(6)]
    for caller in callers:
        caller.start()
    until("vendor A is asked", lambda: len(FinanceA.asked) > 60 or None, 30)
    before = (town.folder / "systems/finance.yaml").read_text("utf-8")

    moved = command("system", "move", "finance", "--to", B, "--write", "--by", "試験",
                    folder=town.folder)  # fmt: skip

    assert moved.exit_code == 0, moved.output
    after = (town.folder / "systems/finance.yaml").read_text("utf-8")
    assert after == before.replace("site: vendor-a", "site: vendor-b")  # one line
    until("vendor B is asked", lambda: len(FinanceB.asked) > 60 or None, 30)
    stop.set()
    for caller in callers:
        caller.join(40)

    found = [one for caller in callers for one in caller.found]
    assert {status for _, _, status, _ in found} == {201}
    done = [int(given["budget_item"][1:]) for at in (FinanceA, FinanceB) for _, given in at.asked]
    assert sorted(done) == sorted(number for number, _, _, _ in found)  # each once, none lost
    for number, _, _, said in found:
        assert said["result"]["budget_item"] == f"N{number}"
    # Whoever moved asks from its new place, and no longer from its old one.
    until("finance asks from there", lambda: _refunds(town, B)[0] == 200 or None, 20)
    assert _refunds(town, A)[0] == 403

    town.running[A].kill()  # vendor A's contract is over
    assert _post(town, "totals", _total(7))[0] == 201
    asked = sum(1 for one in found) + 1

    def proven() -> bool | None:
        told = command("evidence", "verify", "--site", HALL, "--json", folder=town.folder)
        held = json.loads(told.output).get("calls", {"records": 0, "touched": None})
        assert held["touched"] is None
        return held["records"] >= 2 * asked or None

    until("the hall proves all of it", proven, 30)


def test_no_other_taxpayer_reaches_finance(town: Town) -> None:
    answered = _refunds(town, A)
    assert answered == (200, {"result": [{
        "refund_no": None, "resident_no": None, "tax_item": None, "reason": None,
        "payee_name": PAYEE, "bank_code": "0000001", "account_no": "1234567", "amount": 1500,
        "budget_item": "01-01",
    }]})  # fmt: skip

    careless: list[Json | list[Json]] = [
        _total(1) | {"debtor": OTHERS[0]},
        _total(1) | {"received": {"resident_no": OTHERS[1]}},
        [_payee(1), _payee(2) | {"reason": OTHERS[2]}],
    ]
    for given in careless:
        status, said = _post(town, "totals", given)
        assert (status, said["code"], said["side"]) == (403, "call.item_not_permitted", "asker")
    assert _post(town, "totals", _total(2))[0] == 201
    assert _post(town, "payees", _payee(3))[0] == 201

    assert [given for _, given in FinanceA.asked] == [_total(2), _payee(3)]
    assert FinanceB.asked == []
    for site in (A, B, *SITES[1:3]):  # nor the disks of the gateways there, nor of the relays
        for path in (town.folder / "var" / site).rglob("*"):
            held = path.read_bytes() if path.is_file() else b""
            for name in (*OTHERS, PAYEE):
                assert name.encode() not in held, path
                assert json.dumps(name).strip('"').encode() not in held, path
