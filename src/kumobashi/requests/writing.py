"""How the tables of requests change: the row, a revision and a leaf of evidence, in one commit.

Everything here runs inside the caller's transaction. The row of a request is locked before it is
read, so two acts on one request wait for each other.
"""

import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa

from kumobashi.crypto.canonical import canonical, digest
from kumobashi.evidence.entries import Entry
from kumobashi.evidence.log import append
from kumobashi.evidence.revisions import Revision, revise
from kumobashi.kernel import business_date, new_id, to_micros, to_wire
from kumobashi.requests.errors import (
    RequestBefore,
    RequestInFuture,
    RequestTwice,
    RequestUnfit,
    RequestUnknown,
)
from kumobashi.requests.records import Details, Request, kept, request_of
from kumobashi.requests.sql import requests, revisions
from kumobashi.requests.states import LIVE, Act, Kind, State, check_act

EVENT: Final = "request.moved"
_SALT_BYTES: Final = 16
_SEALED: Final = re.compile(r"[0-9a-f]{32,80}")  # longer than any number of a resident


class Pen:
    """Writes requests of one municipality inside one transaction."""

    def __init__(
        self, connection: sa.Connection, tenant: str, *, now: datetime, by: str, on: date | None
    ) -> None:
        self.connection = connection
        self.now = now
        self.today = business_date(now)
        self.on = on or self.today  # the day that the act is dated
        self._tenant = tenant
        self._by = by

    def begin(self, subject: str, kind: Kind, details: Details) -> Request:
        """Write a new request with its first revision; raise ``RequestTwice``."""
        if not _SEALED.fullmatch(subject):
            raise RequestUnfit(
                field="subject", expected_ja="封じた番号", expected="a sealed number"
            )
        self._check_day(None)
        live = live_of(details)
        same = sa.and_(
            requests.c.tenant == self._tenant,
            requests.c.subject == subject,
            requests.c.kind == kind.value,
            requests.c.live == live,
        )
        if held := self.connection.execute(sa.select(requests.c.request).where(same)).scalar():
            raise RequestTwice(request=held)
        request = new_id()
        row = {
            "tenant": self._tenant,
            "request": request,
            "subject": subject,
            "salt": secrets.token_bytes(_SALT_BYTES),
            "kind": kind.value,
            "state": State.RECEIVED.value,
            "received_on": self.on.isoformat(),
            "live": live,
            "facts": details.encode(),
            "texts": "{}",
            "since": to_micros(self.now),
            "revisions": 0,
            "head": "-",
        }
        self.connection.execute(sa.insert(requests).values(row))
        self._revise(request, Act.RECEIVE, before=None)
        return self.one(request)

    def move(
        self, held: Request, act: Act, details: Details, texts: Mapping[str, str] | None = None
    ) -> Request:
        """Move a request and add a revision.

        Raises:
            RequestMove, RequestInFuture, RequestBefore: nothing was written.
        """
        then = check_act(held.state, act)
        self._check_day(held)
        said = {**held.texts, **(texts or {})}
        changed: dict[str, Any] = {
            "state": then.value,
            "facts": replace(details, last_on=self.on).encode(),
            "texts": canonical(said).decode(),
        }
        if then not in LIVE:
            changed["live"] = None
        if then is not held.state:
            changed["since"] = to_micros(self.now)
        self.connection.execute(sa.update(requests).where(self._mine(held.request)).values(changed))
        self._revise(held.request, act, before=held.state)
        return self.one(held.request)

    def one(self, request: str) -> Request:
        """Return a request, locked until the commit; raise ``RequestUnknown, RequestTouched``."""
        row = self.connection.execute(
            sa.select(requests).where(self._mine(request)).with_for_update()
        ).first()
        if row is None:
            raise RequestUnknown(request=request)
        found = self.connection.execute(
            sa.select(revisions).where(
                revisions.c.tenant == self._tenant,
                revisions.c.request == request,
                revisions.c.number == row.revisions,
            )
        ).first()
        last = (
            Revision(number=found.number, hash=found.hash, body=bytes(found.body))
            if found
            else None
        )
        return request_of(row, last)

    def _check_day(self, held: Request | None) -> None:
        if self.on > self.today:
            raise RequestInFuture(on=self.on.isoformat(), today=self.today.isoformat())
        if held is not None and self.on < held.details.last_on:
            raise RequestBefore(on=self.on.isoformat(), last=held.details.last_on.isoformat())

    def _revise(self, request: str, act: Act, *, before: State | None) -> None:
        row = self.connection.execute(sa.select(requests).where(self._mine(request))).one()
        number = row.revisions + 1
        facts = {
            **kept(row),
            "act": act.value,
            "at": to_wire(self.now),
            "on": self.on.isoformat(),
            "by": self._by,
        }
        revision = revise(request, number, row.head if number > 1 else None, facts)
        head = {"revisions": number, "head": revision.hash}
        self.connection.execute(sa.update(requests).where(self._mine(request)).values(head))
        self.connection.execute(
            sa.insert(revisions).values(
                {
                    "tenant": self._tenant,
                    "request": request,
                    "number": number,
                    "hash": revision.hash,
                    "body": revision.body,
                }
            )
        )
        said = json.loads(row.facts)
        decided = said["decision"] if act is Act.DECIDE else None
        counts = {"days_late": said["days_late"]} if decided else None
        if act is Act.CARRY_OUT:
            counts = {"receivers": len(said["receivers"])}
        leaf = {
            "id": request,
            "code": row.kind,
            "act": act.value,
            "before": before.value if before else None,
            "after": row.state,
            "business_date": self.on.isoformat(),
            "reason": decided["outcome"] if decided else None,
            "counts": counts,
            "revision": revision.hash,
            "number": number,
        }
        entry = Entry(event=EVENT, at=self.now, by=self._by, facts=leaf)
        append(self.connection, self._tenant, entry)

    def _mine(self, request: str) -> sa.ColumnElement[bool]:
        return sa.and_(requests.c.tenant == self._tenant, requests.c.request == request)


def live_of(details: Details) -> str:
    """Return what two live requests of one resident and kind may not share."""
    return digest(canonical(sorted(details.links)))
