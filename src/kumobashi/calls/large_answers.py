"""A large answer at both ends: it leaves in parts, and comes out of them again.

Neither end holds more than some parts. The record of the answer is on the disk before the frame at
the end leaves, and before the last piece of the body is given to the system that asked: one that
broke off, or whose end is not as it should be, is never taken for a whole one.
"""

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Final

from kumobashi.calls.binary_http import Answer
from kumobashi.calls.enveloping import SEALED_TYPE, put_in, take_out
from kumobashi.calls.errors import (
    AnswerTooLarge,
    AnswerUntrusted,
    MessageMalformed,
    PeerSilent,
    ServiceSilent,
    ServiceUnfit,
)
from kumobashi.calls.header import CallHeader
from kumobashi.calls.here import Here
from kumobashi.calls.parts import PARTS_TYPE, End, PartsReader, PartsWriter
from kumobashi.calls.posting import Answered, NoAnswer
from kumobashi.calls.records import answered_record
from kumobashi.calls.relayed_refusals import refusal
from kumobashi.calls.relaying import about
from kumobashi.calls.showing import OK, Shown, still_true
from kumobashi.calls.sifting import sift
from kumobashi.calls.signing import Proof, check_answer, sign_answer
from kumobashi.calls.sites import Sites
from kumobashi.calls.streams import Pieces, TooLong, resized
from kumobashi.calls.taking import Taken
from kumobashi.calls.wire import CALL_TYPE, PROBLEM_TYPE
from kumobashi.crypto.canonical import digest
from kumobashi.crypto.errors import SealFailed
from kumobashi.kernel import KumobashiError

_PIECE_TYPE: Final = "application/octet-stream"


async def large(answer: Answer, shown: Shown | None, *, limit: int, service: str) -> Answer:
    """Return a large answer of a system with what of it leaves, in pieces that fit into parts.

    Raises:
        ServiceUnfit: it cannot be read, or is a refusal of such a size; so does reading on.
    """
    assert answer.rest is not None, "it is a large one"  # noqa: S101 - for the checker
    pieces: Pieces = _of_system(resized(answer.body, answer.rest), limit=limit, service=service)
    headers = answer.headers
    if shown is not None:
        if answer.status not in OK:
            await answer.rest.aclose()
            raise ServiceUnfit(service=service, reason="a refusal of more than a mebibyte")
        sifted = sift(pieces, shown, service=service)
        pieces, headers = resized(b"", sifted), still_true(headers)
    try:
        first = await anext(pieces, b"")
    except BaseException:
        await answer.rest.aclose()
        raise
    return replace(answer, headers=headers, body=first, rest=pieces)


async def _of_system(pieces: Pieces, *, limit: int, service: str) -> AsyncGenerator[bytes, None]:
    """Give the pieces; what breaks them off is the system's fault."""
    try:
        async with aclosing(pieces):
            async for piece in pieces:
                yield piece
    except NoAnswer as error:
        if error.is_late:
            raise ServiceSilent(service=service) from None
        raise ServiceUnfit(service=service, reason="broken off") from None
    except TooLong:
        raise AnswerTooLarge(limit=limit) from None


async def in_parts(
    here: Here, taken: Taken, answer: Answer, recipient: str | None
) -> AsyncGenerator[bytes, None]:
    """Give the frames of a large answer, the first of them at once.

    What fails in its pieces becomes the signed refusal at the end.
    """
    header, parts = taken.header, PartsWriter(taken.proof.digest, here.key)
    head = Answer(status=answer.status, headers=answer.headers)
    status, media_type, body = 200, PARTS_TYPE, b""
    assert answer.rest is not None, "it is a large one"  # noqa: S101 - for the checker
    try:
        async with aclosing(answer.rest) as pieces:
            yield parts.key() + parts.part(put_in(head.encode(), recipient)[1])
            if answer.body:
                yield parts.part(put_in(answer.body, recipient, content=_PIECE_TYPE)[1])
            async for piece in pieces:
                if piece:
                    yield parts.part(put_in(piece, recipient, content=_PIECE_TYPE)[1])
    except KumobashiError as error:
        status, media_type = error.status, PROBLEM_TYPE
        body = json.dumps(error.problem(), ensure_ascii=False).encode()
    now = here.clock.now()
    signed = sign_answer(
        header,
        taken.proof,
        status=status,
        body_digest=digest(body) if body else parts.digest,
        media_type=media_type,
        key=here.key,
        now=now,
    )
    await here.journal.record(answered_record("answerer", header, signed, status, now))
    yield parts.end(status, signed.fields, body)


@dataclass(frozen=True, kw_only=True)
class FromParts:
    """What comes back in parts, on its way to the system that asked."""

    here: Here
    header: CallHeader
    asked: Proof
    sites: Sites
    is_sealed: bool
    largest: int  # bytes of the body

    async def answer(self, came: Answered) -> Answer:
        """Return the answer with the first piece of its body; ``rest`` is what follows.

        Raises:
            CallFailed: it is none, or the other side's refusal; so does reading on.
        """
        pieces = self._pieces(came)
        try:
            answer = Answer.decode(await anext(pieces))
            first = await anext(pieces, None)
        except BaseException:
            await pieces.aclose()
            raise
        return answer if first is None else replace(answer, body=first, rest=pieces)

    async def _pieces(self, came: Answered) -> AsyncGenerator[bytes, None]:
        """Give the answer without its body, then the body; its last piece once all is proven."""
        keys = self.sites.keys_of(self.header.answering_site)
        reader = PartsReader(came.body, came.rest, request=self.asked.digest, keys=keys)
        held, size, content = b"", 0, CALL_TYPE
        try:
            async with aclosing(reader):
                while not isinstance(part := await reader.next(), End):
                    piece = self._opened(part, content)
                    if content is CALL_TYPE:
                        yield piece
                        content = _PIECE_TYPE
                        continue
                    size += len(piece)
                    if size > self.largest:
                        raise AnswerTooLarge(limit=self.largest)
                    if held:
                        yield held
                    held = piece
                await reader.over()
                await self._check(part, reader.digest)
        except NoAnswer:
            raise PeerSilent(**about(self.header.answering_site, self.sites)) from None
        except TooLong:
            raise AnswerTooLarge(limit=self.largest) from None
        if content is CALL_TYPE:
            raise AnswerUntrusted(reason="no part of it")
        if held:
            yield held

    def _opened(self, part: bytes, content: str) -> bytes:
        media_type = SEALED_TYPE if self.is_sealed else content
        try:
            return take_out(
                media_type, part, self.here.sealing, is_sealed=self.is_sealed, content=content
            )
        except (SealFailed, MessageMalformed) as error:
            raise AnswerUntrusted(reason=error.code) from None

    async def _check(self, end: End, parts: str) -> None:
        """See the whole proven and its record on the disk; raise a refusal."""
        is_refused = end.fields.get("content-type") == PROBLEM_TYPE
        now = self.here.clock.now()
        answered = check_answer(
            end.fields,
            self.header,
            self.asked,
            status=end.status,
            body_digest=digest(end.body) if is_refused else parts,
            keys=self.sites.keys_of(self.header.answering_site),
            now=now,
        )
        record = answered_record("asker", self.header, answered, end.status, now)
        await self.here.journal.record(record)
        if is_refused:
            raise refusal(end.status, end.body, self.header, self.sites)
        if end.fields["content-type"] != PARTS_TYPE:
            raise AnswerUntrusted(reason="its end is of another form")
