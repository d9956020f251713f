r"""A request or an answer as bytes: Binary HTTP with known length (RFC 9292).

Only what systems say to each other is in it; what gateways say to each other stands in the fields
outside. One message has one form: no informational answers, no trailers but an empty section.

>>> asked = Request(method="GET", path="/payments/17?year=2026", headers=(("accept", "a/b"),))
>>> Request.decode(asked.encode()) == asked
True
>>> answered = Answer(status=200, headers=(("content-type", "text/plain"),), body="済".encode())
>>> Answer.decode(answered.encode()) == answered
True
>>> Answer.decode(answered.encode()[:-3])
Traceback (most recent call last):
kumobashi.calls.errors.MessageMalformed: call.message_malformed: ...
"""

import re
from dataclasses import dataclass, field

from kumobashi.calls.errors import MessageMalformed
from kumobashi.calls.streams import Pieces

Headers = tuple[tuple[str, str], ...]
LARGEST_HEAD = 64 * 1024  # bytes of all fields of a message
MOST_FIELDS = 100
_REQUEST, _ANSWER = 0, 1  # framing indicators: known length
_METHOD = re.compile(r"[A-Z]{1,20}")
_PATH = re.compile(r"/[!-~]{0,8191}")
_NAME = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]{1,100}")
_VALUE = re.compile(r"[\t -~\x80-\xff]{0,8192}")
_SMALLEST_FINAL, _LARGEST_STATUS = 200, 599


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a system asks of a service."""

    method: str
    path: str  # with the query, below the version of the service
    headers: Headers = ()
    body: bytes = b""

    def encode(self) -> bytes:
        """Return the message; scheme and authority stay empty, gateways know where it goes."""
        method, path = self.method.encode("ascii"), self.path.encode("ascii")
        return b"".join(
            (
                b"\x00",
                _number(len(method)),
                method,
                b"\x00\x00",
                _number(len(path)),
                path,
                _fields(self.headers),
                _number(len(self.body)),
                self.body,
                b"\x00",
            )
        )

    @classmethod
    def decode(cls, data: bytes) -> "Request":
        """Read a message; raise :class:`MessageMalformed`."""
        reader = _Reader(data)
        if reader.number() != _REQUEST:
            raise MessageMalformed(reason="no request of known length")
        method, scheme, authority, path = (reader.text() for _ in range(4))
        if not _METHOD.fullmatch(method) or scheme or authority or not _PATH.fullmatch(path):
            raise MessageMalformed(reason="method or path")
        headers, body = reader.rest()
        return cls(method=method, path=path, headers=headers, body=body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a service answers; of a large one, ``rest`` is what follows the body."""

    status: int
    headers: Headers = ()
    body: bytes = b""
    rest: Pieces | None = field(default=None, compare=False)

    def encode(self) -> bytes:
        """Return the message; of a large answer there is none."""
        assert self.rest is None, "it goes in parts"  # noqa: S101 - for the checker
        return b"".join(
            (
                b"\x01",
                _number(self.status),
                _fields(self.headers),
                _number(len(self.body)),
                self.body,
                b"\x00",
            )
        )

    @classmethod
    def decode(cls, data: bytes) -> "Answer":
        """Read a message; raise :class:`MessageMalformed`."""
        reader = _Reader(data)
        if reader.number() != _ANSWER:
            raise MessageMalformed(reason="no answer of known length")
        status = reader.number()
        if not _SMALLEST_FINAL <= status <= _LARGEST_STATUS:
            raise MessageMalformed(reason="status")
        headers, body = reader.rest()
        return cls(status=status, headers=headers, body=body)


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def number(self) -> int:
        """Read a variable-length integer in its shortest form (RFC 9000, section 16)."""
        data, at = self._data, self._at
        if at >= len(data):
            raise MessageMalformed(reason="cut off")
        size = 1 << (data[at] >> 6)
        value = int.from_bytes(data[at : at + size], "big") & ((1 << (8 * size - 2)) - 1)
        if at + size > len(data) or len(_number(value)) != size:
            raise MessageMalformed(reason="a number")
        self._at = at + size
        return value

    def piece(self) -> bytes:
        size = self.number()
        end = self._at + size
        if end > len(self._data):
            raise MessageMalformed(reason="cut off")
        found = self._data[self._at : end]
        self._at = end
        return found

    def text(self) -> str:
        return self.piece().decode("latin-1")

    def rest(self) -> tuple[Headers, bytes]:
        section = _Reader(self.piece())
        if len(section._data) > LARGEST_HEAD:
            raise MessageMalformed(reason="too many header fields")
        headers: list[tuple[str, str]] = []
        while not section.is_over:
            name, value = section.text(), section.text()
            if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
                raise MessageMalformed(reason="a header field")
            headers.append((name, value))
            if len(headers) > MOST_FIELDS:
                raise MessageMalformed(reason="too many header fields")
        body = self.piece()
        if self._data[self._at :].strip(b"\x00"):
            raise MessageMalformed(reason="more than one message")
        return tuple(headers), body

    @property
    def is_over(self) -> bool:
        return self._at >= len(self._data)


def _number(value: int) -> bytes:
    if value < 1 << 6:
        return bytes((value,))
    if value < 1 << 14:
        return (value | 1 << 14).to_bytes(2, "big")
    if value < 1 << 30:
        return (value | 2 << 30).to_bytes(4, "big")
    return (value | 3 << 62).to_bytes(8, "big")


def _fields(headers: Headers) -> bytes:
    pieces = []
    for name, value in headers:
        for text in (name, value):
            held = text.encode("latin-1")
            pieces += [_number(len(held)), held]
    section = b"".join(pieces)
    return _number(len(section)) + section
