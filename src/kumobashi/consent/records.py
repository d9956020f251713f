"""One record of the ledger, and what somebody states to make one."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from kumobashi.consent.channels.states import Channel
from kumobashi.consent.states import Reason, State, Tier
from kumobashi.kernel import from_micros, from_wire, to_wire

NO_VERSION = 0  # of a withdrawal that stands alone


class GivenBy(StrEnum):
    """Who speaks for the resident."""

    SELF = "self"
    GUARDIAN = "guardian"  # 法定代理人, for a child
    PROXY = "proxy"  # 任意代理人


class Method(StrEnum):
    """How it was made sure that the applicant is the resident."""

    MAILED_CODE = "mailed_code"
    FOUR_ITEMS = "four_items"
    COUNTER = "counter"
    IMPORTED = "imported"  # as somebody else recorded it before


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """What a resident, or who speaks for one, states."""

    number: str  # of the resident; never logged
    purpose: str
    tier: Tier
    version: int
    stated_at: datetime
    source: str  # the desk or channel
    given_by: GivenBy = GivenBy.SELF
    text: str | None = None  # digest of what was shown, where the channel knows it
    channel: Channel | None = None  # by which she is reached; rests on a proven address
    document: str | None = None  # kind of document that was seen at the counter


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A record as the tables have it; the resident stays sealed."""

    record: str
    subject: str | None
    purpose: str
    tier: Tier
    version: int
    text: str
    state: State
    reason: Reason | None
    given_by: GivenBy
    method: Method | None
    source: str
    stated_at: datetime
    granted_at: datetime | None
    ended_at: datetime | None
    until: datetime | None
    revisions: int
    head: str
    channel: Channel | None = None
    document: str | None = None


def record_of(row: sa.Row[Any]) -> Record:
    """Return a row as a value."""

    def at(micros: int | None) -> datetime | None:
        return None if micros is None else from_micros(micros)

    return Record(
        record=row.record,
        subject=row.subject,
        purpose=row.purpose,
        tier=Tier(row.tier),
        version=row.version,
        text=row.text,
        state=State(row.state),
        reason=Reason(row.reason) if row.reason else None,
        given_by=GivenBy(row.given_by),
        method=Method(row.method) if row.method else None,
        source=row.source,
        stated_at=from_micros(row.stated_at),
        granted_at=at(row.granted_at),
        ended_at=at(row.ended_at),
        until=at(row.until),
        revisions=row.revisions,
        head=row.head,
        channel=Channel(row.channel) if row.channel else None,
        document=row.document,
    )


def plain_record(record: Record) -> dict[str, Any]:
    """Return a record as JSON; whose it is stays sealed and is left out."""
    return {
        field.name: _plain(getattr(record, field.name))
        for field in fields(record)
        if field.name != "subject"
    }


def plain_to_record(said: Mapping[str, Any]) -> Record:
    """Read what :func:`plain_record` wrote; the subject is not in it."""
    times = {"stated_at", "granted_at", "ended_at", "until"}
    values: dict[str, Any] = {
        name: from_wire(value) if name in times and value is not None else value
        for name, value in said.items()
    }
    values |= {"tier": Tier(values["tier"]), "state": State(values["state"]), "subject": None}
    values |= {"given_by": GivenBy(values["given_by"])}
    values["reason"] = Reason(values["reason"]) if values["reason"] else None
    values["method"] = Method(values["method"]) if values["method"] else None
    values["channel"] = Channel(values["channel"]) if values.get("channel") else None
    return Record(**values)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return to_wire(value)
    return value.value if isinstance(value, StrEnum) else value
