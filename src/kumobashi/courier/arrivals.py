"""The list of media that were read in here: one that is known changes nothing any more."""

from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from kumobashi.courier.errors import MediumKnown, MediumMissing
from kumobashi.courier.index import Index, Kind
from kumobashi.courier.places import FOLDER
from kumobashi.courier.sql import arrivals
from kumobashi.courier.writing import index_digest
from kumobashi.evidence.entries import Entry, Fact
from kumobashi.evidence.log import append
from kumobashi.kernel import Clock, from_micros, to_micros, to_wire
from kumobashi.storage.state import StateStore

_NEWEST = 1_000  # bundles of one site


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One medium that was, or is being, read in."""

    medium: str
    permit: str
    kind: Kind
    number: int
    from_site: str
    transfer: str | None
    attempt: int | None
    secret: bytes | None = field(repr=False)
    began_at: int
    read_at: int | None


class Arrivals:
    """What media have brought to one site."""

    def __init__(self, store: StateStore, *, tenant: str, clock: Clock) -> None:
        self._store = store
        self._tenant = tenant
        self._clock = clock

    def begin(self, index: Index, token: str) -> Arrival:
        """Note that a medium is being read in; again, after something broke off, it goes on.

        Raises:
            MediumKnown: it was read in to its end before.
        """

        def work(connection: sa.Connection) -> Arrival:
            found = self._find(connection, index.medium)
            if found and found.read_at is not None:
                raise MediumKnown(at=to_wire(from_micros(found.read_at)))
            if found:
                return found
            now = self._clock.now()
            row = {
                "tenant": self._tenant,
                "medium": index.medium,
                "permit": index.permit,
                "kind": index.kind.value,
                "number": index.number,
                "from_site": index.from_site,
                "transfer": index.transfer,
                "attempt": index.attempt,
                "secret": index.secret,
                "began_at": to_micros(now),
                "read_at": None,
            }
            connection.execute(sa.insert(arrivals).values(row))
            made = _arrival(connection.execute(self._one(index.medium)).one())
            self._note(connection, "courier.arrived", made, index_digest(token))
            return made

        return self._store.write(work, key=index.medium)

    def end(self, medium: str) -> Arrival:
        """Note that everything on a medium was taken in; again changes nothing."""

        def work(connection: sa.Connection) -> Arrival:
            found = self._find(connection, medium)
            if found is None:
                raise MediumMissing(folder=FOLDER)
            if found.read_at is None:
                at = to_micros(self._clock.now())
                mine = self._is(medium)
                connection.execute(sa.update(arrivals).where(mine).values(read_at=at))
                self._note(connection, "courier.read", found, None)
            return found

        return self._store.write(work, key=medium)

    def refuse(self, code: str, *, medium: str | None) -> None:
        """Note in the evidence that a medium was refused; ``medium`` where its index was good."""
        facts: dict[str, Fact] = {"code": code, "medium": medium}
        at = self._clock.now()
        entry = Entry(event="courier.refused", at=at, by="local-api", facts=facts)
        self._store.write(lambda held: append(held, self._tenant, entry))

    def get(self, medium: str) -> Arrival:
        """Return one that is being read in, or was; raise ``MediumMissing``."""
        found = self._store.read(lambda held: self._find(held, medium))
        if found is None:
            raise MediumMissing(folder=FOLDER)
        return found

    def of_transfer(self, transfer: str) -> list[Arrival]:
        """Return the media that brought parts of a transfer, the newest first."""
        query = (
            sa.select(arrivals)
            .where(arrivals.c.tenant == self._tenant, arrivals.c.transfer == transfer)
            .order_by(arrivals.c.began_at.desc())
        )
        return self._store.read(lambda held: [_arrival(row) for row in held.execute(query)])

    def brought_from(self, site: str) -> list[tuple[str, int]]:
        """Return transfer and attempt of the bundles that media brought from a site."""
        newest = sa.func.max(arrivals.c.began_at)
        query = (
            sa.select(arrivals.c.transfer, arrivals.c.attempt)
            .where(arrivals.c.tenant == self._tenant, arrivals.c.from_site == site)
            .where(arrivals.c.kind == Kind.BUNDLE.value)
            .group_by(arrivals.c.transfer, arrivals.c.attempt)
            .order_by(newest.desc())
            .limit(_NEWEST)
        )
        return self._store.read(
            lambda held: [(row.transfer, row.attempt) for row in held.execute(query)]
        )

    def _note(
        self, connection: sa.Connection, event: str, arrival: Arrival, index: str | None
    ) -> None:
        facts: dict[str, Fact] = {
            "permit": arrival.permit,
            "medium": arrival.medium,
            "number": arrival.number,
            "from_site": arrival.from_site,
            "transfer": arrival.transfer,
            "attempt": arrival.attempt,
            "id": index,
        }
        entry = Entry(event=event, at=self._clock.now(), by="local-api", facts=facts)
        append(connection, self._tenant, entry)

    def _find(self, connection: sa.Connection, medium: str) -> Arrival | None:
        row = connection.execute(self._one(medium)).first()
        return _arrival(row) if row else None

    def _one(self, medium: str) -> sa.Select[Any]:
        return sa.select(arrivals).where(self._is(medium))

    def _is(self, medium: str) -> sa.ColumnElement[bool]:
        return sa.and_(arrivals.c.tenant == self._tenant, arrivals.c.medium == medium)


def _arrival(row: sa.Row[Any]) -> Arrival:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public way to name columns
    del values["tenant"]
    secret = values["secret"]
    return Arrival(
        **{
            **values,
            "kind": Kind(values["kind"]),
            "secret": None if secret is None else bytes(secret),
        }
    )
