"""The book of incidents: every act is one commit of the row, a revision and a leaf of evidence."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from kumobashi.crypto.canonical import digest
from kumobashi.evidence.entries import Entry
from kumobashi.evidence.log import append
from kumobashi.evidence.revisions import Revision, faults, revise
from kumobashi.kernel import Clock, new_id, to_micros, to_wire
from kumobashi.papers.errors import IncidentTouched, IncidentUnknown, OpenerCloses
from kumobashi.papers.incidents import (
    Act,
    Closing,
    Incident,
    State,
    after,
    check_move,
    check_new,
    closed_of,
    filed_of,
    told_of,
)
from kumobashi.papers.sql import incidents, revisions
from kumobashi.storage.state import StateStore

_KEY: Final = "incidents"
_FILING: Final = {"prompt": Act.FILE_PROMPT, "final": Act.FILE_FINAL}
_SHORTEST: Final = 6  # characters of an id's end that may stand for the whole
Change = Callable[[Incident], Incident]


class IncidentBook:
    """The incidents of one municipality, kept at the site that sends the link."""

    def __init__(self, store: StateStore, *, tenant: str, clock: Clock) -> None:
        self._store = store
        self._tenant = tenant
        self._clock = clock

    def open(self, found: Incident, *, by: str) -> Incident:
        """Note a new incident; its id and state are made here. Raise ``IncidentUnfit``."""
        now = self._clock.now()
        new = check_new(replace(found, incident=new_id(), state=State.OPEN, number=1), now)

        def work(connection: sa.Connection) -> Incident:
            row = {"tenant": self._tenant, "incident": new.incident, "state": new.state.value}
            row |= {"head": "-"}
            counts = {"noticed_at": to_micros(new.noticed), "revisions": 0}
            connection.execute(sa.insert(incidents).values({**row, **counts}))
            return self._revise(connection, new, Act.OPEN, by=by, now=now, before=None)

        return self._store.write(work, key=_KEY)

    def amend(self, incident: str, change: Change, *, by: str) -> Incident:
        """Change what is known; raise ``IncidentUnknown``, ``IncidentMove``, ``IncidentUnfit``."""
        return self._act(incident, Act.AMEND, lambda held, now: check_new(change(held), now), by=by)

    def tell(self, incident: str, office: str, at: datetime, *, by: str) -> Incident:
        """Note that another office was told."""
        return self._act(
            incident, Act.TELL, lambda held, now: told_of(held, office, at, now), by=by
        )

    def file(self, incident: str, report: str, at: datetime, *, by: str) -> Incident:
        """Note that the prompt or final report was filed; a final one without one does for both."""
        return self._act(
            incident, _FILING[report], lambda held, now: filed_of(held, report, at, now), by=by
        )

    def close(self, incident: str, closing: Closing, note: str, *, by: str) -> Incident:
        """Close it; unreported, by another person than who noted it: raise ``OpenerCloses``."""

        def check(connection: sa.Connection, held: Incident) -> None:
            if closing is Closing.REPORTED:
                return
            first = self._chain(connection, held.incident)[0]
            if first.said.get("by") == by:
                raise OpenerCloses

        return self._act(
            incident,
            Act.CLOSE,
            lambda held, _now: closed_of(held, closing, note),
            by=by,
            check=check,
        )

    # -- reading --------------------------------------------------------------------------------

    def one(self, incident: str) -> Incident:
        """Return an incident by its id, or an end of it that no other has.

        Raises:
            IncidentUnknown, IncidentTouched: it cannot be shown.
        """
        return self._store.read(lambda connection: self._one(connection, incident))

    def all(self, *, closed: bool = False) -> tuple[list[Incident], list[IncidentTouched]]:
        """Return the incidents, the newest first, and what is not as it was written."""

        def work(connection: sa.Connection) -> tuple[list[Incident], list[IncidentTouched]]:
            query = sa.select(incidents).where(incidents.c.tenant == self._tenant)
            found: list[Incident] = []
            wrong: list[IncidentTouched] = []
            for row in connection.execute(query.order_by(incidents.c.incident.desc())):
                try:
                    held = self._held(connection, row)
                except IncidentTouched as touched:
                    wrong.append(touched)
                    continue
                if closed or held.state is not State.CLOSED:
                    found.append(held)
            return found, wrong

        return self._store.read(work)

    def history(self, incident: str) -> list[dict[str, Any]]:
        """Return what every revision says, verified, the oldest first; raise as :meth:`one`."""

        def work(connection: sa.Connection) -> list[dict[str, Any]]:
            held = self._one(connection, incident)
            chain = self._chain(connection, held.incident)
            _check_chain(held.incident, chain)
            return [{**one.said, "hash": one.hash} for one in chain]

        return self._store.read(work)

    # -- inside ---------------------------------------------------------------------------------

    def _act(
        self,
        incident: str,
        act: Act,
        change: Callable[[Incident, datetime], Incident],
        *,
        by: str,
        check: Callable[[sa.Connection, Incident], None] | None = None,
    ) -> Incident:
        now = self._clock.now()

        def work(connection: sa.Connection) -> Incident:
            held = self._one(connection, incident, hold=True)
            then = check_move(held, act)
            made = replace(change(held, now), state=then, number=held.number + 1)
            if check:
                check(connection, held)
            return self._revise(connection, made, act, by=by, now=now, before=held.state)

        return self._store.write(work, key=_KEY)

    def _revise(
        self,
        connection: sa.Connection,
        made: Incident,
        act: Act,
        *,
        by: str,
        now: datetime,
        before: State | None,
    ) -> Incident:
        row = connection.execute(sa.select(incidents).where(self._mine(made.incident))).one()
        previous = row.head if made.number > 1 else None
        facts = {
            "act": act.value,
            "at": to_wire(now),
            "by": by,
            "state": made.state.value,
            "noticed_at": to_micros(made.noticed),
            "content": made.encode(),
        }
        revision = revise(made.incident, made.number, previous, facts)
        kept = {"tenant": self._tenant, "incident": made.incident, "number": made.number}
        kept |= {"hash": revision.hash, "body": revision.body}
        connection.execute(sa.insert(revisions).values(kept))
        changed = {
            "state": made.state.value,
            "noticed_at": to_micros(made.noticed),
            "revisions": made.number,
            "head": revision.hash,
        }
        connection.execute(sa.update(incidents).where(self._mine(made.incident)).values(changed))
        entry = Entry(
            event="incident.moved",
            at=now,
            by=by,
            facts={
                "id": made.incident,
                "link": made.link,
                "act": act.value,
                "before": before.value if before else None,
                "after": made.state.value,
                "revision": revision.hash,
                "number": made.number,
            },
        )
        append(connection, self._tenant, entry)
        return made

    def _one(self, connection: sa.Connection, incident: str, *, hold: bool = False) -> Incident:
        query = sa.select(incidents).where(self._mine(incident))
        row = connection.execute(query.with_for_update() if hold else query).first()
        if row is None and len(incident) >= _SHORTEST and incident.isascii():
            ends = sa.select(incidents.c.incident).where(
                incidents.c.tenant == self._tenant,
                incidents.c.incident.endswith(incident, autoescape=True),
            )
            ids = list(connection.execute(ends.limit(2)).scalars())
            if len(ids) == 1:
                return self._one(connection, ids[0], hold=hold)
        if row is None:
            raise IncidentUnknown(incident=incident)
        return self._held(connection, row)

    def _held(self, connection: sa.Connection, row: sa.Row[Any]) -> Incident:
        """Return an incident; raise ``IncidentTouched`` unless the row is its last revision."""
        kept = connection.execute(
            sa.select(revisions).where(
                revisions.c.tenant == self._tenant,
                revisions.c.incident == row.incident,
                revisions.c.number == row.revisions,
            )
        ).first()
        if kept is None:
            raise _touched(row.incident, row.revisions, "missing")
        last = Revision(number=kept.number, hash=kept.hash, body=bytes(kept.body))
        if not digest(last.body) == last.hash == row.head:
            raise _touched(row.incident, row.revisions, "altered")
        said = last.said
        repeated = {"record": row.incident, "number": row.revisions, "state": row.state}
        repeated["noticed_at"] = row.noticed_at
        if any(said.get(name) != value for name, value in repeated.items()):
            raise _touched(row.incident, row.revisions, "the row says otherwise")
        try:
            return Incident.decode(
                row.incident, row.revisions, State(row.state), str(said.get("content"))
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            raise _touched(row.incident, row.revisions, "unreadable") from None

    def _chain(self, connection: sa.Connection, incident: str) -> Sequence[Revision]:
        query = sa.select(revisions).where(
            revisions.c.tenant == self._tenant, revisions.c.incident == incident
        )
        return [
            Revision(number=row.number, hash=row.hash, body=bytes(row.body))
            for row in connection.execute(query.order_by(revisions.c.number))
        ]

    def _mine(self, incident: str) -> sa.ColumnElement[bool]:
        return sa.and_(incidents.c.tenant == self._tenant, incidents.c.incident == incident)


def _check_chain(incident: str, chain: Sequence[Revision]) -> None:
    for number, what in faults(incident, chain, _follows):
        raise _touched(incident, number, what)


def _follows(before: Any, said: Any) -> bool:  # noqa: ANN401 - JSON of a revision
    try:
        act, then = Act(said.get("act")), State(said.get("state"))
        if before is None:
            return (act, then) == (Act.OPEN, State.OPEN)
        return after(State(before.get("state")), act) is then
    except ValueError:
        return False


def _touched(incident: str, number: int, what: str) -> IncidentTouched:
    return IncidentTouched(incident=incident, number=number, what=what)
