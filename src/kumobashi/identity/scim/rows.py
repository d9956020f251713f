"""What a provider says of people and groups, and the rows that it is kept in."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from kumobashi.identity.roles import Role
from kumobashi.identity.scim.people import name_key
from kumobashi.kernel import from_micros


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a provider says of somebody."""

    user_name: str
    external: str | None
    shown: str | None
    is_active: bool
    attributes: Mapping[str, Any]  # parts of a name, addresses, whether "active" was said


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody on the list."""

    id: str
    said: Said
    groups: tuple[tuple[str, str], ...]  # id and name
    version: int
    made_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouping:
    """A group on the list, which stands for a role."""

    id: str
    external: str | None
    name: str
    role: Role
    members: tuple[str, ...]  # their ids
    version: int
    made_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is noted of a change: never a name."""

    provider: str
    act: str  # add, change, remove
    id: str  # of a person, or of a group
    role: Role | None  # as it is afterwards
    is_active: bool | None = None  # of a person
    ended: int = 0  # sessions
    moved: int = 0  # members of a group who came or went


def columns(said: Said) -> dict[str, Any]:
    """Return what somebody's row says."""
    return {
        "user_name": said.user_name,
        "user_key": name_key(said.user_name),
        "external": said.external,
        "shown": said.shown,
        "is_active": said.is_active,
        "attributes": json.dumps(said.attributes, ensure_ascii=False, sort_keys=True),
    }


def person_of(row: sa.Row[Any], groups: tuple[tuple[str, str], ...]) -> Person:
    """Return the person of a row."""
    said = Said(
        user_name=row.user_name,
        external=row.external,
        shown=row.shown,
        is_active=row.is_active,
        attributes=json.loads(row.attributes),
    )
    return Person(
        id=row.id,
        said=said,
        groups=groups,
        version=row.version,
        made_at=from_micros(row.made_at),
        changed_at=from_micros(row.changed_at),
    )


def grouping_of(row: sa.Row[Any], members: tuple[str, ...]) -> Grouping:
    """Return the group of a row."""
    return Grouping(
        id=row.id,
        external=row.external,
        name=row.name,
        role=Role(row.role),
        members=members,
        version=row.version,
        made_at=from_micros(row.made_at),
        changed_at=from_micros(row.changed_at),
    )
