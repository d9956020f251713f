"""The book of requests of one site: every act is one commit, with its record of evidence."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from kumobashi.crypto.canonical import digest
from kumobashi.kernel import Clock
from kumobashi.requests.deadlines import RULES, Extension, Rules, Step, Stop
from kumobashi.requests.errors import (
    AnswerMissing,
    ClauseUnfit,
    DeciderCarriesOut,
    ExtendedFar,
    ExtendedLate,
    ExtendedTwice,
    LiftUnasked,
    NotSuspended,
    ProposalNeeded,
    ProposalUnlike,
    ProposerDecides,
    ReasonMissing,
    ReceiverUnknown,
    RequesterUnchecked,
    RequestMove,
    RequestTwice,
    RequestUnfit,
    ScopeNeeded,
    ScopeWider,
    TransferUnknown,
)
from kumobashi.requests.receivers import Receiver
from kumobashi.requests.records import Applicant, Details, Identity, Request, Ruling
from kumobashi.requests.states import Act, Kind, Outcome, State, check_act
from kumobashi.requests.writing import Pen
from kumobashi.storage.state import StateStore

_LONGEST_TEXT: Final = 1_000
_FAR: Final = 366  # days; a day that was set further ahead is a slip of the pen


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """Who does it, and on which day; no day: today."""

    by: str  # "account:<name>"
    on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody wants to be decided."""

    outcome: Outcome
    clauses: tuple[str, ...] = ()
    reason: str = ""


class Book:
    """The requests of one municipality, in the state that all processes of a site share."""

    def __init__(
        self, store: StateStore, *, tenant: str, clock: Clock, rules: Rules = RULES
    ) -> None:
        self.store = store
        self.tenant = tenant
        self._clock = clock
        self._rules = rules

    def receive(
        self,
        subject: str,
        kind: Kind,
        who: Who,
        *,
        links: Sequence[str] = (),
        applicant: Applicant = Applicant.SELF,
        identity: Identity | None = None,
        section_asked: bool = False,
    ) -> Request:
        """Write a request down; with ``identity`` it is checked at once.

        Raises:
            RequestTwice, RequestInFuture, DeadlineUnknown, RequestUnfit: nothing was written.
        """

        def work(pen: Pen) -> Request:
            self._rules.of(kind, pen.on)
            details = Details(
                links=tuple(sorted(set(links))),
                applicant=applicant,
                last_on=pen.on,
                section_asked=section_asked,
            )
            held = pen.begin(subject, kind, details)
            if identity is None:
                return held
            return pen.move(held, Act.CHECK, replace(held.details, identity=identity))

        try:
            return self._write(who, work)
        except IntegrityError:  # another process wrote the same at this moment
            raise RequestTwice(request="") from None

    def check(self, request: str, identity: Identity, who: Who) -> Request:
        """Write down how it was checked who asks."""
        return self._move(
            request, Act.CHECK, who, lambda _pen, held: replace(held.details, identity=identity)
        )

    def ask_more(self, request: str, what: str, who: Who) -> Request:
        """Ask the applicant to complete it (補正); the clock stands still from here."""
        said = _text("what", what)

        def change(pen: Pen, held: Request) -> Details:
            return replace(held.details, stops=(*held.details.stops, Stop(asked=pen.on)))

        return self._move(request, Act.ASK, who, change, texts={"ask": said})

    def resume(self, request: str, identity: Identity | None, who: Who) -> Request:
        """Take what was lacking; the clock runs again.

        Raises:
            RequesterUnchecked: it is not on record how identity was checked.
        """

        def change(pen: Pen, held: Request) -> Details:
            *before, last = held.details.stops
            known = identity or held.details.identity
            if known is None:
                raise RequesterUnchecked
            stops = (*before, replace(last, came=pen.on))
            return replace(held.details, stops=stops, identity=known)

        return self._move(request, Act.RESUME, who, change)

    def extend(
        self,
        request: str,
        reason: str,
        who: Who,
        *,
        days: int | None = None,
        until: date | None = None,
    ) -> Request:
        """Put the deadline off, once: by days, or under the special rule to a day.

        Raises:
            ExtendedTwice, ExtendedLate, ExtendedFar, ReasonMissing: it was not.
        """
        said = _reason(reason)

        def change(pen: Pen, held: Request) -> Details:
            if held.details.extension is not None:
                raise ExtendedTwice
            due = held.due(pen.on, self._rules)
            if due.is_late(pen.on):
                raise ExtendedLate(due=due.day.isoformat())
            extension = self._extension(held, pen.on, days, until)
            return replace(held.details, extension=extension)

        return self._move(request, Act.EXTEND, who, change, texts={"extend": said})

    def answered(self, request: str, answer: str, who: Who) -> Request:
        """Keep the digest of the record that was composed to be disclosed."""
        return self._move(
            request, Act.ANSWER, who, lambda _pen, held: replace(held.details, answer=answer)
        )

    def propose(self, request: str, wish: Wish, who: Who) -> Request:
        """Propose a decision to another person, who decides or sends it back."""

        def change(pen: Pen, held: Request) -> Details:
            ruling = self._ruling(held, wish, pen.on, who.by)
            # What was asked for did not come: the clock runs again for the decision.
            stops = tuple(replace(one, came=one.came or pen.on) for one in held.details.stops)
            return replace(held.details, proposal=ruling, stops=stops)

        return self._move(request, Act.PROPOSE, who, change, texts={"decide": wish.reason.strip()})

    def send_back(self, request: str, who: Who) -> Request:
        """Take a proposal away."""
        return self._move(
            request, Act.RETURN, who, lambda _pen, held: replace(held.details, proposal=None)
        )

    def decide(self, request: str, wish: Wish, who: Who) -> Request:
        """Decide alone what one person may decide: to grant it.

        Raises:
            ProposalNeeded: a refusal needs two.
        """

        def change(pen: Pen, held: Request) -> Details:
            check_act(held.state, Act.DECIDE)
            if held.state is State.PROPOSED or wish.outcome.needs_two:
                raise ProposalNeeded
            return self._decided(pen, held, self._ruling(held, wish, pen.on, who.by), who)

        return self._move(request, Act.DECIDE, who, change, texts={"decide": wish.reason.strip()})

    def confirm(self, request: str, proposal: str, who: Who) -> Request:
        """Decide what another person proposed; ``proposal`` is its hash.

        Raises:
            ProposalUnlike, ProposerDecides: it was not decided.
        """

        def change(pen: Pen, held: Request) -> Details:
            check_act(held.state, Act.DECIDE)
            ruling = held.details.proposal
            if ruling is None or ruling.hash != proposal:
                raise ProposalUnlike
            if ruling.by == who.by:
                raise ProposerDecides
            return self._decided(pen, held, ruling, who)

        return self._move(request, Act.DECIDE, who, change)

    def transfer(self, request: str, to: str, reason: str, who: Who) -> Request:
        """Transfer it to another office that answers instead; raise ``TransferUnknown``."""
        texts = {"transfer_to": _text("to", to), "transfer": _reason(reason)}

        def change(_pen: Pen, held: Request) -> Details:
            if held.kind is Kind.SUSPENSION:
                raise TransferUnknown(kind=held.kind.value, kind_ja=held.kind.ja)
            return held.details

        return self._move(request, Act.TRANSFER, who, change, texts=texts)

    def carry_out(
        self,
        request: str,
        who: Who,
        *,
        links: Sequence[str] = (),
        receivers: Sequence[Receiver] = (),
    ) -> Request:
        """Do what was granted; a refusal has nothing to carry out.

        A suspension counts from this commit on: for ``links``, or for those that were asked for.

        Raises:
            DeciderCarriesOut, ScopeNeeded, ScopeWider: it was not.
        """

        def change(pen: Pen, held: Request) -> Details:
            decision = held.details.decision
            if decision is not None and decision.outcome is Outcome.REFUSED:
                raise RequestMove(
                    state=Outcome.REFUSED.value,
                    state_ja=Outcome.REFUSED.ja,
                    act=Act.CARRY_OUT.value,
                    act_ja=Act.CARRY_OUT.ja,
                )
            if held.kind is not Kind.DISCLOSURE and held.details.decided_by == who.by:
                raise DeciderCarriesOut
            return replace(
                held.details,
                carried_out_on=pen.on,
                carried_out_at=pen.now,
                carried_out_by=who.by,
                suspended=_scope(held, links) if held.kind is Kind.SUSPENSION else None,
                receivers=tuple(receivers),
            )

        return self._move(request, Act.CARRY_OUT, who, change)

    def note(self, request: str, link: str, who: Who, *, is_confirmed: bool) -> Request:
        """Note that a receiver was told on paper, or confirmed; raise ``ReceiverUnknown``."""

        def change(pen: Pen, held: Request) -> Details:
            there = held.details.receivers
            if not any(one.link == link for one in there):
                known = "、".join(one.link for one in there) or "-"
                raise ReceiverUnknown(link=link, known=known)
            noted = tuple(
                one.noted(pen.on, is_confirmed=is_confirmed) if one.link == link else one
                for one in there
            )
            return replace(held.details, receivers=noted)

        return self._move(request, Act.NOTE, who, change)

    def ask_lift(self, request: str, reason: str, who: Who) -> Request:
        """Ask that a suspension ends; another person does it."""

        def change(_pen: Pen, held: Request) -> Details:
            _check_suspends(held)
            return replace(held.details, lift_asked_by=who.by)

        return self._move(request, Act.ASK_LIFT, who, change, texts={"lift": _reason(reason)})

    def lift(self, request: str, who: Who) -> Request:
        """End a suspension that somebody else asked to end: rows leave again from the next run on.

        Raises:
            NotSuspended, LiftUnasked, ProposerDecides: it stands.
        """

        def change(pen: Pen, held: Request) -> Details:
            _check_suspends(held)
            if held.details.lift_asked_by is None:
                raise LiftUnasked
            if held.details.lift_asked_by == who.by:
                raise ProposerDecides
            return replace(held.details, lifted_on=pen.on, lifted_by=who.by)

        return self._move(request, Act.LIFT, who, change)

    def close(self, request: str, who: Who) -> Request:
        """End it; what was suspended stays so."""
        return self._move(request, Act.CLOSE, who, lambda _pen, held: held.details)

    def withdraw(self, request: str, who: Who) -> Request:
        """Note that the applicant takes it back, which is possible until the decision."""
        return self._move(request, Act.WITHDRAW, who, lambda _pen, held: held.details)

    # -- inside ---------------------------------------------------------------------------------

    def _decided(self, pen: Pen, held: Request, ruling: Ruling, who: Who) -> Details:
        due = held.due(pen.on, self._rules)
        late = max((pen.on - due.day).days, 0) if due.is_late(pen.on) else 0
        return replace(
            held.details,
            proposal=None,
            decision=ruling,
            decided_on=pen.on,
            decided_by=who.by,
            days_late=late,
        )

    def _ruling(self, held: Request, wish: Wish, on: date, by: str) -> Ruling:
        """Return what is to be decided; raise for what cannot be."""
        if held.state is State.ASKED and wish.outcome is not Outcome.REFUSED:
            check_act(held.state, Act.DECIDE)
        clauses = tuple(dict.fromkeys(wish.clauses))
        if not wish.outcome.needs_two and clauses:
            raise ClauseUnfit(clause=clauses[0], known="")
        for clause in clauses or ("",) * wish.outcome.needs_two:
            if self._rules.refusal(clause, held.kind, wish.outcome.value, on) is None:
                known = [
                    one.code
                    for one in self._rules.refusals
                    if held.kind.value in one.kinds and wish.outcome.value in one.outcomes
                ]
                raise ClauseUnfit(clause=clause, known=", ".join(known))
        if wish.outcome.needs_two:
            _reason(wish.reason)
        if wish.outcome is not Outcome.REFUSED and held.details.identity is None:
            raise RequesterUnchecked
        answer = held.details.answer if wish.outcome is not Outcome.REFUSED else None
        if held.kind is Kind.DISCLOSURE and wish.outcome is not Outcome.REFUSED and answer is None:
            raise AnswerMissing
        said = wish.reason.strip()
        reason = digest(_text("reason", said).encode()) if said else None
        return Ruling(outcome=wish.outcome, clauses=clauses, reason=reason, answer=answer, by=by)

    def _extension(
        self, held: Request, on: date, days: int | None, until: date | None
    ) -> Extension:
        rows = self._rules.of(held.kind, held.received_on)
        step = Step.SPECIAL if until is not None else Step.LONGER
        row = rows[step]
        if until is not None:
            counted = held.due(on, self._rules).counted
            if days is None and 0 < (until - counted).days <= _FAR:
                return Extension(step=step, told=on, until=until)
            most, most_en = "いまの期限より後の日", "a day after the deadline"
        else:
            longest = row.days or 0
            wished = longest if days is None else days
            if 1 <= wished <= longest:
                return Extension(step=step, told=on, days=wished)
            most, most_en = f"{longest}日まで", f"at most {longest} days"
        raise ExtendedFar(article=row.article_ja, most=most, most_en=most_en)

    def _move(
        self,
        request: str,
        act: Act,
        who: Who,
        change: Callable[[Pen, Request], Details],
        *,
        texts: dict[str, str] | None = None,
    ) -> Request:
        def work(pen: Pen) -> Request:
            held = pen.one(request)
            check_act(held.state, act)
            return pen.move(held, act, change(pen, held), texts)

        return self._write(who, work)

    def _write(self, who: Who, work: Callable[[Pen], Request]) -> Request:
        def write(connection: sa.Connection) -> Request:
            pen = Pen(connection, self.tenant, now=self._clock.now(), by=who.by, on=who.on)
            return work(pen)

        return self.store.write(write, key="requests")


def _scope(held: Request, links: Sequence[str]) -> tuple[str, ...]:
    """Return the links that are suspended; empty: all."""
    asked, wished = held.details.links, tuple(sorted(set(links)))
    for link in wished:
        if asked and link not in asked:
            raise ScopeWider(link=link, known="、".join(asked))
    decision = held.details.decision
    if not wished and decision is not None and decision.outcome is Outcome.PARTLY:
        raise ScopeNeeded
    return wished or asked


def _check_suspends(held: Request) -> None:
    if held.details.suspended is None or held.details.lifted_on is not None:
        raise NotSuspended


def _text(field: str, value: str) -> str:
    said = value.strip()
    is_plain = all(one.isprintable() or one == "\n" for one in said)
    if not said or len(said) > _LONGEST_TEXT or not is_plain:
        raise RequestUnfit(
            field=field,
            expected_ja=f"1〜{_LONGEST_TEXT}字",
            expected=f"1 to {_LONGEST_TEXT} characters",
        )
    return said


def _reason(value: str) -> str:
    if not value.strip():
        raise ReasonMissing
    return _text("reason", value)
