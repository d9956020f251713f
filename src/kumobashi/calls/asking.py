"""The asking side: a system's request becomes a signed call, and the signed answer its answer.

Order of what is done: the link permits it → header, digest and signature → handed to the next
gateway while its record goes to the disk → the answer's signature and its binding to the request →
its record is on the disk → the system gets it. A call is handed on at most once; when the line
breaks while it is handed over, the same call with the same signature is tried once more, and the
answering side takes it only if it has never seen it.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from email.utils import format_datetime

from kumobashi.calls.binary_http import Answer, Request
from kumobashi.calls.enveloping import put_in, take_out
from kumobashi.calls.errors import (
    AnswerTooLarge,
    AnswerUntrusted,
    CallFailed,
    CallForeign,
    CertificateRefused,
    PeerAway,
    PeerSilent,
    Side,
)
from kumobashi.calls.giving import check_given
from kumobashi.calls.header import CallHeader
from kumobashi.calls.here import Here
from kumobashi.calls.large_answers import FromParts
from kumobashi.calls.metering import ANSWERED, ASKER, UNFORESEEN
from kumobashi.calls.parts import PARTS_TYPE
from kumobashi.calls.patience import Patience, may_go_elsewhere
from kumobashi.calls.permission_errors import NotPermitted
from kumobashi.calls.permits import CallLink, Operation, not_ready
from kumobashi.calls.posting import Answered, NoAnswer, NotConnected
from kumobashi.calls.pressure import Place
from kumobashi.calls.records import answered_record, asked_record
from kumobashi.calls.relayed_refusals import refusal
from kumobashi.calls.relaying import about
from kumobashi.calls.signing import Proof, check_answer, sign_call
from kumobashi.calls.sites import Sites
from kumobashi.calls.streams import Streams, TooLong, gathered
from kumobashi.calls.wire import BUDGET, LARGEST_ANSWER, PROBLEM_TYPE, overhead
from kumobashi.crypto.canonical import digest
from kumobashi.crypto.errors import SealFailed
from kumobashi.exchange.entrances import NotLetIn
from kumobashi.kernel import JST, KumobashiError, business_date, new_id
from kumobashi.observe import tracing
from kumobashi.observe.trace_context import HEADER, Spot, outgoing, parse

_GRACE_SECONDS = 0.25  # the answering side says itself that it was too late
_FIRST_REST, _LONGEST_REST = 0.05, 0.5  # between two looks at a change half done
_LEAST_SECONDS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a system asks."""

    asker: str  # system, proven
    answerer: str
    service: str
    version: str
    request: Request
    correlation: str | None = None
    seconds: float | None = None  # it waits no longer
    is_test: bool = False
    takes_rest: bool = False  # of a large answer what follows as it comes; else it is held whole


@dataclass
class Asker:
    """Asks on behalf of the systems of one site; belongs to one event loop."""

    here: Here
    patience: Patience = field(default_factory=Patience)
    _places: dict[tuple[str, str], Place] = field(default_factory=dict)
    _streams: Streams = field(default_factory=lambda: Streams("回答", Side.ASKING_GATEWAY))

    async def ask(self, wish: Wish) -> Answer:
        """Return what the service answers.

        Raises:
            CallFailed: with its code and the side at fault.
        """
        begun, outcome = asyncio.get_running_loop().time(), UNFORESEEN
        try:
            with tracing.server("call", parent=_asked_within(wish)) as made:
                made.set(system=wish.asker, site=self.here.site)
                answer = await self._ask(wish, begun)
            outcome = ANSWERED
        except KumobashiError as error:
            outcome = type(error).code  # of the class: what a peer said is no name for a number
            raise
        finally:
            seconds = asyncio.get_running_loop().time() - begun
            self.here.meter.note(ASKER, outcome, seconds)
        return answer

    async def _ask(self, wish: Wish, begun: float) -> Answer:
        """Ask until it is answered, refused, or over."""
        way = (wish.asker, f"{wish.answerer}.{wish.service}")
        loop, rest = asyncio.get_running_loop(), _FIRST_REST
        budget = wish.seconds or float("inf")
        while True:
            try:
                answer = await self._ask_now(wish, begun)
            except CallFailed as error:
                waited = loop.time() - begun
                if not self.patience.waits(way, error, waited=waited, budget=budget):
                    raise
                await asyncio.sleep(rest)
                rest = min(_LONGEST_REST, rest * 2)
            else:
                self.patience.answered(way)
                return answer

    async def _ask_now(self, wish: Wish, begun: float) -> Answer:
        """Ask where the service is by what is known now; ``begun`` is of the loop's clock."""
        link, operation = self._link(wish)
        sites = self.here.sites()
        failure: CallFailed | None = None
        for to_site in link.sites:
            try:
                answer = await self.ask_at(to_site, wish, link, sites, begun=begun)
            except CallFailed as error:
                if not may_go_elsewhere(error):
                    raise
                failure = error
            else:
                return _with_end(answer, operation.last_day)
        raise failure or CallForeign(field="site")

    def _link(self, wish: Wish) -> tuple[CallLink, Operation]:
        asked = f"{wish.answerer}.{wish.service}"
        path = wish.request.path.partition("?")[0]
        on = business_date(self.here.clock.now())
        refused: CallFailed | None = None
        found = self.here.permits.permitted(wish.asker, asked)
        for link in found.links:
            try:
                operation = link.operation(wish.version, wish.request.method, path, on=on)
                if operation.given is not None:
                    check_given(wish.request, operation.given, link=link.link)
            except CallFailed as error:
                refused = error
            else:
                return link, operation
        if refused:
            raise refused
        if reason := found.refusal:
            link_name = str(reason.facts.get("link", asked))
            raise not_ready(link_name, reason, Side.ASKING_GATEWAY)
        raise NotPermitted(asker=wish.asker, service=asked)

    async def ask_at(
        self,
        to_site: str,
        wish: Wish,
        link: CallLink,
        sites: Sites,
        *,
        begun: float,
        told: Callable[[CallHeader, Proof], None] = lambda *_: None,
    ) -> Answer:
        """Ask at one site what a link permits, once; ``told`` is what goes out."""
        now = self.here.clock.now()
        seconds = min(link.answer_seconds, wish.seconds or link.answer_seconds)
        waited = asyncio.get_running_loop().time() - begun
        seconds = max(_LEAST_SECONDS, seconds - waited)
        header = CallHeader(
            call=new_id(),
            tenant=self.here.tenant,
            link=link.link,
            asker=wish.asker,
            asking_site=self.here.site,
            answerer=wish.answerer,
            answering_site=to_site,
            service=wish.service,
            version=wish.version,
            unit=link.unit,
            kind=link.kind,
            purpose=link.purpose,
            agreement=link.agreement,
            plan=link.plan,
            correlation=wish.correlation or new_id(),
            sent=now,
            budget_ms=int(seconds * 1000),
            is_test=wish.is_test,
        )
        is_sealed = sites.next_hop(to_site) not in {to_site, None}
        recipient = sites.entry(to_site).recipient if is_sealed else None
        media_type, body = put_in(wish.request.encode(), recipient)
        asked = sign_call(header, digest(body), media_type, self.here.key, now)
        told(header, asked)
        recording = asyncio.create_task(
            self.here.journal.record(asked_record("asker", header, asked, now))
        )
        try:
            came = await self._hand_on(
                header, asked, body, sites, largest=link.largest_answer_bytes
            )
        finally:
            await recording
        if came.fields.get("content-type") == PARTS_TYPE:
            parts = FromParts(
                here=self.here,
                header=header,
                asked=asked,
                sites=sites,
                is_sealed=is_sealed,
                largest=link.largest_answer_bytes,
            )
            answer = await parts.answer(came)
            return answer if wish.takes_rest else await _whole(answer)
        return await self._read(header, asked, came, sites, is_sealed=is_sealed)

    async def _hand_on(
        self, header: CallHeader, asked: Proof, body: bytes, sites: Sites, *, largest: int
    ) -> Answered:
        hop = sites.next_hop(header.answering_site)
        if hop is None:
            raise PeerAway(**about(header.answering_site, sites))
        way = (hop, header.asked)  # one service that hangs keeps no other waiting
        place = self._places.get(way) or self._places.setdefault(
            way, Place(what=hop, side=Side.LINE)
        )
        seconds = header.budget_ms / 1000
        async with place.call(seconds=seconds, budget_ms=header.budget_ms) as trial:
            for is_last in (False, True):
                left = (header.until - self.here.clock.now()) / timedelta(seconds=1)
                fields = asked.fields | {BUDGET: str(max(0, round(left * 1000)))}
                try:
                    with tracing.client("call.hand_on", link=header.link, to=hop, call=header.call):
                        came = await self.here.handing.send(
                            hop,
                            sites,
                            fields=fields | outgoing(),
                            body=body,
                            seconds=left + _GRACE_SECONDS,
                            largest=largest + overhead(largest),
                        )
                except NotLetIn as error:
                    trial.answered()  # whoever asks next is to hear the same
                    if is_last:  # the first try broke off on a connection that was let in
                        raise PeerSilent(**about(hop, sites)) from None
                    raise CertificateRefused(**error.told(), **about(hop, sites)) from None
                except NotConnected:
                    trial.failed()
                    # Whether the first try, which broke off, came through, nobody here knows.
                    away = PeerSilent if is_last else PeerAway
                    raise away(**about(hop, sites)) from None
                except NoAnswer as error:
                    if error.is_late or is_last:
                        trial.failed()
                        raise PeerSilent(**about(hop, sites)) from None
                except TooLong:
                    trial.answered()
                    raise AnswerTooLarge(limit=largest) from None
                else:
                    trial.answered()
                    return replace(came, rest=await self._streams.let(came.rest))
        raise PeerSilent(**about(hop, sites))

    async def _read(
        self, header: CallHeader, asked: Proof, came: Answered, sites: Sites, *, is_sealed: bool
    ) -> Answer:
        fields, now = came.fields, self.here.clock.now()
        if fields.get("content-type") == PROBLEM_TYPE and "kumobashi-answer" not in fields:
            # Of a gateway on the way: it signs no answers.
            raise refusal(came.status, came.body, header, sites)
        answered = check_answer(
            fields,
            header,
            asked,
            status=came.status,
            body_digest=digest(came.body),
            keys=sites.keys_of(header.answering_site),
            now=now,
        )
        await self.here.journal.record(answered_record("asker", header, answered, came.status, now))
        if fields["content-type"] == PROBLEM_TYPE:
            raise refusal(came.status, came.body, header, sites)
        try:
            media_type = fields["content-type"]
            message = take_out(media_type, came.body, self.here.sealing, is_sealed=is_sealed)
        except SealFailed as error:
            raise AnswerUntrusted(reason=error.code) from None
        return Answer.decode(message)


def _asked_within(wish: Wish) -> Spot | None:
    """Return the trace that the asking system is in, if it says one."""
    return parse(dict(wish.request.headers).get(HEADER)) if tracing.is_on() else None


async def _whole(answer: Answer) -> Answer:
    """Return an answer that is held as one; raise ``CallFailed``."""
    try:
        body = await gathered(answer.body, answer.rest, LARGEST_ANSWER)
    except TooLong:
        raise AnswerTooLarge(limit=LARGEST_ANSWER) from None
    return replace(answer, body=body, rest=None)


def _with_end(answer: Answer, last_day: date | None) -> Answer:
    """Return an answer that says when its version ends, if it does (RFC 8594)."""
    if last_day is None:
        return answer
    over = datetime.combine(last_day + timedelta(days=1), time(), JST)
    said = format_datetime(over.astimezone(UTC), usegmt=True)
    return replace(answer, headers=(*answer.headers, ("sunset", said)))
