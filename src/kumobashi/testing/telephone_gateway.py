"""A telephone gateway on this machine, with its lines, its limits and its faults.

It places a call for whoever has the token, a few at a time; what the person called does is written
beside her number. The same id is the same call. What came of a call is told to who asks, and if a
callback is named, said there, signed and as often as is wished.
"""

import json
import threading
import time
import urllib.request
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Final, Self

from kumobashi.monitoring.channels.ports import Outcome
from kumobashi.monitoring.channels.signing import HEADER, signed

TOKEN: Final = "a token of the gateway"  # noqa: S105 - opens nothing
SECRET: Final = b"a secret of the gateway"
CALLS: Final = "/v1/calls"
_TAKEN, _UNKNOWN, _UNFIT, _LET_NOT_IN, _NO_LINE = 202, 404, 422, 401, 429
_LONGEST_TEXT = 300


@dataclass(slots=True, kw_only=True)
class Call:
    """One call."""

    id: str
    reference: str
    to: str = field(repr=False)
    text: str
    state: Outcome = Outcome.RINGING


class TelephoneGateway:
    """Runs in a thread; ``calls`` are those that it placed, in order."""

    def __init__(self, *, lines: int = 2, rings_seconds: float = 0.05) -> None:
        self.calls: list[Call] = []
        self.asked: list[str] = []  # the addresses of the web that were asked for
        self.people: dict[str, deque[Outcome]] = {}  # what they do, one call after another
        self.otherwise = Outcome.NO_ANSWER
        self.answers: deque[int] = deque()  # said instead of placing a call
        self.slow_seconds = 0.0
        self.hangs_up_after_taking = False
        self.callback: str | None = None
        self.callbacks = 1  # how often it says the same
        self._lines = lines
        self._rings = rings_seconds
        self._lock = threading.Lock()
        self._timers: list[threading.Timer] = []
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                gateway.asked.append(self.requestline)
                code, said = gateway._place(body, self.headers.get("Authorization", ""))
                time.sleep(gateway.slow_seconds)
                if gateway.hangs_up_after_taking:
                    self.close_connection = True
                    return
                self._say(code, said)

            def do_GET(self) -> None:
                gateway.asked.append(self.requestline)
                reference = self.path.removeprefix(f"{CALLS}/")
                found = next((one for one in gateway.calls if one.reference == reference), None)
                self._say(200 if found else _UNKNOWN, {"state": found.state} if found else {})

            def _say(self, code: int, said: dict[str, str]) -> None:
                body = json.dumps(said).encode("ascii")
                self.send_response_only(code)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_said: object) -> None:
                """Write nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def url(self) -> str:
        """Where calls are asked for."""
        return f"http://127.0.0.1:{self._server.server_address[1]}{CALLS}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for timer in self._timers:
            timer.join()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _place(self, body: bytes, authorization: str) -> tuple[int, dict[str, str]]:
        if authorization != f"Bearer {TOKEN}":
            return _LET_NOT_IN, {}
        said = json.loads(body)
        with self._lock:
            known = next((one for one in self.calls if one.id == said["id"]), None)
            if known:
                return _TAKEN, {"call": known.reference}
            if self.answers:
                return self.answers.popleft(), {}
            if len(said["text"]) > _LONGEST_TEXT or not said["to"].isdigit():
                return _UNFIT, {}
            if sum(one.state is Outcome.RINGING for one in self.calls) >= self._lines:
                return _NO_LINE, {}
            reference = f"call-{len(self.calls) + 1}"
            call = Call(id=said["id"], reference=reference, to=said["to"], text=said["text"])
            self.calls.append(call)
            timer = threading.Timer(self._rings, self._end, [call])
            self._timers.append(timer)
        timer.start()
        return _TAKEN, {"call": call.reference}

    def _end(self, call: Call) -> None:
        with self._lock:
            does = self.people.get(call.to)
            call.state = does.popleft() if does else self.otherwise
        if self.callback is None:
            return
        body = json.dumps({"call": call.reference, "state": call.state}).encode("ascii")
        for _ in range(self.callbacks):
            asked = urllib.request.Request(  # noqa: S310 - an address of the test's own
                self.callback, body, {HEADER: signed(body, SECRET, int(time.time()))}
            )
            with suppress(OSError), urllib.request.urlopen(asked, timeout=5):  # noqa: S310
                pass
