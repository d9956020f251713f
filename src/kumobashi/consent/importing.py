"""Take in consents that were recorded elsewhere, thousands in a commit, and write them out again.

A row becomes a record that begins as granted; one that was taken back gets its withdrawal as a
second revision. Where something counts already, the rules of order decide as for every other
statement. Of each commit the evidence has one leaf: the digest over the heads of its records.
"""

import csv
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial
from hashlib import sha256
from typing import Any, TextIO

import sqlalchemy as sa

from kumobashi.consent.channels.unused import end_unused
from kumobashi.consent.incoming import Incoming, Row
from kumobashi.consent.ledger import ConsentLedger
from kumobashi.consent.prevailing import settle, take_back
from kumobashi.consent.records import Method
from kumobashi.consent.sql import fates, records, revisions, standings
from kumobashi.consent.states import Reason, State, Statement
from kumobashi.consent.writing import Pen
from kumobashi.evidence.entries import Entry
from kumobashi.evidence.log import append
from kumobashi.evidence.revisions import Facts, bound, revise
from kumobashi.kernel import JST, from_micros, new_id, to_micros, to_wire
from kumobashi.storage.changes import take_numbers

CHUNK = 5_000  # rows in one commit
SOURCE = "import"
_AT_ONCE = 500  # values named in one statement
_EXPORTED = (
    "resident_no", "purpose", "tier", "version", "granted_on", "withdrawn_on", "given_by",
    "state", "reason", "record",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What became of the rows of a file."""

    granted: int
    withdrawn: int
    known: int  # were there already, from the same file or another like it
    commits: int


def import_all(
    ledger: ConsentLedger,
    rows: Incoming,
    *,
    by: str,
    tell: Callable[[int], None] = lambda _done: None,
) -> Imported:
    """Write all rows without a finding; running it again goes on where it was."""
    granted = withdrawn = known = commits = 0
    for chunk in rows.chunks(CHUNK):

        def work(connection: sa.Connection, chunk: list[Row] = chunk) -> tuple[int, int, int]:
            return _Batch(ledger, connection, by=by).write(chunk)

        found = ledger.store.write(work, key="consents")
        granted, withdrawn, known = (
            granted + found[0],
            withdrawn + found[1],
            known + found[2],
        )
        commits += 1
        tell(granted + withdrawn + known)
    return Imported(granted=granted, withdrawn=withdrawn, known=known, commits=commits)


def export_all(ledger: ConsentLedger, target: TextIO, *, purpose: str | None = None) -> int:
    """Write every record that ever counted as CSV, numbers in the clear; return how many."""
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(_EXPORTED)
    written = 0
    for row in _kept(ledger, purpose):
        if row.subject is None or row.granted_at is None:
            continue
        ended = row.state != State.GRANTED.value
        stated = from_micros(row.stated_at)
        writer.writerow(
            [
                ledger.subjects.open(row.subject),
                row.purpose,
                row.tier,
                row.version,
                stated.astimezone(JST).date().isoformat(),
                from_micros(row.ended_at).astimezone(JST).date().isoformat() if ended else "",
                row.given_by,
                row.state,
                row.reason or "",
                row.record,
            ]
        )
        written += 1
    return written


class _Batch:
    """One commit of an import."""

    def __init__(self, ledger: ConsentLedger, connection: sa.Connection, *, by: str) -> None:
        self._ledger = ledger
        self._connection = connection
        self._by = by
        self._now = ledger.clock.now()
        self._batch = new_id()
        self._texts: dict[tuple[str, int], tuple[str, int | None]] = {}
        self._rows: dict[str, list[dict[str, Any]]] = {"records": [], "revisions": [], "stand": []}
        self._heads = sha256()

    def write(self, chunk: list[Row]) -> tuple[int, int, int]:
        """Write the rows of a chunk; return granted, withdrawn and known."""
        first = take_numbers(self._connection, self._ledger.tenant, len(chunk))
        sealed = [self._ledger.subjects.seal(row.number) for row in chunk]
        standing, fated = self._there(sealed)
        granted = withdrawn = known = 0
        for number, (row, subject) in enumerate(zip(chunk, sealed, strict=True), first):
            if subject in fated or (subject, row.purpose, row.tier.value) in standing:
                if self._one_by_one(row, subject, number):
                    known += 1
                    continue
            else:
                self._put(row, subject, number)
            granted, withdrawn = (
                granted + (row.withdrawn_on is None),
                withdrawn + (row.withdrawn_on is not None),
            )
        tables = {"records": records, "revisions": revisions, "stand": standings}
        for name, rows in self._rows.items():
            if rows:
                self._connection.execute(sa.insert(tables[name]), rows)
        if self._rows["records"]:
            self._note(granted, withdrawn)
        return granted, withdrawn, known

    def _put(self, row: Row, subject: str, sequence: int) -> None:
        """Make the rows of a record where nothing is yet."""
        text, term = self._text(row.purpose, row.version)
        stated = _morning(row.granted_on)
        until = to_micros(stated + timedelta(days=term)) if term else None
        said = self._said(row, text, stated)
        record, salt = new_id(), secrets.token_bytes(16)
        stamp: Facts = {"at": to_wire(self._now), "by": self._by, "sequence": sequence}
        facts: Facts = {
            **said,
            "state": State.GRANTED.value,
            "subject": bound(salt, subject),
            **stamp,
        }
        if until is not None:
            facts["until"] = to_wire(from_micros(until))
        chain = [revise(record, 1, None, facts)]
        ended = _evening(row.withdrawn_on, self._now) if row.withdrawn_on else None
        state, reason = State.GRANTED, None
        if ended:
            state, reason = State.WITHDRAWN, Reason.ASKED.value
            more: Facts = {
                "state": state.value,
                "reason": reason,
                "ended_at": to_wire(ended),
                **stamp,
            }
            chain.append(revise(record, 2, chain[0].hash, more))
        key = {"tenant": self._ledger.tenant, "record": record}
        self._rows["records"].append(
            {
                **key,
                "subject": subject,
                "salt": salt,
                "purpose": row.purpose,
                "tier": row.tier.value,
                "version": row.version,
                "text": text,
                "state": state.value,
                "reason": reason,
                "given_by": row.given_by.value,
                "method": Method.IMPORTED.value,
                "source": SOURCE,
                "stated_at": to_micros(stated),
                "granted_at": to_micros(stated),
                "ended_at": to_micros(ended) if ended else None,
                "until": until,
                "revisions": len(chain),
                "head": chain[-1].hash,
                "batch": self._batch,
            }
        )
        self._rows["revisions"] += [
            {**key, "number": one.number, "hash": one.hash, "body": one.body} for one in chain
        ]
        self._rows["stand"].append(
            {
                **key,
                "subject": subject,
                "purpose": row.purpose,
                "tier": row.tier.value,
                "version": row.version,
                "state": state.value,
                "reason": reason,
                "until": until,
                "stated_at": to_micros(ended or stated),
                "source": SOURCE,
                "arrived": sequence,
                "sequence": sequence,
                "was_ended": ended is not None,
            }
        )
        self._heads.update(f"{record} {chain[-1].hash}\n".encode("ascii"))

    def _one_by_one(self, row: Row, sealed: str, sequence: int) -> bool:
        """Bring a row together with what is there; return whether it was known already."""
        pen = Pen(
            self._connection, self._ledger.tenant, sequence=sequence, now=self._now, by=self._by
        )
        subject = pen.survivor(sealed)
        text, _ = self._text(row.purpose, row.version)
        stated = _morning(row.granted_on)
        for held in pen.all_of(subject, row.purpose, row.tier):
            if (held.source, held.stated_at, held.version) == (SOURCE, stated, row.version):
                return True
        said = self._said(row, text, stated) | {"stated_at": to_micros(stated)}
        begun = pen.begin(State.GRANTED, subject, **said, granted_at=to_micros(stated))
        settle(pen, begun)
        if row.withdrawn_on:
            no = Statement(
                is_yes=False,
                stated_at=_evening(row.withdrawn_on, self._now),
                source=SOURCE,
                sequence=sequence,
            )
            ended = take_back(pen, subject, (row.purpose, row.tier), no, row.given_by)
            tenant = self._ledger.tenant
            end_unused(self._connection, tenant, subject, ended, now=self._now, by=self._by)
        return False

    def _said(self, row: Row, text: str, stated: datetime) -> dict[str, Any]:
        return {
            "purpose": row.purpose,
            "tier": row.tier.value,
            "version": row.version,
            "text": text,
            "given_by": row.given_by.value,
            "method": Method.IMPORTED.value,
            "source": SOURCE,
            "stated_at": to_wire(stated),
        }

    def _there(self, sealed: list[str]) -> tuple[set[tuple[str, str, str]], set[str]]:
        """Return what counts already of some residents, and who of them died or was merged."""
        found, fated = set(), set()
        tenant = self._ledger.tenant
        for at in range(0, len(sealed), _AT_ONCE):
            some = sealed[at : at + _AT_ONCE]
            columns = (standings.c.subject, standings.c.purpose, standings.c.tier)
            mine = sa.and_(standings.c.tenant == tenant, standings.c.subject.in_(some))
            found |= {
                (s, p, t) for s, p, t in self._connection.execute(sa.select(*columns).where(mine))
            }
            theirs = sa.and_(fates.c.tenant == tenant, fates.c.subject.in_(some))
            fated |= set(
                self._connection.execute(sa.select(fates.c.subject).where(theirs)).scalars()
            )
        return found, fated

    def _text(self, purpose: str, version: int) -> tuple[str, int | None]:
        key = (purpose, version)
        if key not in self._texts:
            text = self._ledger.text(purpose)
            self._texts[key] = (text.hash_of(version), text.version(version).valid_days)
        return self._texts[key]

    def _note(self, granted: int, withdrawn: int) -> None:
        entry = Entry(
            event="consent.imported",
            at=self._now,
            by=self._by,
            facts={
                "id": self._batch,
                "revision": f"sha256:{self._heads.hexdigest()}",
                "counts": {"granted": granted, "withdrawn": withdrawn},
            },
        )
        append(self._connection, self._ledger.tenant, entry)


def _kept(ledger: ConsentLedger, purpose: str | None) -> Iterator[sa.Row[Any]]:
    after = ""
    while rows := ledger.store.read(partial(_some, ledger.tenant, purpose, after)):
        yield from rows
        after = rows[-1].record


def _some(
    tenant: str, purpose: str | None, after: str, connection: sa.Connection
) -> Sequence[sa.Row[Any]]:
    query = sa.select(records).where(records.c.tenant == tenant, records.c.record > after)
    if purpose:
        query = query.where(records.c.purpose == purpose)
    return connection.execute(query.order_by(records.c.record).limit(CHUNK)).all()


def _morning(day: date) -> datetime:
    """Return the first moment of a day in Japan: a consent of a day is earlier than all else."""
    return datetime.combine(day, time(), JST)


def _evening(day: date, now: datetime) -> datetime:
    """Return the last moment of a day in Japan, or now: a withdrawal of a day is the last of it."""
    return min(datetime.combine(day, time(23, 59, 59), JST), now)
