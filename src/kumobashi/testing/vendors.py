"""The systems of three vendors, as their programs are: 収納, 滞納 and 財務会計, on loopback.

None of them knows of gateways beyond its own, of clouds, or of moves. What they hold is fictional.
"""

import contextlib
import http.client
import json
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

Json = dict[str, Any]
PAYEE = "カクウ ハナコ"
OTHERS = ("架空 滞納太郎", "TAXPAYER-0042", "滞納の事情")  # of whoever is no payee of a refund
_MANY = 1000


class VendorSystem(BaseHTTPRequestHandler, ABC):
    """One vendor's program: it writes down what it is asked, and answers."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    asked: ClassVar[list[tuple[str, Json]]]

    def do_GET(self) -> None:
        """Answer."""
        self._answer()

    def do_POST(self) -> None:
        """Answer."""
        self._answer()

    @abstractmethod
    def says(self, given: Json) -> tuple[int, Json]:
        """Return status and answer."""

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

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Collection(VendorSystem):
    """収納管理: it says more than anybody asked for, as systems do after their next release."""

    def says(self, _given: Json) -> tuple[int, Json]:
        """Return one payment or one refund, and what nobody should see of it."""
        refund = {
            "refund_no": "R-1", "resident_no": OTHERS[1], "tax_item": "市民税",
            "reason": OTHERS[2], "payee_name": PAYEE, "bank_code": "0000001",
            "account_no": "1234567", "amount": 1500, "budget_item": "01-01", "memo": OTHERS[0],
        }  # fmt: skip
        payment = {"payment_no": "17", "levied": 5000, "paid": 0, "debtor": OTHERS[0]}
        records = refund if "refunds" in self.path else payment
        return 200, {"result": [records], "debtors": [{"name": OTHERS[0]}]}


class Finance(VendorSystem):
    """財務会計, at one of two vendors."""

    def says(self, given: Json) -> tuple[int, Json]:
        """Return the slip."""
        time.sleep(0.01)
        return 201, {"result": {"posting_no": str(len(self.asked)), **given}}


@dataclass(frozen=True)
class Running:
    """A program that listens."""

    port: int
    asked: list[tuple[str, Json]]


@contextmanager
def running(kind: type[VendorSystem], port: int = 0) -> Iterator[Running]:
    """Run a vendor's program on a port, or on a free one."""
    asked: list[tuple[str, Json]] = []
    handler = type(kind.__name__, (kind,), {"asked": asked})
    with _Server(("127.0.0.1", port), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield Running(server.server_address[1], asked)
        finally:
            server.shutdown()
            thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64


@dataclass(frozen=True)
class Door:
    """Where a system asks: the gateway of its own site, with its token."""

    port: int
    system: str
    token: str

    @classmethod
    def of(cls, workspace: Path, site: str, port: int, system: str) -> "Door":
        """Return the door of a system whose token lies in a workspace."""
        token = (workspace / f"private/{site}/systems/{system}.token").read_text("ascii").strip()
        return cls(port, system, token)

    def ask(
        self, method: str, path: str, body: Json | list[Json] | None = None
    ) -> tuple[int, Json]:
        """Ask ``/call/<path>`` and return status and answer."""
        status, _, said = self.send(method, path, body, {})
        return status, said

    def send(
        self,
        method: str,
        path: str,
        body: Json | list[Json] | None,
        more: Mapping[str, str],
    ) -> tuple[int, dict[str, str], Json]:
        """Ask with ``more`` headers; return status, headers in lower case, and answer."""
        headers = {"authorization": f"Bearer {self.token}", "kumobashi-system": self.system}
        headers |= {"content-type": "application/json"} | dict(more)
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=40)
        with contextlib.closing(connection):
            text = json.dumps(body).encode() if body is not None else None
            connection.request(method, f"/call/{path}", text, headers)
            answer = connection.getresponse()
            told = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, told, json.loads(answer.read())


def total(number: int) -> Json:
    """Return what arrears gives to finance of a budget item; ``number`` tells one from another."""
    item = f"N{number}"
    return {"business_date": "2026-11-20", "budget_item": item, "received": number, "refunded": 0}


def payee(number: int) -> Json:
    """Return what arrears gives to finance of a refund."""
    account = {"payee_name": PAYEE, "bank_code": "0000001", "account_no": "1234567"}
    return account | {"amount": number, "budget_item": f"N{number}"}


@dataclass(frozen=True)
class Posted:
    """What became of one posting."""

    number: int
    status: int
    said: Json
    seconds: float


class Arrears(threading.Thread):
    """滞納管理: it asks collection, posts to finance, and goes on as if nothing ever moved."""

    def __init__(self, door: Door, first: int, stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self.posted: list[Posted] = []
        self.payments: list[tuple[int, Json]] = []
        self._door, self._first, self._over = door, first * _MANY * _MANY, stop

    def run(self) -> None:
        """Ask and post until somebody says stop."""
        number = self._first
        kinds: list[tuple[str, Callable[[int], Json]]] = [("totals", total), ("payees", payee)]
        paid = {"resident_no": "0000000001", "fiscal_year": "2026"}
        while not self._over.is_set():
            number += 1
            what, made = kinds[number % 2]
            begun = time.monotonic()
            status, said = self._door.ask("POST", f"finance/postings/v1/{what}", made(number))
            self.posted.append(Posted(number, status, said, time.monotonic() - begun))
            path = "collection/payments/v1/payments/search"
            self.payments.append(self._door.ask("POST", path, paid))
