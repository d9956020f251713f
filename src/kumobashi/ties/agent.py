"""The agent between a resident and a service (エージェント機能): may this be done, or not.

Every call and every notice asks it, each time. The decision is pure; what it needs comes with one
query. It permits what both sides accepted and nothing else: whatever is not there, not in force,
not readable or not as it was written is denied.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Protocol

import sqlalchemy as sa

from kumobashi.crypto.canonical import canonical, digest
from kumobashi.kernel import Clock, business_date, to_micros
from kumobashi.storage.state import StateStore
from kumobashi.ties import held
from kumobashi.ties.errors import TieTouched
from kumobashi.ties.records import AT_LAST, OF_LAST, joined_of
from kumobashi.ties.sql import revisions, services, ties, uses
from kumobashi.ties.states import TOLERANCE, State
from kumobashi.ties.terms import Channel, Terms
from kumobashi.ties.uses import add_use, check_uses, count_after, taken

_DAY_MICROS = 86_400_000_000
RETRY = timedelta(hours=1)
"""How long the id of a use may be asked with again, for the same call or notice."""


class Reason(StrEnum):
    """Why the agent permits or denies."""

    ACCEPTED = "accepted"  # by both: the one reason to permit
    UNKNOWN = "unknown"
    TOUCHED = "touched"
    NOT_IN_FORCE = "not_in_force"
    WITHDRAWN = "withdrawn"
    ENDED = "ended"
    ELSEWHERE = "elsewhere"  # served, asked for and counted at another gateway
    SERVICE_OVER = "service_over"
    CLOCK = "clock"
    TERM = "term"
    ITEM = "item"
    CHANNEL = "channel"
    FREQUENCY = "frequency"
    USE_TAKEN = "use_taken"  # the id of the use was permitted for something else


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What the agent says."""

    is_permitted: bool
    reason: Reason
    service: str | None = None
    clause: str | None = None  # under which the service decides who is eligible


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What somebody wants to do under a tie."""

    tie: str
    items: frozenset[str]
    channel: Channel
    at: datetime

    @property
    def hash(self) -> str:
        """What a use is remembered by."""
        said = {"items": sorted(self.items), "channel": self.channel.value}
        return digest(canonical(said))


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """What counts of a service: its days, and the clause."""

    first: date
    last: date | None
    is_deleted: bool
    clause: str
    system: str | None = None  # elsewhere, that serves it


class Standing(Protocol):
    """What counts of a tie, kept here or told by the hall."""

    @property
    def service(self) -> str:
        """Its service."""

    @property
    def state(self) -> State:
        """Its state."""

    @property
    def terms(self) -> Terms:
        """Its terms as they stand."""


def decide(
    tie: Standing, offered: Offered | None, ask: Ask, *, used: int, now: datetime
) -> Decision:
    """Permit or deny; ``used`` counts the uses within the frequency's window before ``ask.at``.

    Denials come in the order in which they matter: the state before the terms, the terms before
    the frequency.
    """
    reason = _why_not(tie, offered, ask, used=used, now=now)
    return Decision(
        is_permitted=reason is None,
        reason=reason or Reason.ACCEPTED,
        service=tie.service,
        clause=offered.clause if offered else None,
    )


def _why_not(
    tie: Standing, offered: Offered | None, ask: Ask, *, used: int, now: datetime
) -> Reason | None:
    terms = tie.terms
    denials = {
        Reason.WITHDRAWN: tie.state is State.WITHDRAWN,
        Reason.ENDED: tie.state is State.ENDED,
        Reason.NOT_IN_FORCE: tie.state is not State.IN_FORCE,
        Reason.ELSEWHERE: offered is not None and offered.system is not None,
        Reason.CLOCK: abs(ask.at - now) > TOLERANCE,
        Reason.SERVICE_OVER: offered is None or not _is_offered(offered, business_date(ask.at)),
        Reason.TERM: not (terms.covers(ask.at) and terms.covers(now)),
        Reason.ITEM: not ask.items or not ask.items <= terms.items,
        Reason.CHANNEL: ask.channel not in terms.channels,
        Reason.FREQUENCY: used >= terms.frequency.times,
    }
    return next((reason for reason, holds in denials.items() if holds), None)


def _is_offered(offered: Offered, on: date) -> bool:
    is_over = offered.last is not None and on > offered.last
    return offered.first <= on and not is_over and not offered.is_deleted


class Agent:
    """Asks the registry of one municipality, and counts what it permitted."""

    def __init__(self, store: StateStore, *, tenant: str, clock: Clock) -> None:
        self._store = store
        self._tenant = tenant
        self._clock = clock

    def may(
        self, tie: str, items: Collection[str], channel: Channel, at: datetime | None = None
    ) -> Decision:
        """Say whether something would be permitted now; nothing is counted."""
        ask = self._ask(tie, items, channel, at)
        return self._store.read(lambda connection: self._decide(connection, ask))

    def use(
        self,
        tie: str,
        items: Collection[str],
        channel: Channel,
        *,
        use: str,
        at: datetime | None = None,
    ) -> Decision:
        """Permit one call or notice and count it, in one commit; nothing is counted when denied.

        ``use`` is the caller's id of it: asked again within :data:`RETRY` it is counted once, and
        permitted only if the tie still permits it otherwise.
        """
        ask = self._ask(tie, items, channel, at)

        def work(connection: sa.Connection) -> Decision:
            mine = sa.and_(ties.c.tenant == self._tenant, ties.c.tie == tie)
            connection.execute(sa.select(ties.c.tie).where(mine).with_for_update())
            held.lock(connection, self._tenant, tie)
            before = taken(connection, self._tenant, tie, use)
            decision = self._decide(connection, ask, without=use if before else None)
            if not decision.is_permitted:
                return decision
            if before is not None:
                asked, at = before
                is_again = asked == ask.hash and ask.at - at <= RETRY
                return decision if is_again else _denied(Reason.USE_TAKEN)
            add_use(connection, self._tenant, tie, use=use, asked=ask.hash, at=ask.at)
            return decision

        return self._store.write(work, key=tie)

    # -- inside ---------------------------------------------------------------------------------

    def _ask(self, tie: str, items: Collection[str], channel: Channel, at: datetime | None) -> Ask:
        when = at or self._clock.now()
        return Ask(tie=tie, items=frozenset(items), channel=channel, at=when)

    def _decide(
        self, connection: sa.Connection, ask: Ask, *, without: str | None = None
    ) -> Decision:
        asked = {"of": self._tenant, "named": ask.tie, "at": to_micros(ask.at)}
        row = connection.execute(_QUESTION, {**asked, "without": without or ""}).first()
        if row is None:
            return self._told(connection, ask, without=without or "")
        try:
            tie = joined_of(row)
            offered = offered_of(row)
        except (TieTouched, ValueError):
            return _denied(Reason.TOUCHED)
        decision = decide(tie, offered, ask, used=row.used, now=self._clock.now())
        return self._held(connection, ask, decision, tie.terms)

    def _told(self, connection: sa.Connection, ask: Ask, *, without: str) -> Decision:
        """Decide about a tie that only the hall told of."""
        try:
            tie = held.held_tie(connection, self._tenant, ask.tie)
        except (TieTouched, ValueError):
            return _denied(Reason.TOUCHED)
        if tie is None:
            return _denied(Reason.UNKNOWN)
        offered = Offered(first=tie.first, last=tie.last, is_deleted=False, clause=tie.clause)
        after = ask.at - tie.terms.frequency.window
        used = count_after(connection, self._tenant, ask.tie, after, without=without)
        decision = decide(tie, offered, ask, used=used, now=self._clock.now())
        return self._held(connection, ask, decision, tie.terms)

    def _held(
        self, connection: sa.Connection, ask: Ask, decision: Decision, terms: Terms
    ) -> Decision:
        """Permit only while the uses that were counted are as they were written."""
        if decision.is_permitted:
            try:
                check_uses(connection, self._tenant, ask.tie, times=terms.frequency.times)
            except TieTouched:
                return _denied(Reason.TOUCHED)
        return decision


def _question() -> sa.Select[Any]:
    """Return the one query: the tie, its last revision, its service, and its uses."""
    window = (
        sa.bindparam("at", type_=sa.BigInteger) - sa.cast(ties.c.days, sa.BigInteger) * _DAY_MICROS
    )
    counted = sa.select(sa.func.count()).where(
        uses.c.tenant == ties.c.tenant,
        uses.c.tie == ties.c.tie,
        uses.c.at > window,
        uses.c.use != sa.bindparam("without"),
    )
    of = sa.and_(services.c.tenant == ties.c.tenant, services.c.service == ties.c.service)
    return (
        sa.select(
            ties,
            *OF_LAST,
            services.c.first_day,
            services.c.last_day,
            services.c.deleted_at,
            services.c.clause,
            services.c.system,
            counted.correlate(ties).scalar_subquery().label("used"),
        )
        .join_from(ties, revisions, AT_LAST, isouter=True)
        .join(services, of, isouter=True)
        .where(ties.c.tenant == sa.bindparam("of"), ties.c.tie == sa.bindparam("named"))
    )


_QUESTION: Final = _question()  # made once: to make it costs as much as to ask it


def _denied(reason: Reason) -> Decision:
    return Decision(is_permitted=False, reason=reason)


def offered_of(row: sa.Row[Any]) -> Offered | None:
    """Return what counts of the service in a row; none: there is none."""
    if row.first_day is None:
        return None
    return Offered(
        first=date.fromisoformat(row.first_day),
        last=date.fromisoformat(row.last_day) if row.last_day else None,
        is_deleted=row.deleted_at is not None,
        clause=row.clause,
        system=row.system,
    )
