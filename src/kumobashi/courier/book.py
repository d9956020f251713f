"""The book of permits of one site: every change is one commit, with its record of evidence."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from datetime import date
from typing import Any

import sqlalchemy as sa

from kumobashi.courier.errors import PermitUnknown
from kumobashi.courier.index import SECRET_BYTES, Kind
from kumobashi.courier.permits import (
    MediumWritten,
    Permit,
    State,
    Wish,
    check_in_time,
    check_move,
    check_second_person,
)
from kumobashi.courier.sql import permits
from kumobashi.evidence.entries import Entry, Fact
from kumobashi.evidence.log import append
from kumobashi.kernel import Clock, business_date, from_micros, new_id, to_micros
from kumobashi.storage.state import StateStore

_PLAIN = (
    "permit", "link", "transfer", "attempt", "to_site", "purpose", "asked_by", "decided_by",
    "closed_by", "wrong_codes", "secret",
)  # fmt: skip
Also = Callable[[sa.Connection], None]
_SHORTEST = 6  # characters of a permit's number that may stand for the whole


class Book:
    """The permits that one site has asked for."""

    def __init__(self, store: StateStore, *, tenant: str, site: str, clock: Clock) -> None:
        self._store = store
        self._tenant = tenant
        self._site = site
        self._clock = clock

    def ask(
        self,
        *,
        kind: Kind,
        to_site: str,
        wish: Wish,
        link: str | None = None,
        transfer: str | None = None,
        attempt: int | None = None,
    ) -> Permit:
        """Note that somebody asks; a second person decides."""
        permit = Permit(
            permit=new_id(),
            kind=kind,
            link=link,
            transfer=transfer,
            attempt=attempt,
            to_site=to_site,
            labels=wish.labels,
            purpose=wish.purpose,
            return_by=wish.return_by,
            state=State.ASKED,
            asked_by=wish.by,
            asked_at=self._clock.now(),
            decided_by=None,
            decided_at=None,
            closed_by=None,
            closed_at=None,
            media=(),
            wrong_codes=0,
            secret=secrets.token_bytes(SECRET_BYTES),
        )

        def work(connection: sa.Connection) -> Permit:
            connection.execute(sa.insert(permits).values(self._row(permit)))
            self._note(connection, "courier.asked", permit, by=f"account:{wish.by}")
            return permit

        return self._store.write(work, key=permit.permit)

    def decide(self, permit: str, *, is_approved: bool, by: str) -> Permit:
        """Note what the second person says.

        Raises:
            PermitUnknown, PermitMove, SamePerson, PermitOver: nothing was decided.
        """
        then = State.APPROVED if is_approved else State.DECLINED

        def change(now: Permit) -> Permit:
            check_move(now, then)
            check_second_person(now, by)
            if is_approved:
                check_in_time(now, business_date(self._clock.now()))
            at = self._clock.now()
            return replace(now, state=then, decided_by=by, decided_at=at)

        return self._change(permit, change, f"courier.{then.value}", by=f"account:{by}")

    def begin(
        self, permit: str, written: MediumWritten, *, also: Also = lambda _connection: None
    ) -> Permit:
        """Note that a medium is about to be written; the same one again changes nothing.

        ``also`` is what has to be true in the same commit; it raises when it may not be.

        Raises:
            PermitUnknown, PermitMove, PermitOver: nothing may be written.
        """

        def change(now: Permit) -> Permit:
            check_move(now, State.TAKEN)
            check_in_time(now, business_date(self._clock.now()))
            if any(one.medium == written.medium for one in now.media):
                return now
            return replace(now, state=State.TAKEN, media=(*now.media, written))

        return self._change(permit, change, "courier.begun", also=also, medium=written.medium)

    def finish(self, permit: str, medium: str, *, index: str) -> Permit:
        """Note that a medium is whole; ``index`` is the digest of its signed index."""

        def change(now: Permit) -> Permit:
            check_move(now, State.TAKEN)
            media = [replace(m, is_whole=True) if m.medium == medium else m for m in now.media]
            return replace(now, media=tuple(media))

        return self._change(permit, change, "courier.written", medium=medium, id=index)

    def close(self, permit: str, *, is_lost: bool, by: str) -> Permit:
        """Note that the media are back and erased, or lost.

        Raises:
            PermitUnknown, PermitMove: it was not taken.
        """
        then = State.LOST if is_lost else State.RETURNED

        def change(now: Permit) -> Permit:
            check_move(now, then)
            return replace(now, state=then, closed_by=by, closed_at=self._clock.now())

        return self._change(permit, change, f"courier.{then.value}", by=f"account:{by}")

    def count_wrong_code(self, permit: str) -> Permit:
        """Note a code that was not right; it counts for good."""

        def change(now: Permit) -> Permit:
            return replace(now, wrong_codes=now.wrong_codes + 1)

        return self._change(permit, change, "courier.code_wrong", by="operator")

    def get(self, permit: str) -> Permit:
        """Return a permit by its number, or by an end of it that no other has.

        Raises:
            PermitUnknown: there is none, or more than one.
        """
        found = [one for one in self.all() if one.permit == permit]
        if not found and len(permit) >= _SHORTEST:
            found = [one for one in self.all() if one.permit.endswith(permit)]
        if len(found) != 1:
            raise PermitUnknown(permit=permit, site=self._site)
        return found[0]

    def all(self) -> list[Permit]:
        """Return all permits, the newest first."""
        query = (
            sa.select(permits)
            .where(permits.c.tenant == self._tenant)
            .order_by(permits.c.permit.desc())
        )
        return self._store.read(lambda held: [_permit(row) for row in held.execute(query)])

    def of_transfer(self, transfer: str) -> list[Permit]:
        """Return the permits under which a transfer was carried, the newest first."""
        return [one for one in self.all() if one.transfer == transfer]

    def overdue(self) -> list[Permit]:
        """Return permits whose media should be back by now."""
        today = business_date(self._clock.now())
        return [one for one in self.all() if one.is_overdue(today)]

    def _change(
        self,
        permit: str,
        change: Callable[[Permit], Permit],
        event: str,
        *,
        by: str = "local-api",
        also: Also = lambda _connection: None,
        **facts: Fact,
    ) -> Permit:
        def work(connection: sa.Connection) -> Permit:
            row = connection.execute(sa.select(permits).where(mine).with_for_update()).first()
            if row is None:
                raise PermitUnknown(permit=permit, site=self._site)
            now = _permit(row)
            after = change(now)
            also(connection)
            if after != now:
                connection.execute(sa.update(permits).where(mine).values(self._row(after)))
                self._note(connection, event, after, by=by, **facts)
            return after

        mine = sa.and_(permits.c.tenant == self._tenant, permits.c.permit == permit)
        return self._store.write(work, key=permit)

    def _note(
        self, connection: sa.Connection, event: str, permit: Permit, *, by: str, **facts: Fact
    ) -> None:
        said: dict[str, Fact] = {
            "permit": permit.permit,
            "link": permit.link,
            "transfer": permit.transfer,
            "attempt": permit.attempt,
            "to_site": permit.to_site,
            "return_by": permit.return_by.isoformat(),
            "asked_by": permit.asked_by,
            **facts,
        }
        entry = Entry(event=event, at=self._clock.now(), by=by, facts=said)
        append(connection, self._tenant, entry)

    def _row(self, permit: Permit) -> Mapping[str, Any]:
        times = ("asked_at", "decided_at", "closed_at")
        held = {name: getattr(permit, name) for name in times}
        return {
            **{name: getattr(permit, name) for name in _PLAIN},
            **{name: None if at is None else to_micros(at) for name, at in held.items()},
            "tenant": self._tenant,
            "kind": permit.kind.value,
            "labels": list(permit.labels),
            "return_by": permit.return_by.isoformat(),
            "state": permit.state.value,
            "media": [asdict(one) for one in permit.media],
        }


def _permit(row: sa.Row[Any]) -> Permit:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public way to name columns
    del values["tenant"]
    for name in ("asked_at", "decided_at", "closed_at"):
        values[name] = None if values[name] is None else from_micros(values[name])
    return Permit(
        **{
            **values,
            "kind": Kind(values["kind"]),
            "labels": tuple(values["labels"]),
            "return_by": date.fromisoformat(values["return_by"]),
            "state": State(values["state"]),
            "media": tuple(MediumWritten(**one) for one in values["media"]),
            "secret": bytes(values["secret"]),
        }
    )
