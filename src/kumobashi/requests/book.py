"""The book of requests of one site: every act is one commit, with its record of evidence."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from kumobashi.kernel import Clock
from kumobashi.requests.carrying_errors import (
    DeciderCarriesOut,
    LiftUnasked,
    ReceiverUnknown,
)
from kumobashi.requests.deadlines import RULES, Rules, Stop
from kumobashi.requests.errors import (
    ExtendedLate,
    ExtendedTwice,
    ProposalNeeded,
    ProposalUnlike,
    ProposerDecides,
    RequesterUnchecked,
    RequestMove,
    RequestTwice,
    TransferUnknown,
)
from kumobashi.requests.receivers import Receiver
from kumobashi.requests.records import Applicant, Details, Identity, Request
from kumobashi.requests.ruling import (
    Wish,
    decided,
    extension_of,
    reason_in,
    ruling_of,
    text_in,
)
from kumobashi.requests.scope import check_suspends, scope_of
from kumobashi.requests.states import Act, Kind, Outcome, State, check_act
from kumobashi.requests.writing import Pen
from kumobashi.storage.state import StateStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """Who does it, and on which day; no day: today."""

    by: str  # "account:<name>"
    on: date | None = None


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
        said = text_in("what", what)

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
        said = reason_in(reason)

        def change(pen: Pen, held: Request) -> Details:
            if held.details.extension is not None:
                raise ExtendedTwice
            due = held.due(pen.on, self._rules)
            if due.is_late(pen.on):
                raise ExtendedLate(due=due.day.isoformat())
            extension = extension_of(held, self._rules, on=pen.on, days=days, until=until)
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
            ruling = ruling_of(held, wish, self._rules, on=pen.on, by=who.by)
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
            return decided(
                held,
                ruling_of(held, wish, self._rules, on=pen.on, by=who.by),
                self._rules,
                on=pen.on,
                by=who.by,
            )

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
            return decided(held, ruling, self._rules, on=pen.on, by=who.by)

        return self._move(request, Act.DECIDE, who, change)

    def transfer(self, request: str, to: str, reason: str, who: Who) -> Request:
        """Transfer it to another office that answers instead; raise ``TransferUnknown``."""
        texts = {"transfer_to": text_in("to", to), "transfer": reason_in(reason)}

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
                suspended=scope_of(held, links) if held.kind is Kind.SUSPENSION else None,
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
            check_suspends(held)
            return replace(held.details, lift_asked_by=who.by)

        return self._move(request, Act.ASK_LIFT, who, change, texts={"lift": reason_in(reason)})

    def lift(self, request: str, who: Who) -> Request:
        """End a suspension that somebody else asked to end: rows leave again from the next run on.

        Raises:
            NotSuspended, LiftUnasked, ProposerDecides: it stands.
        """

        def change(pen: Pen, held: Request) -> Details:
            check_suspends(held)
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
