"""Where other gateways fetch the calls that wait here for them, and bring the answers.

Both are signed like every request between gateways, and open to sites that the directory lets
connect here. A poll that is given up takes no call with it.
"""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from starlette.types import Receive, Scope, Send

from kumobashi.calls.bridging import After
from kumobashi.calls.errors import CallFailed, CallForeign, HeaderUnreadable
from kumobashi.calls.fetching import ANSWERS_PATH, POLL_SECONDS, STATUS_FIELD, WAITING_PATH
from kumobashi.calls.posting import Answered
from kumobashi.calls.signing import asked_signature, hop_signature
from kumobashi.calls.sites import CurrentSites
from kumobashi.calls.streams import WHOLE
from kumobashi.calls.waiting import Held, Waiting
from kumobashi.calls.wire import overhead, told_on
from kumobashi.crypto.canonical import digest
from kumobashi.crypto.errors import CryptoFailed
from kumobashi.crypto.http_signatures import (
    EMPTY_BODY,
    NonceMemory,
    claimed_site,
    content_digest_header,
    required,
    verify_request,
)
from kumobashi.kernel import Clock
from kumobashi.service.call_api import body_of, headers_of, refused, send_answer

_PIECE_OF: Final = re.compile(
    rf"(?P<call>[^/]{{1,64}})/(?P<number>[0-9]{{1,6}})/(?P<after>{'|'.join(After)})"
)
_LARGEST_PIECE: Final = 2 * WHOLE
_STATUS: Final = re.compile(r"[2-5][0-9]{2}")
_NOTHING, _TAKEN, _GONE = 204, 202, 410
_HOP = "kumo="


@dataclass(frozen=True, kw_only=True)
class WaitingCalls:
    """The door of the rooms where calls wait."""

    site: str
    waiting: Waiting
    sites: CurrentSites
    clock: Clock
    nonces: NonceMemory = field(default_factory=NonceMemory)

    def has(self, path: str) -> bool:
        """Whether this is the door for a path."""
        return path == WAITING_PATH or path.startswith(ANSWERS_PATH)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        try:
            fields = dict(headers_of(scope))
            if scope["path"] == WAITING_PATH:
                await self._give(fields, receive, send)
            else:
                status = await self._take(scope["path"], fields, receive)
                await send_answer(send, status, (), b"")
        except (CallFailed, CryptoFailed) as error:
            answered = refused(error)
            await send_answer(send, answered.status, answered.headers, answered.body)

    async def _give(self, fields: dict[str, str], receive: Receive, send: Send) -> None:
        caller = self._caller(fields, WAITING_PATH, fields, EMPTY_BODY)
        await body_of(receive, 0)
        gone = asyncio.ensure_future(receive())  # the next thing to hear is that it hung up
        asking = asyncio.ensure_future(self.waiting.fetch(caller, seconds=POLL_SECONDS))
        try:
            await asyncio.wait({gone, asking}, return_when=asyncio.FIRST_COMPLETED)
            if gone.done():
                asking.cancel()
                (held,) = await asyncio.gather(asking, return_exceptions=True)
                if isinstance(held, Held):
                    self.waiting.put_back(caller, held)
                return
            call = asking.result()
        finally:
            gone.cancel()
            asking.cancel()
        if call is None:
            await send_answer(send, _NOTHING, (), b"")
        else:
            await send_answer(send, 200, call.fields.items(), call.body)

    async def _take(self, path: str, fields: dict[str, str], receive: Receive) -> int:
        call, number, after = _named(path)
        hop = fields
        if not required(fields, "signature-input").startswith(_HOP):
            hop = dict(hop_signature(fields) or fields)
        caller = self._caller(fields, path, hop, None)
        largest = self.waiting.largest_answer(caller, call)
        if number is not None:
            largest = _LARGEST_PIECE
        if largest is None:
            return _GONE
        body = await body_of(receive, largest + overhead(largest))
        if required(fields, "content-digest") != content_digest_header(digest(body)):
            raise HeaderUnreadable(reason="content-digest")
        status = fields.get(STATUS_FIELD, "")
        if not _STATUS.fullmatch(status):
            raise HeaderUnreadable(reason=STATUS_FIELD)
        answered = Answered(status=int(status), headers=_as_it_came(fields), body=body)
        if number is not None:
            is_taken = await self.waiting.bring_piece(caller, call, number, answered, after)
            return _TAKEN if is_taken else _GONE
        return _TAKEN if self.waiting.bring(caller, call, answered) else _GONE

    def _caller(
        self, fields: Mapping[str, str], path: str, hop: Mapping[str, str], body: str | None
    ) -> str:
        """Return the site that asks, if it may connect here."""
        sites, caller = self.sites(), claimed_site(fields)
        verify_request(
            method="POST",
            target_uri=sites.entry(self.site).url + path,
            headers=hop,
            keys=sites.keys_of(caller),
            now=self.clock.now(),
            body_digest=body,
            nonces=self.nonces,
        )
        if not sites.may_open(caller, self.site):
            raise CallForeign(field="connects_to")
        return caller


def _named(path: str) -> tuple[str, int | None, After]:
    """Return call, number of a piece and what follows it; no number for a whole answer."""
    found = _PIECE_OF.fullmatch(path.removeprefix(ANSWERS_PATH))
    if found is None:
        return path.removeprefix(ANSWERS_PATH), None, After.END
    return found["call"], int(found["number"]), After(found["after"])


def _as_it_came(fields: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return the answer's own fields, without the signature of who brought it."""
    kept = dict(told_on(fields.items()))
    if fields["signature-input"].startswith(_HOP):  # a refusal, for which nobody signs
        for name in ("signature-input", "signature", "content-digest"):
            kept.pop(name, None)
    else:
        kept["signature-input"], kept["signature"] = asked_signature(fields)
    return tuple(kept.items())
