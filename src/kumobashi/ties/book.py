"""The book of ties: proposals, narrowings, acceptances, withdrawals; every act is one commit.

    propose → narrow* → resident accepts, service accepts → in force → ended | withdrawn

Residents come as sealed numbers; whoever calls has sealed them. In doubt the withdrawal counts:
what was stated before it, or so near that clocks may disagree, is refused whenever it arrives.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Final, TypeVar

import sqlalchemy as sa

from kumobashi.kernel import Clock, business_date
from kumobashi.storage.changes import take_numbers
from kumobashi.storage.state import StateStore
from kumobashi.ties.errors import (
    ResidentGone,
    ServiceOver,
    TermsUnfit,
    TermsUnlike,
    TieTouched,
    TieTwice,
    WithdrawnBefore,
)
from kumobashi.ties.records import Tie
from kumobashi.ties.registry import Registry
from kumobashi.ties.services import check_id
from kumobashi.ties.sql import ties
from kumobashi.ties.states import (
    LIVE,
    TOLERANCE,
    Act,
    State,
    check_act,
    check_follows,
    check_time,
    is_after,
)
from kumobashi.ties.terms import Terms, check_within
from kumobashi.ties.writing import Pen, Said, check_subject

T = TypeVar("T")
_GATEWAY: Final = "gateway"
_MOST_EXPIRED: Final = 2_000  # ties looked at in one page


class Book:
    """The ties of one municipality's residents."""

    def __init__(self, store: StateStore, *, tenant: str, clock: Clock) -> None:
        self.store = store
        self.tenant = tenant
        self.clock = clock
        self.registry = Registry(store, tenant=tenant, clock=clock)

    def propose(self, subject: str, service: str, terms: Terms, said: Said) -> Tie:
        """Propose a tie for a service.

        Raises:
            TieSubjectUnfit, ResidentGone, ServiceUnknown, ServiceOver: there is no such side.
            TieStatedInFuture, WithdrawnBefore: of the order of clocks.
            TieTwice: they are tied, or one of them has been asked.
        """
        check_subject(subject)

        def work(pen: Pen) -> Tie:
            self._check_service(pen, service)
            if pen.is_gone(subject):
                raise ResidentGone
            _check_not_withdrawn(pen, subject, service, said)
            if pen.live(subject, service):
                raise TieTwice(service=service)
            return pen.begin(subject, service, terms, said)

        return self._write(work, said)

    def narrow(self, tie: str, terms: Terms, said: Said) -> Tie:
        """Answer for the resident with less; in force it counts at once.

        Raises:
            TieUnknown, TieMove, TermsWiden, TieStatedInFuture, TieStatedBefore, WithdrawnBefore.
        """

        def work(pen: Pen) -> Tie:
            held = pen.tie(tie)
            check_act(held.state, Act.NARROW)
            check_follows(said.stated_at, held.terms_at)
            check_within(terms, held.terms)
            if terms == held.terms:
                return held
            return pen.move(held, Act.NARROW, said, terms=terms)

        return self._write(work, said)

    def accept(self, tie: str, side: Act, said: Said, *, terms: str) -> Tie:
        """Accept the terms whose hash is ``terms``, for the resident or for the service.

        Raises:
            TieUnknown, TieMove, TermsUnlike, ServiceOver: nothing was changed.
            TieStatedInFuture, TieStatedBefore, WithdrawnBefore: of the order of clocks.
        """
        if side not in {Act.RESIDENT_ACCEPT, Act.SERVICE_ACCEPT}:
            raise ValueError(f"nobody accepts by {side}")

        def work(pen: Pen) -> Tie:
            held = pen.tie(tie)
            self._check_service(pen, held.service)
            if side is Act.RESIDENT_ACCEPT:
                _check_not_withdrawn(pen, held.subject, held.service, said)
            check_act(held.state, side)
            if terms != held.terms.hash:
                raise TermsUnlike
            check_follows(said.stated_at, held.terms_at)
            return pen.move(held, side, said)

        return self._write(work, said)

    def withdraw(self, tie: str, said: Said) -> Tie:
        """End a tie for the resident, in every state; it counts when this returns.

        Said twice it is done once. Raises ``TieUnknown``, ``TieMove``, ``TieStatedInFuture``.
        """

        def work(pen: Pen) -> Tie:
            held = pen.tie(tie)
            pen.note_withdrawn(held.subject, held.service, said)
            if held.state is State.WITHDRAWN:
                return held
            return pen.move(held, Act.WITHDRAW, said)

        return self._write(work, said)

    def withdraw_from(self, subject: str, service: str, said: Said) -> list[Tie]:
        """End what ties a resident to a service, also where nothing is yet.

        A tie whose terms were stated surely after the withdrawal is another one and stays.
        """
        check_subject(subject)
        check_id(service)

        def work(pen: Pen) -> list[Tie]:
            pen.lock(service)
            pen.note_withdrawn(subject, service, said)
            return [
                pen.move(held, Act.WITHDRAW, said)
                for held in pen.live(subject, service)
                if held.terms_at <= said.stated_at + TOLERANCE
            ]

        return self._write(work, said)

    def end(self, tie: str, said: Said) -> Tie:
        """End a tie for the service; raise ``TieUnknown``, ``TieMove``."""
        return self._write(lambda pen: pen.move(pen.tie(tie), Act.END, said), said)

    # -- what becomes of residents and days -------------------------------------------------------

    def died(self, subject: str, *, by: str) -> list[Tie]:
        """End all ties of a resident who died; none can be made any more."""
        return self._gone(subject, Act.DIE, by)

    def merged(self, subject: str, *, by: str) -> list[Tie]:
        """End all ties of a number that is another one now.

        Nothing is carried over: who accepted for which person is for the services to ask again.
        """
        return self._gone(subject, Act.MERGE, by)

    def expire(self) -> int:
        """End what has outlived its term; return how many ties it were.

        One that is not as it was written stays as it is: nothing is permitted under it.
        """
        on, after, ended = business_date(self.clock.now()), "", 0
        while page := self._live_after(after):
            ended += sum(self._expire(tie, on) for tie, terms in page if _may_be_over(terms, on))
            after, _ = page[-1]
        return ended

    # -- inside ---------------------------------------------------------------------------------

    def _expire(self, tie: str, on: date) -> bool:
        said = self._here(_GATEWAY)

        def work(pen: Pen) -> bool:
            held = pen.tie(tie)
            if held.state not in LIVE or held.terms.last >= on:
                return False
            pen.move(held, Act.EXPIRE, said)
            return True

        try:
            return self._write(work, said)
        except TieTouched:
            return False

    def _live_after(self, after: str) -> Sequence[tuple[str, str]]:
        """Return live ties behind one, each with its terms."""
        states = [state.value for state in LIVE]
        query = sa.select(ties.c.tie, ties.c.terms).where(
            ties.c.tenant == self.tenant, ties.c.state.in_(states), ties.c.tie > after
        )
        query = query.order_by(ties.c.tie).limit(_MOST_EXPIRED)
        return self.store.read(
            lambda connection: [(row.tie, row.terms) for row in connection.execute(query)]
        )

    def _gone(self, subject: str, act: Act, by: str) -> list[Tie]:
        check_subject(subject)
        said = self._here(by)

        def work(pen: Pen) -> list[Tie]:
            pen.note_gone(subject, act, by)
            return [pen.move(held, act, said) for held in pen.live(subject)]

        return self._write(work, said)

    def _check_service(self, pen: Pen, service: str) -> None:
        pen.lock(service)
        held = self.registry.one(pen.connection, service)
        if not held.is_offered(pen.now):
            raise ServiceOver(service=service, on=business_date(pen.now).isoformat())

    def _here(self, by: str) -> Said:
        return Said(stated_at=self.clock.now(), source=_GATEWAY, by=by)

    def _pen(self, connection: sa.Connection) -> Pen:
        # First of all: nobody who waits for the number holds a tie that we want.
        number = take_numbers(connection, self.tenant)
        return Pen(connection, self.tenant, now=self.clock.now(), sequence=number)

    def _write(self, work: Callable[[Pen], T], said: Said) -> T:
        check_time(said.stated_at, self.clock.now())
        return self.store.write(lambda connection: work(self._pen(connection)), key="ties")


def _may_be_over(terms: str, on: date) -> bool:
    """Whether a look under the lock is worth it: of a great many ties few end on one day."""
    try:
        return Terms.decode(terms).last < on
    except TermsUnfit:
        return True


def _check_not_withdrawn(pen: Pen, subject: str, service: str, said: Said) -> None:
    held: tuple[datetime, str] | None = pen.withdrawn(subject, service)
    if held and not is_after(said.stated_at, said.source, *held):
        raise WithdrawnBefore(service=service)
