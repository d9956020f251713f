"""A gateway for short messages (SMS) of the Japanese kind, on this machine, with its faults.

It takes forms over HTTP, counts characters, knows numbers that lead nowhere, lets only so many
messages through in a second, and tells by the sender's id what became of one. Result codes beside
585 (no text) are assumed: tables of them are not public.
"""

import json
import ssl
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Final, Self
from urllib.parse import parse_qs

from kumobashi.consent.channels.sms import fits

NO_SUCH_NUMBER: Final = "09000000002"
OUT_OF_REACH: Final = "09000000003"  # taken, and undelivered
SWITCHED_OFF: Final = "09000000004"  # taken, and nobody knows yet
USER, PASSWORD = "kumobashi", "correct horse"
SEND, REPORTS = "/sms/api/", "/sms/report/"
_OK, _AUTH, _TOO_MANY, _NUMBER, _TOO_LONG, _NO_TEXT = 200, 401, 503, 560, 562, 585
_UNKNOWN_ID: Final = 404


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortMessage:
    """What a handset shows."""

    number: str
    text: str
    id: str


class SmsGateway:
    """Runs in a thread; ``messages`` are what handsets got, ``lines`` the addresses asked for."""

    def __init__(
        self,
        *,
        longest: int = 70,
        per_second: int | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.messages: list[ShortMessage] = []
        self.lines: list[str] = []
        self.answers: deque[int] = deque()  # said instead of taking a message, one after another
        self.slow_seconds = 0.0  # before an answer, behind taking the message
        self.hangs_up_after_taking = False
        self.brings_twice = False
        self.remembers = True  # what became of messages; real ones forget after 48 hours
        self._longest = longest
        self._per_second = per_second
        self._reports: dict[str, str] = {}
        self._taken: deque[float] = deque()
        self._lock = threading.Lock()
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                gateway.lines.append(self.requestline)
                said = parse_qs(
                    self.rfile.read(int(self.headers["Content-Length"])).decode("ascii"),
                    keep_blank_values=True,
                )
                form = {name: values[0] for name, values in said.items()}
                code, body = gateway._answer(self.path, form)
                time.sleep(gateway.slow_seconds)
                if gateway.hangs_up_after_taking:
                    self.close_connection = True
                    return
                self.send_response_only(code)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_said: object) -> None:
                """Write nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _answer(self, path: str, form: Mapping[str, str]) -> tuple[int, bytes]:
        if (form.get("username"), form.get("password")) != (USER, PASSWORD):
            return _AUTH, b""
        if path == REPORTS:
            status = self._reports.get(form.get("smsid", "")) if self.remembers else None
            if status is None:
                return _UNKNOWN_ID, b""
            return _OK, json.dumps({"smsid": form["smsid"], "status": status}).encode("ascii")
        with self._lock:
            code = self.answers.popleft() if self.answers else self._judged(form)
            if code == _OK:
                self._take(form)
        return code, b""

    def _judged(self, form: Mapping[str, str]) -> int:
        number, text = form.get("mobilenumber", ""), form.get("smstext", "")
        is_number = len(number) == len(NO_SUCH_NUMBER) and number.isdigit()
        if not is_number or number == NO_SUCH_NUMBER:
            return _NUMBER
        if not text:
            return _NO_TEXT
        if not fits(text, longest=self._longest):
            return _TOO_LONG
        now = time.monotonic()
        while self._taken and self._taken[0] <= now - 1:
            self._taken.popleft()
        if self._per_second is not None and len(self._taken) >= self._per_second:
            return _TOO_MANY
        return _OK

    def _take(self, form: Mapping[str, str]) -> None:
        message = ShortMessage(
            number=form["mobilenumber"], text=form["smstext"], id=form.get("smsid", "")
        )
        if message.id in self._reports:  # the same once more: it was taken before
            return
        self._taken.append(time.monotonic())
        state = {OUT_OF_REACH: "undelivered", SWITCHED_OFF: "waiting"}
        self._reports[message.id] = state.get(message.number, "delivered")
        if message.number not in state:
            self.messages += [message] * (2 if self.brings_twice else 1)
