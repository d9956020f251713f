"""The ledger of consents (同意の台帳): what residents state, and what counts.

    apply → check → grant → withdrawn | expired | superseded

A consent may name the channel by which its resident is reached; it is granted only on a proven
address, and an address that no consent rests on any more ends with it.

Every deed is one commit: the record's new state, a revision bound to the one before, what counts
now (``standings``) and a leaf of evidence. What arrives in another order than it was said is put
in order by :func:`kumobashi.consent.states.prevails`; in doubt the no counts.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import TypeVar

import sqlalchemy as sa

from kumobashi.consent.channels.ending import end_of_resident, has_proven
from kumobashi.consent.channels.errors import ChannelUnproven
from kumobashi.consent.channels.states import Channel
from kumobashi.consent.channels.states import Reason as ChannelReason
from kumobashi.consent.channels.unused import end_unused
from kumobashi.consent.errors import ConsentUnknown, PurposeUnknown, TextUnlike
from kumobashi.consent.prevailing import (
    DIED,
    MERGED,
    carry_over,
    end,
    end_standing,
    settle,
    take_back,
)
from kumobashi.consent.records import Application, GivenBy, Method, Record, record_of
from kumobashi.consent.sql import fates, records
from kumobashi.consent.states import (
    Reason,
    State,
    Statement,
    Tier,
    check_time,
)
from kumobashi.consent.subjects import Subjects
from kumobashi.consent.texts import ConsentText
from kumobashi.consent.writing import Pen
from kumobashi.kernel import Clock, to_micros
from kumobashi.storage.state import StateStore

T = TypeVar("T")
Texts = Callable[[], Mapping[str, ConsentText]]
_MOST_EXPIRED = 1000  # records in one commit


class ConsentLedger:
    """The consents of one municipality's residents."""

    def __init__(
        self, store: StateStore, *, tenant: str, subjects: Subjects, texts: Texts, clock: Clock
    ) -> None:
        self.store = store
        self.tenant = tenant
        self.subjects = subjects
        self.clock = clock
        self._texts = texts

    def text(self, purpose: str) -> ConsentText:
        """Return the text of a purpose; raise ``PurposeUnknown``."""
        try:
            return self._texts()[purpose]
        except KeyError:
            raise PurposeUnknown(purpose=purpose) from None

    # -- what residents state -------------------------------------------------------------------

    def apply(self, application: Application, *, by: str) -> Record:
        """Take an application; identity is checked afterwards.

        Raises:
            PurposeUnknown, VersionUnknown, TierUnknown, TextUnlike: of another text.
            StatedInFuture: the clocks are too far apart.
            SubjectUnfit: no number of a resident.
        """
        text = self._fitting(application)
        return self._write(
            application.number,
            by,
            lambda pen, subject: self._begin(pen, subject, application, text),
        )

    def check(
        self,
        record: str,
        method: Method,
        *,
        is_proved: bool = True,
        document: str | None = None,
        by: str,
    ) -> Record:
        """Note that the applicant is the resident, or could not be shown to be.

        ``document`` is the kind of document that was seen at the counter.

        Raises:
            ConsentUnknown, ConsentMove: nothing was changed.
        """

        def work(pen: Pen) -> Record:
            held = self._one(pen, record)
            if is_proved:
                return pen.move(held, State.CHECKED, method=method.value, **_seen(document))
            return pen.move(
                held, State.REFUSED, method=method.value, **end(Reason.NOT_PROVED, pen.now)
            )

        return self._change(by, work)

    def grant(self, record: str, *, by: str) -> Record:
        """Let a checked application count as a consent.

        Raises:
            ConsentUnknown, ConsentMove, ChannelUnproven: nothing was changed.
        """
        return self._change(by, lambda pen: self._grant(pen, self._one(pen, record)))

    def grant_reached(self, subject: str, channel: Channel, *, by: str) -> list[Record]:
        """Grant the checked applications of a sealed number that waited for a proven address."""

        def work(pen: Pen) -> list[Record]:
            query = sa.select(records).where(
                records.c.tenant == self.tenant,
                records.c.subject == pen.survivor(subject),
                records.c.channel == channel.value,
                records.c.state == State.CHECKED.value,
            )
            rows = pen.connection.execute(query.order_by(records.c.record)).all()
            return [self._grant(pen, record_of(row)) for row in rows]

        return self._change(by, work)

    def give(self, application: Application, method: Method, *, by: str) -> Record:
        """Take an application whose applicant stands here and was checked; one commit.

        Raises:
            PurposeUnknown, VersionUnknown, TierUnknown, TextUnlike, StatedInFuture, SubjectUnfit.
            ChannelUnproven: it names a channel without a proven address.
        """
        text = self._fitting(application)

        def work(pen: Pen, subject: str) -> Record:
            held = self._begin(pen, subject, application, text)
            seen = _seen(application.document)
            return self._grant(pen, pen.move(held, State.CHECKED, method=method.value, **seen))

        return self._write(application.number, by, work)

    def withdraw(
        self,
        number: str,
        purpose: str,
        *,
        tier: Tier | None = None,
        stated_at: datetime,
        source: str,
        given_by: GivenBy = GivenBy.SELF,
        by: str,
    ) -> list[Record]:
        """Take consent back, of one tier or of all; it counts when this returns.

        A withdrawal without its consent is kept and wins over one that was given earlier. Returns
        the records that ended, or that stand for the withdrawal alone.

        Raises:
            PurposeUnknown, StatedInFuture, SubjectUnfit: nothing was changed.
        """
        text = self.text(purpose)
        check_time(stated_at, self.clock.now())

        def work(pen: Pen, subject: str) -> list[Record]:
            asked = {Tier(one.tier) for version in text.versions for one in version.tiers}
            there = {one.tier for one in pen.standings(subject) if one.purpose == purpose}
            found: list[Record] = []
            for each in sorted({tier} if tier else asked | there):
                said = Statement(
                    is_yes=False, stated_at=stated_at, source=source, sequence=pen.sequence
                )
                found += take_back(pen, subject, (purpose, each), said, given_by)
            self._end_unused(pen, subject, found, by=by)
            return found

        return self._write(number, by, work)

    # -- what becomes of residents --------------------------------------------------------------

    def died(self, number: str, *, at: datetime, by: str) -> list[Record]:
        """End every consent of a resident who died; none counts any more, also later ones."""

        def work(pen: Pen, subject: str) -> list[Record]:
            pen.seal_fate(subject, DIED, into=None, at=at)
            self._end_addresses(pen, subject, ChannelReason.DIED, by=by)
            return [
                record
                for standing in pen.standings(subject)
                if standing.reason is not Reason.DIED
                for record in end_standing(pen, standing, State.EXPIRED, Reason.DIED)
            ]

        return self._write(number, by, work)

    def merge(self, number: str, into: str, *, by: str) -> list[Record]:
        """Let the records of one number follow another; of two the stricter counts.

        A yes of the old number is carried over only where the survivor has said nothing; what is
        not in force under either number is in force under none.
        """
        survivor = self.subjects.seal(into)

        def work(pen: Pen, subject: str) -> list[Record]:
            target = pen.survivor(survivor)
            if subject == target:
                return []
            found: list[Record] = []
            for held in pen.standings(subject):
                if held.reason is not Reason.MERGED:
                    found += carry_over(pen, held, target)
            pen.seal_fate(subject, MERGED, into=target, at=pen.now)
            self._end_addresses(pen, subject, ChannelReason.MERGED, by=by)
            return found

        return self._write(number, by, work)

    def followed(self, subjects: Collection[str]) -> set[str]:
        """Return sealed numbers, and with them those that they were merged into since."""

        def read(connection: sa.Connection) -> set[str]:
            found, new = set(subjects), set(subjects)
            while new:
                merged = sa.select(fates.c.into).where(
                    fates.c.tenant == self.tenant,
                    fates.c.into.is_not(None),
                    fates.c.subject.in_(sorted(new)),
                )
                new = set(connection.execute(merged).scalars()) - found
                found |= new
            return found

        return self.store.read(read)

    def is_gone(self, number: str) -> bool:
        """Whether the resident of a number died or has another now; raise ``SubjectUnfit``."""
        subject = self.subjects.seal(number)
        mine = sa.and_(fates.c.tenant == self.tenant, fates.c.subject == subject)
        query = sa.select(fates.c.fate).where(mine)
        return self.store.read(lambda connection: connection.execute(query).first() is not None)

    def expire(self) -> int:
        """End what has outlived its term; return how many it were."""
        ended = 0
        while True:
            count = self._change("gateway", self._expire)
            ended += count
            if count < _MOST_EXPIRED:
                return ended

    # -- inside ---------------------------------------------------------------------------------

    def _fitting(self, application: Application) -> str:
        """Return the digest of the text that an application is for."""
        text = self.text(application.purpose)
        text.check(application.version, application.tier)
        expected = text.hash_of(application.version)
        if application.text not in {None, expected}:
            raise TextUnlike(purpose=application.purpose, version=application.version)
        check_time(application.stated_at, self.clock.now())
        return expected

    def _begin(self, pen: Pen, subject: str, said: Application, text: str) -> Record:
        return pen.begin(
            State.APPLIED,
            subject,
            purpose=said.purpose,
            tier=said.tier.value,
            version=said.version,
            text=text,
            given_by=said.given_by.value,
            source=said.source,
            stated_at=to_micros(said.stated_at),
            **({"channel": said.channel.value} if said.channel else {}),
        )

    def _grant(self, pen: Pen, held: Record) -> Record:
        channel, subject = held.channel, held.subject or ""
        if channel and not has_proven(pen.connection, self.tenant, subject, channel):
            raise ChannelUnproven(channel=channel.value)
        term = self.text(held.purpose).version(held.version).valid_days
        until = held.stated_at + timedelta(days=term) if term else None
        held = pen.move(
            held,
            State.GRANTED,
            granted_at=to_micros(pen.now),
            until=to_micros(until) if until else None,
        )
        return settle(pen, held)

    def _expire(self, pen: Pen) -> int:
        query = (
            sa.select(records)
            .where(
                records.c.tenant == self.tenant,
                records.c.state == State.GRANTED.value,
                records.c.until <= to_micros(pen.now),
            )
            .order_by(records.c.until)
            .limit(_MOST_EXPIRED)
        )
        found = [record_of(row) for row in pen.connection.execute(query)]
        for held in found:
            ended = pen.move(held, State.EXPIRED, **end(Reason.TERM, pen.now))
            before = pen.standing(held.subject or "", held.purpose, held.tier)
            if before is not None and before.record == held.record:
                pen.stand(ended, stated=before.stated, before=before, state=State.EXPIRED)
            self._end_unused(pen, held.subject or "", [ended], by="gateway")
        return len(found)

    def _end_unused(self, pen: Pen, subject: str, ended: list[Record], *, by: str) -> None:
        end_unused(pen.connection, self.tenant, subject, ended, now=pen.now, by=by)

    def _end_addresses(self, pen: Pen, subject: str, reason: ChannelReason, *, by: str) -> None:
        end_of_resident(pen.connection, self.tenant, subject, reason, now=pen.now, by=by)

    def _one(self, pen: Pen, record: str) -> Record:
        mine = sa.and_(records.c.tenant == self.tenant, records.c.record == record)
        row = pen.connection.execute(sa.select(records).where(mine)).first()
        if row is None:
            raise ConsentUnknown(record=record)
        return record_of(row)

    def _write(self, number: str, by: str, work: Callable[[Pen, str], T]) -> T:
        sealed = self.subjects.seal(number)
        return self._change(by, lambda pen: work(pen, pen.survivor(sealed)))

    def _change(self, by: str, work: Callable[[Pen], T]) -> T:
        def write(connection: sa.Connection) -> T:
            return work(Pen.open(connection, self.tenant, now=self.clock.now(), by=by))

        return self.store.write(write, key="consents")


def _seen(document: str | None) -> dict[str, str]:
    return {"document": document} if document else {}
