"""Search a site's evidence, the newest first, and prove that one record is what was signed.

Nothing is indexed beside the log: a search walks it backwards, leaves out what was signed well
before or after the days that are asked for, and stops when its page is full or it has looked at
``MOST_LOOKED`` records; where it stopped, the next page goes on. So a page costs the same in a log
of a thousand records and of a hundred million.
"""

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

import sqlalchemy as sa

from kumobashi.evidence.checkpoints import parse
from kumobashi.evidence.errors import RecordNotFound
from kumobashi.evidence.log import Nodes, newest_note, size_of, stored, stored_before
from kumobashi.evidence.merkle import inclusion, leaf_hash, root_of_inclusion
from kumobashi.evidence.sql import checkpoints
from kumobashi.kernel import to_micros, to_wire

PER_PAGE: Final = 50
MOST_LOOKED: Final = 200_000  # records that one page looks at
_STEPPED: Final = timedelta(days=1)  # by how much a clock may have been wrong when it signed


class Topic(StrEnum):
    """What records speak of, as an auditor looks for it."""

    ACCESS = "access"  # who looked, who was refused, who may do what
    TRANSFER = "transfer"
    DECISION = "decision"  # plans, agreements
    PERSON = "person"  # residents' requests, consents, ties, single cases
    INCIDENT = "incident"
    LOG = "log"  # what this log and those of others say of each other


_OF: Final[Mapping[Topic, tuple[str, ...]]] = {
    Topic.ACCESS: ("access.",),
    Topic.TRANSFER: ("transfer.", "bundle.", "receipt.", "link.", "holding.", "courier."),
    Topic.DECISION: ("plan.", "agreement.", "permit."),
    Topic.PERSON: ("individual.", "person.", "request.", "consent.", "tie."),
    Topic.INCIDENT: ("incident.",),
    Topic.LOG: ("checkpoint.", "peer."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceWish:
    """Which records are wanted; what is empty asks for all."""

    since: datetime | None = None
    until: datetime | None = None  # the first moment that is no longer wanted
    topic: Topic | None = None
    by: str = ""  # an account's name, or whoever else a record names
    q: str = ""  # a link, a transfer, a site or a code, whole
    before: int | None = None  # only records with a lower number: where the last page stopped

    @property
    def narrows(self) -> bool:
        """Whether some records are left out."""
        return any((self.since, self.until, self.topic, self.by, self.q))

    def takes(self, said: Mapping[str, Any]) -> bool:
        """Whether a record is wanted."""
        at, by = str(said.get("at")), str(said.get("by"))
        return (
            (self.since is None or at >= to_wire(self.since))
            and (self.until is None or at < to_wire(self.until))
            and (self.topic is None or str(said.get("event")).startswith(_OF[self.topic]))
            and (not self.by or self.by in {by, by.removeprefix("account:"), said.get("account")})
            and (not self.q or self.q in map(str, said.values()))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidencePage:
    """Some records, the newest first; ``older``: whence the next page goes on, none at the end."""

    records: tuple[tuple[int, Mapping[str, Any]], ...]
    older: int | None
    looked: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvedRecord:
    """One record, and the way from it to what was signed (RFC 9162, 2.1.3)."""

    number: int
    body: bytes
    said: Mapping[str, Any]
    size: int | None  # of the checkpoint that covers it first; none: not signed yet
    note: str | None
    proof: tuple[bytes, ...]
    is_sound: bool | None  # whether the way leads to the signed root; none: not signed yet

    def portable(self) -> dict[str, Any]:
        """Return the same for programs: bytes in base64, the note as it was signed."""
        return {
            "number": self.number,
            "record": base64.b64encode(self.body).decode(),
            "leaf_hash": base64.b64encode(leaf_hash(self.body)).decode(),
            "size": self.size,
            "proof": [base64.b64encode(part).decode() for part in self.proof],
            "checkpoint": self.note,
        }


def search(
    connection: sa.Connection,
    tenant: str,
    wish: EvidenceWish,
    *,
    most: int = PER_PAGE,
    most_looked: int = MOST_LOOKED,
) -> EvidencePage:
    """Return up to ``most`` records, the newest first."""
    found: list[tuple[int, Mapping[str, Any]]] = []
    looked, low = 0, first_number(connection, tenant, wish.since)
    high = _end_of(connection, tenant, wish)
    for number, _, body in stored_before(connection, tenant, high, low):
        if len(found) == most or looked == most_looked:
            return EvidencePage(records=tuple(found), older=number + 1, looked=looked)
        looked += 1
        said = read_body(body)
        if wish.takes(said):
            found.append((number, said))
    return EvidencePage(records=tuple(found), older=None, looked=looked)


def each(
    connection: sa.Connection, tenant: str, wish: EvidenceWish, *, most: int
) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield up to ``most`` records, the newest first: for a file."""
    left = most
    low, high = first_number(connection, tenant, wish.since), _end_of(connection, tenant, wish)
    for number, _, body in stored_before(connection, tenant, high, low):
        said = read_body(body)
        if wish.takes(said):
            if not left:
                return
            left -= 1
            yield number, said


def prove_record(connection: sa.Connection, tenant: str, number: int) -> ProvedRecord:
    """Return a record with its proof, checked on the spot.

    Raises:
        RecordNotFound: there is none of that number.
        RecordRemoved: one beside it is gone, so there is no proof.
    """
    held = list(stored(connection, tenant, number, number + 1))
    if not held:
        raise RecordNotFound
    body = held[0][2]
    query = (
        sa.select(checkpoints.c.note)
        .where(checkpoints.c.tenant == tenant, checkpoints.c.size > number)
        .order_by(checkpoints.c.size)
        .limit(1)
    )
    note: str | None = connection.execute(query).scalar()
    if note is None:
        return ProvedRecord(
            number=number, body=body, said=read_body(body), size=None, note=None, proof=(),
            is_sound=None,
        )  # fmt: skip
    signed = parse(note)
    proof = tuple(inclusion(number, signed.size, Nodes(connection, tenant)))
    leads_to = root_of_inclusion(leaf_hash(body), number, signed.size, proof)
    return ProvedRecord(
        number=number, body=body, said=read_body(body), size=signed.size, note=note, proof=proof,
        is_sound=leads_to == signed.root,
    )  # fmt: skip


def read_body(body: bytes) -> Mapping[str, Any]:
    """Return what a record says; nothing when somebody made it unreadable."""
    try:
        said = json.loads(body)
    except ValueError:
        said = None
    return said if isinstance(said, dict) else {}


def newest_signed(connection: sa.Connection, tenant: str) -> tuple[int, int] | None:
    """Return the size of the newest checkpoint and when it was signed, in microseconds."""
    if (note := newest_note(connection, tenant)) is None:
        return None
    size = parse(note).size
    query = sa.select(checkpoints.c.at).where(
        checkpoints.c.tenant == tenant, checkpoints.c.size == size
    )
    return size, connection.execute(query).scalar_one()


def first_number(connection: sa.Connection, tenant: str, since: datetime | None) -> int:
    """Return a number before which no record is as young as ``since``."""
    if since is None:
        return 0
    query = sa.select(sa.func.max(checkpoints.c.size)).where(
        checkpoints.c.tenant == tenant, checkpoints.c.at < to_micros(since - _STEPPED)
    )
    return connection.execute(query).scalar() or 0


def _end_of(connection: sa.Connection, tenant: str, wish: EvidenceWish) -> int:
    """Return a number from which on no record is wanted."""
    size = size_of(connection, tenant)
    if wish.before is not None:
        size = min(size, wish.before)
    if wish.until is None:
        return size
    query = sa.select(sa.func.min(checkpoints.c.size)).where(
        checkpoints.c.tenant == tenant, checkpoints.c.at > to_micros(wish.until + _STEPPED)
    )
    return min(size, connection.execute(query).scalar() or size)
