"""The answering side: check everything, ask the system, sign what it says.

Before anything reaches a system: the common header, the signature of the asking site, the digest of
the body, the window of time, that it was never seen before, that the last hop may call here, that
the service is here, that this side's own plan permits the same, method and path. Then the record
of the request is on the disk, then the system is asked, then the record of its answer is, then it
leaves.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from kumobashi.calls.binary_http import Answer, Request
from kumobashi.calls.errors import (
    AnswerTooLarge,
    CallForeign,
    CallOver,
    LinkNotReady,
    NotHere,
    NotPermitted,
    PlanDiffers,
    ServiceAway,
    ServiceSilent,
    ServiceUnfit,
    Side,
)
from kumobashi.calls.header import CallHeader
from kumobashi.calls.hiding import hide
from kumobashi.calls.journal import Journal
from kumobashi.calls.permits import CallLink, Operation, Permits
from kumobashi.calls.posting import Answered, NoAnswer, NotConnected, Poster, TooLong
from kumobashi.calls.pressure import Place
from kumobashi.calls.records import answered_record, asked_record
from kumobashi.calls.signing import PATH, Proof, check_call, hop_signature, read_call, sign_answer
from kumobashi.calls.sites import CurrentSites, Sites
from kumobashi.calls.wire import BUDGET, CALL_TYPE, PROBLEM_TYPE, end_to_end
from kumobashi.crypto.http_signatures import NonceMemory, claimed_site, verify_request
from kumobashi.crypto.keys import SigningKey
from kumobashi.kernel import Clock, KumobashiError


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A call that was proven to come from where it says."""

    header: CallHeader
    proof: Proof
    body: bytes
    left: float  # seconds that the asking side still waits


@dataclass
class Answerer:
    """Answers for the systems of one site; belongs to one event loop."""

    tenant: str
    site: str
    key: SigningKey
    clock: Clock
    sites: CurrentSites
    permits: Permits
    journal: Journal
    poster: Poster
    nonces: NonceMemory = field(default_factory=NonceMemory)
    _places: dict[str, Place] = field(default_factory=dict)

    def take(self, fields: Mapping[str, str], body: bytes) -> Taken:
        """Prove who asks; nothing of this concerns systems yet.

        Raises:
            CallFailed, CryptoFailed: turned away; nothing was taken.
        """
        now, sites = self.clock.now(), self.sites()
        header = read_call(fields)
        if header.tenant != self.tenant:
            raise CallForeign(field="tenant")
        proof = check_call(
            fields, header, body=body, keys=sites.keys_of(header.asking_site), now=now
        )
        self._check_hop(fields, header, sites)
        self.nonces.remember(header.asking_site, header.call, now)
        return Taken(header=header, proof=proof, body=body, left=_left(fields, header, self.clock))

    async def answer(self, taken: Taken) -> Answered:
        """Return the signed answer, or the signed refusal."""
        header = taken.header
        try:
            link, operation, request = self._permitted(taken)
            await self.journal.record(
                asked_record("answerer", header, taken.proof, self.clock.now())
            )
            answer = await self._ask_system(taken, link, operation, request)
            status, media_type, body = 200, CALL_TYPE, answer.encode()
        except KumobashiError as error:
            status, media_type = error.status, PROBLEM_TYPE
            body = json.dumps(error.problem(), ensure_ascii=False).encode()
        now = self.clock.now()
        signed = sign_answer(
            header,
            taken.proof,
            status=status,
            body=body,
            media_type=media_type,
            key=self.key,
            now=now,
        )
        await self.journal.record(answered_record("answerer", header, signed, status, now))
        return Answered(status=status, headers=tuple(signed.fields.items()), body=body)

    def _check_hop(self, fields: Mapping[str, str], header: CallHeader, sites: Sites) -> None:
        """Check who handed the call over: the asking site itself, or a relay that signs for it."""
        hop_fields = hop_signature(fields)
        caller = header.asking_site
        if hop_fields is not None:
            caller = claimed_site(fields)
            verify_request(
                method="POST",
                target_uri=sites.entry(self.site).url + PATH,
                headers=hop_fields,
                keys=sites.keys_of(caller),
                now=self.clock.now(),
                body_digest=None,  # the same field that the asking site signed
                nonces=self.nonces,
            )
        if not sites.may_open(caller, self.site):
            raise CallForeign(field="connects_to")

    def _permitted(self, taken: Taken) -> tuple[CallLink, Operation, Request]:
        header = taken.header
        if header.answering_site != self.site:
            raise CallForeign(field="answering_site")
        if taken.left <= 0:
            raise CallOver(budget_ms=header.budget_ms)
        request = Request.decode(taken.body)
        path = request.path.partition("?")[0]
        links = self.permits.links(header.asker, header.asked)
        link = next((one for one in links if one.link == header.link), None)
        if link is None:
            if reason := self.permits.refusal(header.asker, header.asked):
                raise LinkNotReady(
                    link=header.link,
                    reason=reason.say("ja"),
                    reason_en=reason.say("en"),
                    side=Side.ANSWERING_GATEWAY,
                )
            raise NotPermitted(asker=header.asker, service=header.asked)
        said = (header.plan, header.purpose, header.agreement, header.unit, header.kind)
        if said != (link.plan, link.purpose, link.agreement, link.unit, link.kind):
            raise PlanDiffers(link=link.link)
        if self.site not in link.sites:
            raise NotHere(service=header.asked, site=self.site)
        operation = link.operation(header.version, request.method, path)
        return link, operation, request

    async def _ask_system(
        self, taken: Taken, link: CallLink, operation: Operation, request: Request
    ) -> Answer:
        header = taken.header
        base = self.permits.backend(header.answerer, header.service, is_test=header.is_test)
        if base is None:
            raise NotHere(service=header.asked, site=self.site)
        place = self._places.get(base) or self._places.setdefault(
            base, Place(what=header.asked, side=Side.ANSWERER)
        )
        async with place.call(seconds=taken.left, budget_ms=header.budget_ms):
            left = taken.left if place.queued == 0 else _until(header, self.clock, taken.left)
            try:
                came = await self.poster.send(
                    request.method,
                    f"{base}/{header.version}{request.path}",
                    headers=[*end_to_end(request.headers), *_told(header)],
                    body=request.body,
                    seconds=left,
                    largest=link.largest_answer_bytes,
                )
            except NotConnected:
                place.failed()
                raise ServiceAway(service=header.asked) from None
            except NoAnswer as error:
                place.failed()
                if error.is_late:
                    raise ServiceSilent(service=header.asked) from None
                raise ServiceUnfit(service=header.asked, reason="broken off") from None
            except TooLong:
                place.answered()
                raise AnswerTooLarge(limit=link.largest_answer_bytes) from None
            place.answered()
        answer = Answer(status=came.status, headers=end_to_end(came.headers), body=came.body)
        hidden = link.hidden.get((operation.version, operation.name), ())
        return hide(answer, hidden, service=header.asked) if hidden else answer


def _told(header: CallHeader) -> tuple[tuple[str, str], ...]:
    """Return what the answering system may know of who asks."""
    return (
        ("kumobashi-asker", header.asker),
        ("kumobashi-purpose", header.purpose),
        ("kumobashi-call-id", header.call),
        ("kumobashi-correlation", header.correlation),
    )


def _left(fields: Mapping[str, str], header: CallHeader, clock: Clock) -> float:
    """Return the seconds left: what the last hop says, but never more than was signed."""
    said = fields.get(BUDGET, "")
    if said.isascii() and said.isdigit() and len(said) < 10:  # noqa: PLR2004 - far enough
        return min(int(said), header.budget_ms) / 1000
    return min(header.budget_ms / 1000, (header.until - clock.now()) / timedelta(seconds=1))


def _until(header: CallHeader, clock: Clock, left: float) -> float:
    return max(0.001, min(left, (header.until - clock.now()) / timedelta(seconds=1)))
