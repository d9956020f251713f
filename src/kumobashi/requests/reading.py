"""Look into the book: one request, those of a state; and whether it was touched."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import sqlalchemy as sa

from kumobashi.evidence.log import stored
from kumobashi.evidence.revisions import Revision, faults
from kumobashi.evidence.sql import waiting
from kumobashi.requests.errors import RequestTouched, RequestUnknown
from kumobashi.requests.records import Request, request_of
from kumobashi.requests.sql import requests, revisions
from kumobashi.requests.states import Act, Kind, State, after
from kumobashi.requests.writing import EVENT
from kumobashi.storage.state import StateStore

_OURS: Final = f'"event":"{EVENT}"'.encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """Requests, and those that cannot be believed."""

    requests: tuple[Request, ...]
    touched: tuple[RequestTouched, ...]


class Reading:
    """What is in a book now; requests come only if they say what their last revision says."""

    def __init__(self, store: StateStore, *, tenant: str) -> None:
        self._store = store
        self._tenant = tenant

    def one(self, request: str) -> Request:
        """Return a request; raise ``RequestUnknown``, ``RequestTouched``."""
        query = self._query().where(requests.c.request == request)
        found = self._store.read(
            lambda connection: [_request(row) for row in connection.execute(query)]
        )
        if not found:
            raise RequestUnknown(request=request)
        return found[0]

    def listed(self, *, states: tuple[State, ...] = ()) -> Listed:
        """Return all requests, the oldest first, and apart from them those that were touched."""
        query = self._query()
        if states:
            query = query.where(requests.c.state.in_([state.value for state in states]))

        def read(connection: sa.Connection) -> Listed:
            found, touched = [], []
            for row in connection.execute(query).all():
                try:
                    found.append(_request(row))
                except RequestTouched as fault:
                    touched.append(fault)
            return Listed(requests=tuple(found), touched=tuple(touched))

        return self._store.read(read)

    def disclosed_on(self, subject: str) -> date | None:
        """Return when a disclosure to a resident was last carried out here; none: never."""
        query = self._query().where(
            requests.c.subject == subject, requests.c.kind == Kind.DISCLOSURE.value
        )
        found = self._store.read(
            lambda connection: [_request(row) for row in connection.execute(query)]
        )
        days = [one.details.carried_out_on for one in found]
        return max((day for day in days if day is not None), default=None)

    def suspending(self, link: str) -> dict[str, str]:
        """Return by which requests rows may not leave by a link: the request, and whose it is.

        Raises:
            RequestTouched: somebody changed a suspension, so nobody can say who is among them.
        """
        return self._store.read(lambda connection: self.suspending_in(connection, link))

    def suspending_in(self, connection: sa.Connection, link: str) -> dict[str, str]:
        """Return the same, inside a transaction."""
        query = self._query().where(
            requests.c.kind == Kind.SUSPENSION.value,
            requests.c.state.in_((State.CARRIED_OUT.value, State.CLOSED.value)),
        )
        found = map(_request, connection.execute(query))
        return {one.request: one.subject for one in found if one.suspends(link)}

    def history(self, request: str) -> list[Revision]:
        """Return the revisions of a request; raise ``RequestUnknown``."""
        found = self._store.read(lambda connection: self._chain(connection, request))
        if not found:
            raise RequestUnknown(request=request)
        return found

    def verify(self) -> list[RequestTouched]:
        """Return what is not as it was written: of each request the first fault."""
        return self._store.read(self._faults)

    # -- inside ---------------------------------------------------------------------------------

    def _faults(self, connection: sa.Connection) -> list[RequestTouched]:
        found: dict[str, RequestTouched] = {}
        rows = {row.request: row for row in connection.execute(self._query())}
        named = sa.select(revisions.c.request).where(revisions.c.tenant == self._tenant).distinct()
        for request in sorted({*connection.execute(named).scalars(), *rows}):
            chain = self._chain(connection, request)
            for number, what in faults(request, chain, _follows):
                fault = RequestTouched(record=request, number=number, what=what)
                found.setdefault(request, fault)
            if request not in rows:
                fault = RequestTouched(record=request, number=1, what="its row is gone")
                found.setdefault(request, fault)
                continue
            try:
                _request(rows[request])
            except RequestTouched as touched:
                found.setdefault(request, touched)
        for request, fault in self._against_evidence(connection):
            found.setdefault(request, fault)
        return list(found.values())

    def _against_evidence(self, connection: sa.Connection) -> list[tuple[str, RequestTouched]]:
        """Return what the evidence log knows otherwise: a history rewritten, or gone as a whole."""
        query = sa.select(waiting.c.body).where(waiting.c.tenant == self._tenant)
        bodies = [body for _, _, body in stored(connection, self._tenant) if _OURS in body]
        bodies += [bytes(body) for body in connection.execute(query).scalars() if _OURS in body]
        held = sa.select(revisions.c.request, revisions.c.number, revisions.c.hash).where(
            revisions.c.tenant == self._tenant
        )
        kept = {(row.request, row.number): row.hash for row in connection.execute(held)}
        what = "the evidence says otherwise"
        return [
            (said["id"], RequestTouched(record=said["id"], number=said["number"], what=what))
            for said in map(json.loads, bodies)
            if kept.get((said["id"], said["number"])) != said["revision"]
        ]

    def _chain(self, connection: sa.Connection, request: str) -> list[Revision]:
        query = sa.select(revisions).where(
            revisions.c.tenant == self._tenant, revisions.c.request == request
        )
        return [_revision(row) for row in connection.execute(query.order_by(revisions.c.number))]

    def _query(self) -> sa.Select[Any]:
        """Return the rows, each with its last revision."""
        last = sa.and_(
            revisions.c.tenant == requests.c.tenant,
            revisions.c.request == requests.c.request,
            revisions.c.number == requests.c.revisions,
        )
        return (
            sa.select(requests, revisions.c.hash.label("r_hash"), revisions.c.body.label("r_body"))
            .outerjoin_from(requests, revisions, last)
            .where(requests.c.tenant == self._tenant)
            .order_by(requests.c.request)
        )


def _request(row: sa.Row[Any]) -> Request:
    last = None
    if row.r_body is not None:
        last = Revision(number=row.revisions, hash=row.r_hash, body=bytes(row.r_body))
    return request_of(row, last)


def _revision(row: sa.Row[Any]) -> Revision:
    return Revision(number=row.number, hash=row.hash, body=bytes(row.body))


def _follows(before: Mapping[str, Any] | None, said: Mapping[str, Any]) -> bool:
    made = next((one for one in Act if one.value == said.get("act")), None)
    then = next((one for one in State if one.value == said.get("state")), None)
    if made is None or then is None:
        return False
    if before is None:
        return (made, then) == (Act.RECEIVE, State.RECEIVED)
    state = next((one for one in State if one.value == before.get("state")), None)
    return state is not None and after(state, made) is then
