"""A service that residents may be tied to, and what is known of one resident there."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

import sqlalchemy as sa

from kumobashi.kernel import business_date, to_wire
from kumobashi.ties.errors import ServiceUnfit

PREFIX: Final = "service:"
"""Before the id of a service, where its revisions stand among those of ties."""
_ID: Final = re.compile(r"[a-z][a-z0-9-]{0,62}")
_SYSTEM: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_MOST: Final = 200


def check_id(service: str) -> None:
    """Raise ``ServiceUnfit`` for what can be no id of a service."""
    if not _ID.fullmatch(service):
        raise ServiceUnfit(field="service")


def registered(row: sa.Row[Any]) -> dict[str, str | int | None]:
    """Return the columns of a service that every revision repeats."""
    return {
        "service": row.service,
        "name": row.name,
        "provider": row.provider,
        "section": row.section,
        "clause": row.clause,
        "first_day": row.first_day,
        "last_day": row.last_day,
        "deleted_at": row.deleted_at,
        "system": row.system,
    }


class Status(StrEnum):
    """How a resident stands to a service."""

    ELIGIBLE = "eligible"  # 受けられる
    RECEIVING = "receiving"  # 受けている
    ENDED = "ended"  # 終わった

    @property
    def ja(self) -> str:
        """The Japanese name."""
        return {"eligible": "対象", "receiving": "利用中", "ended": "終了"}[self.value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service as it is registered; days are those of Japan, both ends included."""

    service: str
    name: str
    provider: str
    section: str  # that answers for it
    clause: str  # of the law or ordinance that decides who is eligible
    first: date
    last: date | None = None  # none: no end is known
    system: str | None = None  # elsewhere, that serves it; none: asked for at this gateway

    def __post_init__(self) -> None:
        """Refuse what cannot be; raise ``ServiceUnfit``."""
        check_id(self.service)
        for field in ("name", "provider", "section", "clause"):
            said: str = getattr(self, field)
            if not (said == said.strip() and 1 <= len(said) <= _MOST and said.isprintable()):
                raise ServiceUnfit(field=field)
        if self.system is not None and not _SYSTEM.fullmatch(self.system):
            raise ServiceUnfit(field="system")
        if self.last is not None and self.last < self.first:
            raise ServiceUnfit(field="last")

    def is_offered(self, at: datetime) -> bool:
        """Whether it is offered at a time."""
        on = business_date(at)
        return self.first <= on and (self.last is None or on <= self.last)

    def plain(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "service": self.service,
            "name": self.name,
            "provider": self.provider,
            "section": self.section,
            "clause": self.clause,
            "first": self.first.isoformat(),
            "last": self.last.isoformat() if self.last else None,
            "system": self.system,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of one resident at one service."""

    service: Service
    status: Status
    as_of: datetime
    source: str
    clause: str  # that decided it: as it was registered when the status was told

    def plain(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "service": self.service.service,
            "name": self.service.name,
            "status": self.status.value,
            "as_of": to_wire(self.as_of),
            "source": self.source,
            "clause": self.clause,
        }


def service_of(row: sa.Row[Any]) -> Service:
    """Return a service from its row."""
    return Service(
        service=row.service,
        name=row.name,
        provider=row.provider,
        section=row.section,
        clause=row.clause,
        first=date.fromisoformat(row.first_day),
        last=date.fromisoformat(row.last_day) if row.last_day else None,
        system=row.system,
    )
