"""One transfer as the ledger holds it, on the side that sends and on the side that receives."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any, TypeVar

import sqlalchemy as sa

from kumobashi.exchange.sql import outgoing
from kumobashi.exchange.states import In, Out


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A row of the outbox."""

    tenant: str
    transfer: str
    link: str
    business_date: str
    sequence: int
    attempt: int
    mode: str
    base_transfer: str | None
    state: Out
    plan_hash: str
    bounds_accepted: bool
    facts: dict[str, Any]
    cause: dict[str, Any] | None
    manifest: str | None
    started_at: int
    finished_at: int | None
    to_site: str | None = None  # unknown of rows that an older version began
    rank: int = 20  # the smaller the earlier
    in_order: bool = False  # waits for the transfers of its link before it
    next_try_at: int | None = None
    put_off_at: int | None = None  # when ``next_try_at`` was said
    paused_at: int | None = None
    resends: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A row of the inbox."""

    tenant: str
    transfer: str
    attempt: int
    link: str
    from_site: str
    to_site: str
    state: In
    announcement: dict[str, Any]
    facts: dict[str, Any]
    cause: dict[str, Any] | None
    manifest: str | None
    started_at: int
    finished_at: int | None
    next_try_at: int | None = None
    put_off_at: int | None = None  # when ``next_try_at`` was said


_NAMES = {
    kind: (names, attrgetter(*names))
    for kind in (Outgoing, Incoming)
    for names in [tuple(field.name for field in fields(kind))]
}
Record = TypeVar("Record", Outgoing, Incoming)
_OUTGOING = tuple(outgoing.c.keys())


def outgoing_of(row: sa.Row[Any]) -> Outgoing:
    """Return a row of the outbox, read with all its columns."""
    values = dict(zip(_OUTGOING, row, strict=True))
    values["state"] = Out(values["state"])
    return Outgoing(**values)


def incoming_of(row: sa.Row[Any]) -> Incoming:
    """Return a row of the inbox; without its announcement where that was not read."""
    # ``_fields`` is public, as of a named tuple; ``_mapping`` takes five times as long.
    values = dict(zip(row._fields, row, strict=True))
    values["state"] = In(values["state"])
    values.setdefault("announcement", {})
    return Incoming(**values)


def changed(before: Record, values: Mapping[str, Any]) -> Record:
    """Return a row that is held as it reads once ``values`` stand in its columns.

    Documents among them must be as JSON keeps them, or what is read later differs.
    """
    if not values:
        return before
    names, get = _NAMES[type(before)]
    now = dict(zip(names, get(before), strict=True))  # ``replace`` takes three times as long
    now |= values
    if "state" in values:
        now["state"] = type(before.state)(values["state"])
    return type(before)(**now)
