"""Let out of a large answer what the plan says, record by record, without holding it.

The same as ``showing`` for an answer that is not read as a whole. It is stricter in what it takes:
UTF-8 only, each member on the way to the records once, and no record above :data:`LARGEST_RECORD`.

>>> sieve = Sieve(Shown(at="/result", kept=frozenset({"amount"}), blanked=frozenset({"name"})))
>>> sieve.feed(b'{"debtors": ["A"], "result": [{"name": "A", "amo')
b'{"result":['
>>> sieve.feed(b'unt": 5, "memo": "x"}, {"amount": 6') + sieve.feed(b"}]}")
b'{"name":null,"amount":5},{"amount":6}]}'
>>> sieve.finish()
b''
"""

import codecs
import json
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import aclosing
from typing import Any, Final

from kumobashi.calls.errors import ServiceUnfit
from kumobashi.calls.showing import EVERY, Shown, exact, refuse, shown_record, written
from kumobashi.calls.streams import Pieces

LARGEST_RECORD: Final = 1 << 20  # characters, of whatever has to be read as one
_SPACE: Final = " \t\n\r"
_DECODE: Final = json.JSONDecoder(parse_float=exact, parse_constant=refuse).raw_decode
_Steps = Generator[None, None, None]


async def sift(pieces: Pieces, shown: Shown, *, service: str) -> AsyncGenerator[bytes, None]:
    """Give of a JSON text what ``shown`` lets leave, as it comes; pieces may be empty.

    Raises:
        ServiceUnfit: it cannot be read as JSON, or has no records where they should lie. What was
            given until then is no whole JSON text.
    """
    sieve = Sieve(shown)
    try:
        async with aclosing(pieces):
            async for piece in pieces:
                yield sieve.feed(piece)
        yield sieve.finish()
    except (ValueError, RecursionError):
        where = shown.at or "/"
        raise ServiceUnfit(service=service, reason=f"no JSON with records at {where}") from None


class Sieve:
    """Takes a JSON text in pieces of any size; raises ``ValueError`` for what it does not take."""

    def __init__(self, shown: Shown) -> None:
        self._shown = shown
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._text = ""
        self._at = 0
        self._is_all = False
        self._out: list[str] = []
        self._is_over = False
        self._steps = self._document()
        next(self._steps)

    def feed(self, piece: bytes) -> bytes:
        """Take the next piece and return what may leave by it."""
        return self._take(self._decoder.decode(piece))

    def finish(self) -> bytes:
        """Say that this was all, and return what is left."""
        self._is_all = True
        left = self._take(self._decoder.decode(b"", final=True))
        if not self._is_over:
            raise ValueError
        return left

    def _take(self, text: str) -> bytes:
        self._text = self._text[self._at :] + text
        self._at = 0
        next(self._steps, None)
        out = "".join(self._out).encode()
        self._out.clear()
        return out

    def _document(self) -> _Steps:
        yield
        yield from self._way(self._shown.steps)
        while not self._is_all or self._text[self._at :].strip(_SPACE):
            if self._text[self._at :].strip(_SPACE):
                raise ValueError
            self._at = len(self._text)
            yield
        self._is_over = True

    def _way(self, steps: Sequence[str]) -> _Steps:
        """Go on to the records, letting nothing out that lies beside the way."""
        start = yield from self._mark()
        if not steps:
            if start == "[":
                yield from self._each(self._record)
            else:
                yield from self._record(or_nothing=True)
        elif start == "[" and steps[0] == EVERY:
            yield from self._each(self._way, steps[1:])
        elif start == "{":
            yield from self._member(steps[0], steps[1:])
        else:
            raise ValueError

    def _each(self, one: Any, *about: Any) -> _Steps:  # noqa: ANN401 - a step and what it takes
        """Let out a list, every place of it as ``one`` does."""
        self._at += 1
        self._out.append("[")
        mark = yield from self._mark()
        if mark == "]":
            self._at += 1
            self._out.append("]")
            return
        while True:
            yield from one(*about)
            mark = yield from self._mark()
            self._at += 1
            self._out.append(mark)
            if mark == "]":
                return
            if mark != ",":
                raise ValueError

    def _member(self, name: str, rest: Sequence[str]) -> _Steps:
        """Let out of an object the member ``name`` and no other."""
        self._at += 1
        self._out.append("{")
        is_found = False
        mark = yield from self._mark()
        while mark != "}":
            said = yield from self._value()
            colon = yield from self._mark()
            if not isinstance(said, str) or colon != ":":
                raise ValueError
            self._at += 1
            if said != name:
                yield from self._value()
            elif is_found:
                raise ValueError
            else:
                is_found = True
                self._out.append(f"{written(name)}:")
                yield from self._way(rest)
            mark = yield from self._mark()
            if mark == ",":
                self._at += 1
                if (yield from self._mark()) != '"':
                    raise ValueError
            elif mark != "}":
                raise ValueError
        self._at += 1
        self._out.append("}")

    def _record(self, *, or_nothing: bool = False) -> _Steps:
        value = yield from self._value()
        if value is None and or_nothing:
            self._out.append("null")
        else:
            self._out.append(written(shown_record(value, self._shown)))

    def _mark(self) -> Generator[None, None, str]:
        """Return the next character that is no white space, and stay before it."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in _SPACE:
                self._at += 1
            if self._at < len(self._text):
                return self._text[self._at]
            if self._is_all:
                raise ValueError
            yield

    def _value(self) -> Generator[None, None, Any]:
        """Return the next value; a number at the end of what is there might go on."""
        yield from self._mark()
        while True:
            try:
                value, end = _DECODE(self._text, self._at)
            except json.JSONDecodeError:
                if self._is_all or len(self._text) - self._at > LARGEST_RECORD:
                    raise
            else:
                if end < len(self._text) or self._is_all:
                    self._at = end
                    return value
            yield
