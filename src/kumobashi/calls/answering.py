"""The answering side: check everything, ask the system, sign what it says.

Before anything reaches a system, ``taking`` has proven who asks, and here: the service is at this
site, this side's own plan permits the same, method and path too. Then the record of the request is
on the disk, then the system is asked, then the record of its answer is, then it leaves.
"""

import json
import time
from dataclasses import dataclass, field
from datetime import timedelta

from kumobashi.calls.binary_http import Answer, Headers, Request
from kumobashi.calls.enveloping import put_in, take_out
from kumobashi.calls.errors import (
    AnswerTooLarge,
    CallForeign,
    CallOver,
    NotHere,
    ServiceAway,
    ServiceSilent,
    ServiceUnfit,
    Side,
)
from kumobashi.calls.header import CallHeader
from kumobashi.calls.here import Here
from kumobashi.calls.interconnection.answering import TestAnswers
from kumobashi.calls.interconnection.probes import kind_of
from kumobashi.calls.large_answers import in_parts, large
from kumobashi.calls.metering import ANSWERED, ANSWERER
from kumobashi.calls.parts import PARTS_TYPE
from kumobashi.calls.permission_errors import NotPermitted, PlanDiffers
from kumobashi.calls.permits import CallLink, Operation, not_ready
from kumobashi.calls.posting import Answered, NoAnswer, NotConnected
from kumobashi.calls.pressure import Place
from kumobashi.calls.records import answered_record, asked_record
from kumobashi.calls.showing import show
from kumobashi.calls.signing import sign_answer
from kumobashi.calls.streams import Streams, TooLong
from kumobashi.calls.taking import Taken
from kumobashi.calls.wire import PROBLEM_TYPE, end_to_end
from kumobashi.crypto.canonical import digest
from kumobashi.kernel import Clock, KumobashiError, business_date
from kumobashi.observe import tracing
from kumobashi.observe.trace_context import HEADER, outgoing

_PARTS = (("content-type", PARTS_TYPE),)


@dataclass
class Answerer:
    """Answers for the systems of one site; belongs to one event loop."""

    here: Here
    _places: dict[str, Place] = field(default_factory=dict)
    _streams: Streams = field(default_factory=lambda: Streams("回答", Side.ANSWERING_GATEWAY))

    def __post_init__(self) -> None:
        """Answer interconnection tests too."""
        here = self.here
        self._tests = TestAnswers(here.site, here.key, here.clock, here.permits)

    async def answer(self, taken: Taken) -> Answered:
        """Return the signed answer, or the signed refusal."""
        header, begun = taken.header, time.monotonic()
        outcome = ANSWERED
        try:
            request = self._opened(taken)
            if header.is_test and (probe := kind_of(request)):
                await self._noted(taken)
                answer = await self._tests.answer(probe, taken, request)
            else:
                link, operation = self._permitted(header, request)
                await self._noted(taken)
                answer = await self._ask_system(taken, link, operation, request)
            asker = self.here.sites().entry(header.asking_site)
            recipient = asker.recipient if taken.relay else None
            if answer.rest is not None:
                parts = await self._in_parts(taken, answer, recipient)
                self.here.meter.note(ANSWERER, ANSWERED, time.monotonic() - begun)
                return parts
            status, (media_type, body) = 200, put_in(answer.encode(), recipient)
        except KumobashiError as error:
            status, media_type, outcome = error.status, PROBLEM_TYPE, type(error).code
            body = json.dumps(error.problem(), ensure_ascii=False).encode()
        now = self.here.clock.now()
        signed = sign_answer(
            header,
            taken.proof,
            status=status,
            body_digest=digest(body),
            media_type=media_type,
            key=self.here.key,
            now=now,
        )
        await self.here.journal.record(answered_record("answerer", header, signed, status, now))
        self.here.meter.note(ANSWERER, outcome, time.monotonic() - begun)
        return Answered(status=status, headers=tuple(signed.fields.items()), body=body)

    async def _in_parts(self, taken: Taken, answer: Answer, recipient: str | None) -> Answered:
        """Return the beginning of a large answer; what follows is made as it comes."""
        frames = in_parts(self.here, taken, answer, recipient)
        first = await anext(frames)
        return Answered(status=200, headers=_PARTS, body=first, rest=frames)

    async def _noted(self, taken: Taken) -> None:
        """See the request recorded before anything is done with it."""
        record = asked_record("answerer", taken.header, taken.proof, self.here.clock.now())
        await self.here.journal.record(record)

    def _opened(self, taken: Taken) -> Request:
        """Return what is asked, once it is sure that it is asked of this site."""
        header = taken.header
        if header.answering_site != self.here.site:
            raise CallForeign(field="answering_site")
        if not self.here.sites().runs(header.asker, header.asking_site):
            raise CallForeign(field="asker")  # no site signs for the systems of another
        if taken.left <= 0:
            raise CallOver(budget_ms=header.budget_ms)
        media_type = taken.proof.fields["content-type"]
        is_sealed = taken.relay is not None
        message = take_out(media_type, taken.body, self.here.sealing, is_sealed=is_sealed)
        return Request.decode(message)

    def _permitted(self, header: CallHeader, request: Request) -> tuple[CallLink, Operation]:
        """Return the link in force that permits it, and as what."""
        path = request.path.partition("?")[0]
        found = self.here.permits.permitted(header.asker, header.asked)
        link = next((one for one in found.links if one.link == header.link), None)
        if link is None:
            if found.refusal:
                raise not_ready(header.link, found.refusal, Side.ANSWERING_GATEWAY)
            raise NotPermitted(asker=header.asker, service=header.asked)
        said = (header.plan, header.purpose, header.agreement, header.unit, header.kind)
        if said != (link.plan, link.purpose, link.agreement, link.unit, link.kind):
            raise PlanDiffers(link=link.link)
        if self.here.site not in link.sites:
            raise NotHere(service=header.asked, site=self.here.site)
        return link, link.operation(
            header.version, request.method, path, on=business_date(self.here.clock.now())
        )

    async def _ask_system(
        self, taken: Taken, link: CallLink, operation: Operation, request: Request
    ) -> Answer:
        header = taken.header
        base = self.here.permits.backend(header.answerer, header.service, is_test=header.is_test)
        if base is None:
            raise NotHere(service=header.asked, site=self.here.site)
        place = self._places.get(base) or self._places.setdefault(
            base, Place(what=header.asked, side=Side.ANSWERER)
        )
        largest = link.largest_answer_bytes
        async with place.call(seconds=taken.left, budget_ms=header.budget_ms) as trial:
            left = taken.left if place.queued == 0 else _until(header, self.here.clock, taken.left)
            try:
                with tracing.client("call.system", link=link.link, system=header.answerer) as made:
                    came = await self.here.poster.begin(
                        request.method,
                        f"{base}/{header.version}{request.path}",
                        headers=[*_traced(end_to_end(request.headers)), *_told(header)],
                        body=request.body,
                        seconds=left,
                        largest=largest,
                    )
                    made.set(status=came.status)
            except NotConnected:
                trial.failed()
                raise ServiceAway(service=header.asked) from None
            except NoAnswer as error:
                trial.failed()
                if error.is_late:
                    raise ServiceSilent(service=header.asked) from None
                raise ServiceUnfit(service=header.asked, reason="broken off") from None
            except TooLong:
                trial.answered()
                raise AnswerTooLarge(limit=largest) from None
            trial.answered()
        rest = await self._streams.let(came.rest)
        answer = Answer(
            status=came.status, headers=end_to_end(came.headers), body=came.body, rest=rest
        )
        if rest is not None:
            return await large(answer, operation.shown, limit=largest, service=header.asked)
        return show(answer, operation.shown, service=header.asked) if operation.shown else answer


def _traced(headers: Headers) -> Headers:
    """Return headers that say where we are in a trace, instead of where the asking system was."""
    if not (here := outgoing()):
        return headers
    return (*((name, value) for name, value in headers if name != HEADER), *here.items())


def _told(header: CallHeader) -> tuple[tuple[str, str], ...]:
    """Return what the answering system may know of who asks."""
    return (
        ("kumobashi-asker", header.asker),
        ("kumobashi-purpose", header.purpose),
        ("kumobashi-call-id", header.call),
        ("kumobashi-correlation", header.correlation),
    )


def _until(header: CallHeader, clock: Clock, left: float) -> float:
    return max(0.001, min(left, (header.until - clock.now()) / timedelta(seconds=1)))
