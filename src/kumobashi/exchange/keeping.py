"""The book of holdings: begun when a transfer was applied, ended by a ``deleted`` receipt.

Entries are made from what the ledger has: :meth:`Holdings.discover` finds every applied transfer
without one. So there is no moment at which a crash could lose an entry, and transfers of before
this release are found too.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, Final

import sqlalchemy as sa

from kumobashi.evidence.entries import Entry
from kumobashi.evidence.log import append
from kumobashi.exchange import noting
from kumobashi.exchange.deletion_errors import BaseInUse, NothingHeld
from kumobashi.exchange.errors import IllegalMove
from kumobashi.exchange.holding_tables import holdings
from kumobashi.exchange.holdings import OVER, Holding, Keeping, check_move
from kumobashi.exchange.leases import Lease, Side, check_fence
from kumobashi.exchange.sql import incoming, outgoing, receipts
from kumobashi.exchange.states import OUT_FINAL, In, Out
from kumobashi.kernel import Clock, to_micros
from kumobashi.messages.manifest import kept_manifest
from kumobashi.messages.receipts import Receipt, Stage, kept_receipt
from kumobashi.storage.state import StateStore

OUT: Final[Side] = "out"
IN: Final[Side] = "in"
_MOST = 10_000  # found at once; the rest is found the next time
_IN_ONE_COMMIT = 200
_RED_AFTER = timedelta(days=1)
_LOOK_BACK = timedelta(minutes=10)  # a clock may have been set back a little
Row = dict[str, Any]
_UNDER_WAY = tuple(state.value for state in Out if state not in OUT_FINAL)
_OPEN = tuple(state.value for state in Keeping if state not in OVER)


class Holdings:
    """What receivers hold, as one gateway knows it: what it sent, and what it received."""

    def __init__(
        self, store: StateStore, tenant: str, clock: Clock, *, lease: Lease | None = None
    ) -> None:
        self._store = store
        self._tenant = tenant
        self._clock = clock
        self._lease = lease
        self._since = 0

    def under(self, lease: Lease) -> "Holdings":
        """Return the same book, whose changes are refused once ``lease`` is another's."""
        return Holdings(self._store, self._tenant, self._clock, lease=lease)

    def discover(self) -> int:
        """Make an entry for every applied transfer that has none; return how many."""
        found, began = 0, self._clock.now()
        for side, table, state in ((OUT, outgoing, Out.APPLIED), (IN, incoming, In.APPLIED)):
            known = sa.select(holdings.c.transfer).where(
                holdings.c.tenant == self._tenant,
                holdings.c.side == side,
                holdings.c.transfer == table.c.transfer,
                holdings.c.attempt == table.c.attempt,
            )
            decided = outgoing.c.plan_hash if side == OUT else sa.null()
            query = (
                sa.select(table.c.transfer, table.c.attempt, table.c.manifest, decided)
                .where(table.c.tenant == self._tenant, table.c.state == state.value)
                .where(table.c.finished_at >= self._since)
                .where(~known.exists())
                .limit(_MOST)
            )
            there = self._store.read(_asked(query))
            made = [entry for row in there if (entry := self._entry(side, *row)) is not None]
            for start in range(0, len(made), _IN_ONE_COMMIT):
                found += self._begin(side, made[start : start + _IN_ONE_COMMIT])
        if found < _MOST:  # the next time it is enough to look at what has ended since
            self._since = to_micros(began - _LOOK_BACK)
        return found

    def one(self, transfer: str, side: str) -> Holding:
        """Return the entry of a transfer's newest attempt; raise ``NothingHeld``."""
        query = (
            sa.select(holdings)
            .where(self._is(side), holdings.c.transfer == transfer)
            .order_by(holdings.c.attempt.desc())
            .limit(1)
        )
        row = self._store.read(lambda held: held.execute(query).first())
        if row is None:
            raise NothingHeld(transfer=transfer)
        return _holding(row)

    def all(self, side: str, *, limit: int = 10_000) -> list[Holding]:
        """Return the entries, the newest transfer first."""
        query = (
            sa.select(holdings)
            .where(self._is(side))
            .order_by(holdings.c.transfer.desc())
            .limit(limit)
        )
        return self._some(query)

    def pressing(self, side: str, *, limit: int = 1000) -> list[Holding]:
        """Return what there is to do: due, asked for, or begun; the earliest deadline first."""
        begun = [Keeping.ASKED.value, Keeping.DELETING.value]
        resting = [Keeping.HELD.value, Keeping.WAITING.value]
        is_due = sa.and_(
            holdings.c.state.in_(resting), holdings.c.due_at <= to_micros(self._clock.now())
        )
        query = (
            sa.select(holdings)
            .where(self._is(side), sa.or_(holdings.c.state.in_(begun), is_due))
            .order_by(holdings.c.due_at)
            .limit(limit)
        )
        return self._some(query)

    def overdue(self) -> list[Holding]:
        """Return what the receivers of this site's data should have deleted a day ago or more."""
        until = to_micros(self._clock.now() - _RED_AFTER)
        query = (
            sa.select(holdings)
            .where(self._is(OUT), holdings.c.state.in_(_OPEN), holdings.c.due_at <= until)
            .order_by(holdings.c.due_at)
            .limit(1000)
        )
        return self._some(query)

    def ending(self, within: timedelta) -> list[Holding]:
        """Return what receivers of this site's data delete within that time, or have begun to."""
        until = to_micros(self._clock.now() + within)
        query = sa.select(holdings).where(
            self._is(OUT), holdings.c.state.in_(_OPEN), holdings.c.due_at <= until
        )
        return self._some(query)

    def open_(self) -> list[Holding]:
        """Return what this site received and has not deleted, the oldest first."""
        query = (
            sa.select(holdings)
            .where(self._is(IN), holdings.c.state.in_(_OPEN))
            .order_by(holdings.c.transfer)
        )
        return self._some(query)

    def held_of(self, link: str) -> list[Holding]:
        """Return what receivers of this site's data hold of a link, or may."""
        query = sa.select(holdings).where(
            self._is(OUT), holdings.c.link == link, holdings.c.state.in_(_OPEN)
        )
        return self._some(query)

    def emptied(self) -> list[Holding]:
        """Return the newest of each link that came to this site, where that was deleted."""
        newest = (
            sa.select(sa.func.max(holdings.c.applied_at).label("at"), holdings.c.link)
            .where(self._is(IN))
            .group_by(holdings.c.link)
            .subquery()
        )
        query = (
            sa.select(holdings)
            .join(newest, holdings.c.link == newest.c.link)
            .where(self._is(IN), holdings.c.applied_at == newest.c.at)
            .where(holdings.c.state == Keeping.DELETED.value)
        )
        return self._some(query)

    def note_again(self, held: Holding, rows: int) -> None:
        """Note that rows had come back from a backup of the target, and were deleted again."""

        def work(connection: sa.Connection) -> None:
            if self._lease:
                check_fence(connection, self._tenant, self._lease)
            self._note(connection, [noting.deleted_again(held, rows, self._clock.now())])

        self._store.write(work, key=held.transfer)

    def move(
        self, held: Holding, then: Keeping | None, *, by: str | None = None, **columns: object
    ) -> Holding:
        """Move an entry that still stands as ``held`` says, or change what stands beside its state.

        A proof ends it wherever it stands. Durable on return, with its record in the evidence log;
        ``by`` is the account that decides.

        Raises:
            IllegalMove: it may not go there, or has gone elsewhere in the meantime.
            BaseInUse: it is asked for, and a difference to it is under way.
            Fenced: another process works on it.
        """

        def work(connection: sa.Connection) -> Holding:
            if self._lease:
                check_fence(connection, self._tenant, self._lease)
            where = sa.and_(
                self._is(held.side),
                holdings.c.transfer == held.transfer,
                holdings.c.attempt == held.attempt,
            )
            found = connection.execute(sa.select(holdings).where(where).with_for_update())
            now = _holding(found.one())
            values = dict(columns)
            if then is not None:
                check_move(now.state, then)
                if then is not Keeping.DELETED and now.state is not held.state:
                    raise IllegalMove(now=now.state.value, then=then.value)
                if then is Keeping.ASKED and now.side == OUT:
                    self._refuse_base_in_use(connection, now)
                values["state"] = then.value
                values.setdefault("cause", None)
                if then is Keeping.DELETED:
                    values["deleted_at"] = to_micros(self._clock.now())
            changed = sa.update(holdings).where(where).values(values).returning(*holdings.c)
            after = _holding(connection.execute(changed).one())
            self._note(connection, noting.held_on(now, after, self._clock.now(), by=by))
            return after

        return self._store.write(work, key=held.transfer)

    # -- inside ---------------------------------------------------------------------------------

    def _entry(
        self, side: str, transfer: str, attempt: int, manifest: str | None, plan_hash: str | None
    ) -> Row | None:
        """Return the columns of a new entry; nothing where the receipt or the manifest is gone."""
        applied = self._applied(side, transfer, attempt)
        if applied is None or not manifest:
            return None
        said = kept_manifest(manifest)
        kept = said.retention
        return {
            "tenant": self._tenant,
            "side": side,
            "transfer": transfer,
            "attempt": attempt,
            "link": said.link,
            "from_site": said.from_site,
            "to_site": said.to_site,
            "business_date": said.business_date.isoformat(),
            "rows": applied.rows or 0,
            "key": said.key,
            "plan_hash": plan_hash,
            "retention_class": kept.name if kept else None,
            "retention_days": kept.days if kept else None,
            "by_law": kept.is_kept_by_law if kept else False,
            "applied_at": to_micros(applied.at),
            "due_at": to_micros(kept.due(applied.at)) if kept else None,
            "state": Keeping.HELD.value,
            "is_delivered": False,
            "facts": {},
        }

    def _begin(self, side: str, rows: Sequence[Row]) -> int:
        """Make these entries in one commit, those that are not there; return how many."""

        def work(connection: sa.Connection) -> int:
            named = [row["transfer"] for row in rows]
            there = connection.execute(
                sa.select(holdings.c.transfer, holdings.c.attempt).where(
                    self._is(side), holdings.c.transfer.in_(named)
                )
            )
            known = {tuple(row) for row in there}
            fresh = [row for row in rows if (row["transfer"], row["attempt"]) not in known]
            for row in fresh:
                made = connection.execute(sa.insert(holdings).values(row).returning(*holdings.c))
                self._note(connection, [noting.held(_holding(made.one()), self._clock.now())])
            return len(fresh)

        try:
            return self._store.write(work, key="holdings")
        except sa.exc.IntegrityError:  # another process was a moment earlier
            return self._store.write(work, key="holdings")

    def _applied(self, side: str, transfer: str, attempt: int) -> Receipt | None:
        """Return the receipt that says so; it was verified, or made, when it was kept."""
        query = sa.select(receipts.c.jws).where(
            receipts.c.tenant == self._tenant,
            receipts.c.transfer == transfer,
            receipts.c.attempt == attempt,
            receipts.c.side == side,
            receipts.c.stage == Stage.APPLIED.value,
        )
        token = self._store.read(lambda held: held.execute(query).scalar())
        return kept_receipt(token) if token else None

    def _refuse_base_in_use(self, connection: sa.Connection, held: Holding) -> None:
        may_stand_on_it = sa.or_(
            outgoing.c.base_transfer == held.transfer,
            sa.and_(outgoing.c.manifest.is_(None), outgoing.c.mode == "difference"),
        )
        query = (
            sa.select(outgoing.c.transfer)
            .where(outgoing.c.tenant == self._tenant, outgoing.c.link == held.link)
            .where(outgoing.c.state.in_(_UNDER_WAY), may_stand_on_it)
            .limit(1)
        )
        if running := connection.execute(query).scalar():
            raise BaseInUse(transfer=held.transfer, running=running)

    def _note(self, connection: sa.Connection, said: Sequence[Entry]) -> None:
        """Write evidence in the commit of what it speaks of."""
        for entry in said:
            append(connection, self._tenant, entry)

    def _is(self, side: str) -> sa.ColumnElement[bool]:
        return sa.and_(holdings.c.tenant == self._tenant, holdings.c.side == side)

    def _some(self, query: sa.Select[Any]) -> list[Holding]:
        return self._store.read(lambda held: [_holding(row) for row in held.execute(query)])


def _holding(row: sa.Row[Any]) -> Holding:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public way to name columns
    return Holding(**{**values, "state": Keeping(values["state"])})


def _asked(query: sa.Select[Any]) -> Callable[[sa.Connection], Sequence[Any]]:
    return lambda connection: connection.execute(query).all()
