"""The answering side of an interconnection test: says what came, and signs what it saw."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final
from urllib.parse import urlsplit

from kumobashi import __version__
from kumobashi.calls.binary_http import Answer, Request
from kumobashi.calls.errors import Side
from kumobashi.calls.header import CallHeader
from kumobashi.calls.interconnection import record as records
from kumobashi.calls.interconnection.errors import ProbeUnfit
from kumobashi.calls.interconnection.probes import (
    BULK,
    Probe,
    answer,
    code_points,
    said,
    wished_size,
)
from kumobashi.calls.permission_errors import PlanDiffers
from kumobashi.calls.permits import CallLink, Permits, not_ready
from kumobashi.calls.streams import PIECE, WHOLE
from kumobashi.calls.taking import Taken
from kumobashi.calls.wire import LARGEST_ANSWER
from kumobashi.crypto.keys import SigningKey
from kumobashi.kernel import Clock, KumobashiError, to_wire

_TESTS: Final = 50  # kept at once; the oldest is forgotten
_CALLS: Final = 100  # of one test
_CONNECT_SECONDS: Final = 3.0


@dataclass
class TestAnswers:
    """Answers the probes of other gateways; belongs to one event loop."""

    __test__ = False  # pytest must not take it for one

    site: str
    key: SigningKey = field(repr=False)
    clock: Clock
    permits: Permits
    _seen: OrderedDict[str, dict[str, str]] = field(default_factory=OrderedDict)

    async def answer(self, kind: Probe, taken: Taken, request: Request) -> Answer:
        """Answer one probe; its record is in the journal already.

        Raises:
            ProbeUnfit: it asks for what a test has not.
            PlanDiffers, LinkNotReady: this side does not go by the plan that the other goes by.
        """
        header = taken.header
        link = await self._link(header)
        calls = self._calls(header.correlation)
        calls[header.call] = taken.proof.digest
        if kind is Probe.HELLO:
            return answer(self._hello(link, taken))
        if kind is Probe.SIZE:
            return _sized(request, link.largest_answer_bytes)
        if kind is Probe.CHARACTERS:
            return answer({"points": _points(said(request))})
        if kind is Probe.SYSTEM:
            return answer(await self._system(header))
        if kind is Probe.RECEIPTS:
            return answer({"missing": _missing(said(request), calls)})
        return answer(self._sign(said(request), header, link, calls))

    async def _link(self, header: CallHeader) -> CallLink:
        """Return the link as this side has it; whoever tests one must go by the same plan."""
        try:
            link = await asyncio.to_thread(self.permits.tested, header.link)
        except KumobashiError as error:
            raise not_ready(header.link, error, Side.ANSWERING_GATEWAY) from None
        theirs = (header.asker, header.answerer, header.service, header.plan, header.agreement)
        if theirs != (link.asker, link.answerer, link.service, link.plan, link.agreement):
            raise PlanDiffers(link=header.link)
        return link

    def _calls(self, test: str) -> dict[str, str]:
        calls = self._seen.setdefault(test, {})
        if len(calls) >= _CALLS:
            raise ProbeUnfit(reason="more than a test asks")
        while len(self._seen) > _TESTS:
            self._seen.popitem(last=False)
        return calls

    def _hello(self, link: CallLink, taken: Taken) -> dict[str, object]:
        return {
            "site": self.site,
            "at": to_wire(self.clock.now()),
            "version": __version__,
            "plan": link.plan,
            "relay": taken.relay,
        }

    async def _system(self, header: CallHeader) -> dict[str, object]:
        """Say whether a connection to the system can be opened; nothing is sent to it."""
        if header.service == BULK:
            return {"found": "none"}
        found: dict[str, object] = {}
        for name, is_test in (("real", False), ("test", True)):
            base = self.permits.backend(header.answerer, header.service, is_test=is_test)
            found[name] = await _reached(base) if base else "none"
        return found

    def _sign(
        self, wish: dict[str, Any], header: CallHeader, link: CallLink, calls: dict[str, str]
    ) -> dict[str, object]:
        record = wish.get("record")
        if not isinstance(record, dict):
            raise ProbeUnfit(reason="record")
        mine = {
            "test": header.correlation,
            "tenant": header.tenant,
            "link": link.link,
            "plan": link.plan,
            "asker": link.asker,
            "answerer": link.answerer,
            "asking_site": header.asking_site,
            "answering_site": self.site,
        }
        if wrong := [name for name, value in mine.items() if record.get(name) != value]:
            raise ProbeUnfit(reason=f"record: {', '.join(wrong)}")
        if missing := _missing(record, calls):
            raise ProbeUnfit(reason=f"record: {len(missing)} calls that never came")
        return {"signature": records.sign(record, self.key)}


def _sized(request: Request, most: int) -> Answer:
    """Return an answer of the size that is asked for, a large one as a system would give it."""
    size = wished_size(request, min(most, LARGEST_ANSWER))
    seen = f"{len(request.body)}:{sha256(request.body).hexdigest()}:".encode()
    filling, left = request.body[:1].ljust(1), max(0, size - len(seen))
    if size <= WHOLE:
        return Answer(status=200, body=seen + filling * left)
    return Answer(status=200, body=seen, rest=_filling(filling * PIECE, left))


async def _filling(piece: bytes, left: int) -> AsyncGenerator[bytes, None]:
    while left > 0:
        yield piece[:left]
        left -= len(piece)


def _points(wish: dict[str, Any]) -> dict[str, list[str]]:
    texts = wish.get("texts")
    if not isinstance(texts, dict):
        raise ProbeUnfit(reason="texts")
    return {str(name): code_points(str(text)) for name, text in texts.items()}


def _missing(wish: dict[str, Any], calls: dict[str, str]) -> list[str]:
    named = wish.get("calls")
    if not isinstance(named, dict) or not named:
        raise ProbeUnfit(reason="calls")
    return [str(call) for call, digest in named.items() if calls.get(str(call)) != digest]


async def _reached(base: str, now: Callable[[], float] = time.monotonic) -> str:
    parts, begun = urlsplit(base), now()
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            _, writer = await asyncio.open_connection(parts.hostname, port)
    except ConnectionRefusedError:
        return "refused"
    except OSError:  # a timeout is one
        return "dropped" if now() - begun >= _CONNECT_SECONDS else "unreachable"
    writer.close()
    return "open"
