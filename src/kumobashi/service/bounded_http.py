"""What a connection may cost before anybody is known: time and memory are bounded.

uvicorn waits for the end of a request for as long as it takes, and keeps every field that comes. A
few hundred connections that say a byte now and then would hold a gateway's memory and descriptors.
So the head of a request has to be here within some seconds and some bytes, and a body must go on;
what does not is told so and closed. Routes bound the size of bodies themselves.
"""

import json
from asyncio import TimerHandle, Transport
from enum import Enum, auto
from http import HTTPStatus
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from kumobashi.kernel import KumobashiError
from kumobashi.service.errors import HeadTooLarge, RequestMalformed, RequestSlow

HEAD_SECONDS: Final = 20.0
LARGEST_HEAD: Final = 128 * 1024  # bytes; faces take less, and say so themselves
BODY_SECONDS: Final = 30.0  # within which a body that is waited for has to go on
_LEAST_BYTES: Final = 1024  # in that time
_LINGER_SECONDS: Final = 1.0


class _Reading(Enum):
    NOTHING = auto()
    HEAD = auto()
    BODY = auto()


class BoundedProtocol(HttpToolsProtocol):
    """HTTP of a gateway; one for each connection."""

    def __init__(self, *args: Any, **named: Any) -> None:  # noqa: ANN401 - those of uvicorn
        super().__init__(*args, **named)
        self._reading = _Reading.NOTHING
        self._bytes = 0  # of the head, or of the body since the timer was set
        self._timer: TimerHandle | None = None
        self._is_refused = False

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Wait for the first request, not for ever."""
        super().connection_made(transport)
        self._timer = self.loop.call_later(HEAD_SECONDS, self._late)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._let_go()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what comes, if it is not too much."""
        if self._is_refused:
            return
        super().data_received(data)
        self._bytes += len(data)
        if self._reading is _Reading.HEAD and self._bytes > LARGEST_HEAD:
            self._refuse(HeadTooLarge(limit=LARGEST_HEAD))

    def on_message_begin(self) -> None:
        """Begin to read a head."""
        super().on_message_begin()
        self._begin(_Reading.HEAD, HEAD_SECONDS)

    def on_headers_complete(self) -> None:
        """Begin to read a body."""
        self._begin(_Reading.BODY, BODY_SECONDS)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Have all of it."""
        self._let_go()
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - in English, and without a code
        """Tell what cannot be read as HTTP so, as everything else is told."""
        self._refuse(RequestMalformed())

    def _begin(self, what: _Reading, seconds: float) -> None:
        self._let_go()
        self._reading = what
        self._timer = self.loop.call_later(seconds, self._late)

    def _let_go(self) -> None:
        self._reading, self._bytes = _Reading.NOTHING, 0
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _late(self) -> None:
        """Close what did not come, or wait on for what comes slowly because we read slowly."""
        is_going_on = self._bytes >= _LEAST_BYTES or self.flow.read_paused
        if self._reading is _Reading.BODY and is_going_on:
            self._begin(_Reading.BODY, BODY_SECONDS)
        elif self._reading is _Reading.NOTHING:
            self.transport.close()  # nothing was asked
        else:
            self._refuse(RequestSlow())

    def _refuse(self, error: KumobashiError) -> None:
        """Say why, unless an answer has begun, and close soon."""
        self._let_go()
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None or cycle.response_complete or not cycle.response_started:
            body = json.dumps(error.problem(), ensure_ascii=False).encode()
            head = (
                f"HTTP/1.1 {error.status} {HTTPStatus(error.status).phrase}\r\n"
                f"content-type: application/problem+json\r\ncontent-length: {len(body)}\r\n"
                "connection: close\r\n\r\n"
            )
            self.transport.write(head.encode("ascii") + body)
        if cycle is not None and not cycle.response_complete:
            cycle.disconnected = True
            cycle.message_event.set()
        # Whoever still sends would lose the answer if this were closed at once (RFC 9112, 9.6).
        self._is_refused = True
        if self.transport.can_write_eof() and not self.transport.is_closing():
            self.transport.write_eof()
        self._timer = self.loop.call_later(_LINGER_SECONDS, self.transport.close)
