"""Look into the ledger: one record, a resident's, a purpose's; and whether it was touched."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from kumobashi.consent.errors import ConsentUnknown, RevisionTouched
from kumobashi.consent.proving import against_evidence
from kumobashi.consent.records import Record, record_of
from kumobashi.consent.revisions import Kept, verify_chain
from kumobashi.consent.sql import records, revisions, standings
from kumobashi.consent.states import Reason, State, Tier
from kumobashi.consent.writing import Pen, Standing
from kumobashi.evidence.revisions import Revision

if TYPE_CHECKING:
    from kumobashi.consent.ledger import ConsentLedger

_AT_ONCE = 2000  # records in memory while all are verified
_MOST_FAULTS = 100


class Reading:
    """What is in a ledger now."""

    def __init__(self, ledger: "ConsentLedger") -> None:
        self._ledger = ledger
        self._tenant = ledger.tenant

    def record(self, record: str) -> Record:
        """Return a record; raise ``ConsentUnknown``."""
        query = self._records().where(records.c.record == record)
        row = self._ledger.store.read(lambda connection: connection.execute(query).first())
        if row is None:
            raise ConsentUnknown(record=record)
        return record_of(row)

    def of_resident(self, number: str) -> list[Record]:
        """Return a resident's records, also of a number that was merged into another."""
        sealed = self._ledger.subjects.seal(number)

        def work(connection: sa.Connection) -> list[Record]:
            named = {sealed, self._pen(connection).survivor(sealed)}
            query = self._records().where(records.c.subject.in_(sorted(named)))
            return [record_of(row) for row in connection.execute(query.order_by(records.c.record))]

        return self._ledger.store.read(work)

    def listed(
        self, *, purpose: str | None = None, state: State | None = None, limit: int, after: str = ""
    ) -> list[Record]:
        """Return records, the oldest first, after a record."""
        query = self._records().where(records.c.record > after)
        if purpose:
            query = query.where(records.c.purpose == purpose)
        if state:
            query = query.where(records.c.state == state.value)
        query = query.order_by(records.c.record).limit(limit)
        return self._ledger.store.read(
            lambda connection: [record_of(row) for row in connection.execute(query)]
        )

    def standing(self, number: str, purpose: str, tier: Tier) -> Standing | None:
        """Return what counts for one resident."""
        sealed = self._ledger.subjects.seal(number)
        return self._ledger.store.read(
            lambda connection: self._pen(connection).standing(sealed, purpose, tier)
        )

    def rows(self, number: str, purpose: str) -> dict[Tier, sa.Row[Any]]:
        """Return what counts for one resident and a purpose, by tier."""
        query = sa.select(standings).where(
            standings.c.tenant == self._tenant,
            standings.c.subject == self._ledger.subjects.seal(number),
            standings.c.purpose == purpose,
        )
        return self._ledger.store.read(
            lambda connection: {Tier(row.tier): row for row in connection.execute(query)}
        )

    def counted(self) -> dict[tuple[str, str, str], int]:
        """Return how many residents there are by purpose, tier and state."""
        columns = (standings.c.purpose, standings.c.tier, standings.c.state)
        query = (
            sa.select(*columns, sa.func.count())
            .where(standings.c.tenant == self._tenant)
            .group_by(*columns)
            .order_by(*columns)
        )
        return self._ledger.store.read(
            lambda connection: {(p, t, s): n for p, t, s, n in connection.execute(query)}
        )

    def history(self, record: str) -> list[Revision]:
        """Return the revisions of a record; raise ``ConsentUnknown``."""
        self.record(record)
        query = self._revisions(record, record)
        return self._ledger.store.read(
            lambda connection: [
                Revision(number=row.number, hash=row.hash, body=bytes(row.body))
                for row in connection.execute(query)
            ]
        )

    def verify(self, record: str | None = None) -> list[RevisionTouched]:
        """Return what is not as it was written: of each record the first revision, if any."""
        return self._ledger.store.read(lambda connection: self._verify(connection, record))

    # -- inside ---------------------------------------------------------------------------------

    def _verify(self, connection: sa.Connection, only: str | None) -> list[RevisionTouched]:
        found: list[RevisionTouched] = []
        after = ""
        while len(found) < _MOST_FAULTS:
            query = self._records().where(records.c.record > after)
            if only:
                query = query.where(records.c.record == only)
            rows = connection.execute(query.order_by(records.c.record).limit(_AT_ONCE)).all()
            if not rows:
                break
            chains: dict[str, list[Revision]] = {row.record: [] for row in rows}
            strays = set()
            # From behind the last one on: revisions whose record is gone are found as well.
            for said in connection.execute(self._revisions(after, rows[-1].record, not only)):
                one = Revision(number=said.number, hash=said.hash, body=bytes(said.body))
                if said.record in chains:
                    chains[said.record].append(one)
                else:
                    strays.add(said.record)
            found += [
                RevisionTouched(record=stray, number=1, what="its record is gone")
                for stray in sorted(strays)
                if not only
            ]
            for row in rows:
                found += _touched(row, chains[row.record])
            after = rows[-1].record
        found += self._standings_unlike(connection, only)
        if not only:  # the log is gone through once for all
            known = {one.record for one in found}
            told = against_evidence(connection, self._tenant)
            found += [one for one in told if one.record not in known]
        return found[:_MOST_FAULTS]

    def _standings_unlike(
        self, connection: sa.Connection, only: str | None
    ) -> Iterator[RevisionTouched]:
        """Yield standings that say another thing than the record that they stand on."""
        joined = sa.and_(
            records.c.tenant == standings.c.tenant, records.c.record == standings.c.record
        )
        query = (
            sa.select(
                standings.c.record,
                standings.c.subject,
                standings.c.version,
                standings.c.state,
                standings.c.reason,
                standings.c.until,
                records.c.subject.label("r_subject"),
                records.c.version.label("r_version"),
                records.c.state.label("r_state"),
                records.c.until.label("r_until"),
                records.c.revisions,
            )
            .join_from(standings, records, joined, isouter=True)
            .where(standings.c.tenant == self._tenant)
        )
        if only:
            query = query.where(standings.c.record == only)
        granted = State.GRANTED.value
        for row in connection.execute(query):
            is_yes = row.state == granted
            # The fate of a resident ends what counts without touching a record that ended before.
            by_fate = row.reason in {Reason.DIED.value, Reason.MERGED.value}
            is_like = (
                row.r_subject == row.subject
                and row.r_version == row.version
                and (row.r_until == row.until or not is_yes)
                and (row.r_state == row.state or (by_fate and not is_yes))
                and (row.r_state == granted) == is_yes
            )
            if not is_like:
                number = row.revisions or 1
                what = "what counts says otherwise"
                yield RevisionTouched(record=row.record, number=number, what=what)

    def _pen(self, connection: sa.Connection) -> Pen:
        """Return what reads standings; it writes nothing here."""
        return Pen(connection, self._tenant, sequence=0, now=self._ledger.clock.now(), by="-")

    def _records(self) -> sa.Select[tuple[object, ...]]:
        return sa.select(records).where(records.c.tenant == self._tenant)

    def _revisions(
        self,
        first: str,
        last: str,
        is_open: bool = False,  # noqa: FBT001, FBT002 - private
    ) -> sa.Select[tuple[object, ...]]:
        begins = revisions.c.record > first if is_open else revisions.c.record >= first
        return (
            sa.select(revisions)
            .where(revisions.c.tenant == self._tenant, begins, revisions.c.record <= last)
            .order_by(revisions.c.record, revisions.c.number)
        )


def _touched(row: sa.Row[tuple[object, ...]], chain: list[Revision]) -> list[RevisionTouched]:
    kept = Kept(
        record=row.record,
        subject=row.subject,
        salt=bytes(row.salt) if row.salt is not None else None,
        state=row.state,
        purpose=row.purpose,
        tier=row.tier,
        version=row.version,
        text=row.text,
        revisions=row.revisions,
        head=row.head,
        channel=row.channel,
        document=row.document,
    )
    if not chain:
        return [RevisionTouched(record=row.record, number=1, what="missing")]
    try:
        verify_chain(kept, chain)
    except RevisionTouched as found:
        return [found]
    return []
