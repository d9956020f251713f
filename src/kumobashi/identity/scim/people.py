"""What a provider's list says of somebody who wants to come in, and the end of their sessions.

Whoever the list calls inactive, or has had and has no more, stays outside; whoever it never had is
no concern of it. Two roles at a time are none: a provider that moves somebody between groups says
both for a moment, and nobody is to hold two that were meant for two people.

>>> role_of_groups([]) is None, role_of_groups(["operator", "operator"])
(True, <Role.OPERATOR: 'operator'>)
>>> role_of_groups(["operator", "approver"]) is None
True
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from kumobashi.identity.known import Known
from kumobashi.identity.roles import Role
from kumobashi.identity.sql import (
    provisioned,
    provisioned_groups,
    provisioned_members,
    session_origins,
    sessions,
)

_NAMES: Final = ("preferred_username", "userName", "upn", "uid", "email", "mail")
"""Attributes by which a provider may call somebody as its list does."""
_MOST_NAMES: Final = 20
_AT_ONCE: Final = 500  # people in one question to the database


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a list says of somebody."""

    id: str
    is_in: bool  # on the list, and active
    groups: int  # in how many they are
    role: Role | None  # which these give; none: no group, or groups of several roles


def standing_of(connection: sa.Connection, tenant: str, known: Known) -> Standing | None:
    """Return what the list of the provider says of somebody it has recognised; none: nothing.

    The list's own identifier counts before a name, and a name that somebody else has signed in
    with is not theirs.
    """
    rows = provisioned.c
    is_theirs = sa.and_(rows.tenant == tenant, rows.provider == known.provider)
    subject = known.subject
    keys = {name_key(value) for name in _NAMES for value in known.attributes.get(name, ())}
    by_id = sa.or_(rows.external == subject, rows.subject == subject)
    is_free = sa.or_(rows.subject.is_(None), rows.subject == subject)
    by_name = sa.and_(rows.user_key.in_(sorted(keys)[:_MOST_NAMES]), is_free)
    is_here = rows.removed_at.is_(None)
    # Somebody who was taken off and put on again may be known by the new row's name alone.
    for which in (by_id & is_here, by_name & is_here, by_id, by_name):
        query = sa.select(provisioned).where(is_theirs, which).order_by(rows.id.desc())
        found = connection.execute(query).all()
        if found:
            first = found[0]
            roles = _roles(connection, tenant, first.id)
            # One active row is not enough when another of the same person says no.
            is_in = all(row.removed_at is None and row.is_active for row in found)
            role = role_of_groups(roles)
            return Standing(id=first.id, is_in=is_in, groups=len(roles), role=role)
    return None


def met(connection: sa.Connection, tenant: str, person: str, subject: str) -> None:
    """Note as whom somebody on a list signed in, so that their sessions can be found."""
    mine = sa.and_(provisioned.c.tenant == tenant, provisioned.c.id == person)
    connection.execute(sa.update(provisioned).where(mine).values(subject=subject))


def send_out(connection: sa.Connection, tenant: str, people: Iterable[str]) -> int:
    """End the sessions of people on lists, and return how many."""
    ended, named = 0, sorted(people)
    is_theirs = sa.and_(
        session_origins.c.tenant == provisioned.c.tenant,
        session_origins.c.provider == provisioned.c.provider,
        session_origins.c.subject.in_([provisioned.c.subject, provisioned.c.external]),
    )
    for at in range(0, len(named), _AT_ONCE):
        digests = (
            sa.select(session_origins.c.digest)
            .join(provisioned, is_theirs)
            .where(provisioned.c.tenant == tenant, provisioned.c.id.in_(named[at : at + _AT_ONCE]))
        )
        theirs = sa.and_(sessions.c.tenant == tenant, sessions.c.digest.in_(digests))
        ended += connection.execute(sa.delete(sessions).where(theirs)).rowcount
    return ended


def role_of_groups(roles: Iterable[str]) -> Role | None:
    """Return the one role that groups give."""
    different = set(roles)
    return Role(different.pop()) if len(different) == 1 else None


def name_key(name: str) -> str:
    r"""Return a name as names are compared: neither case nor form of writing makes another.

    >>> name_key("Satō") == name_key("SATO\u0304")
    True
    """
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).lower())


def _roles(connection: sa.Connection, tenant: str, person: str) -> list[str]:
    query = (
        sa.select(provisioned_groups.c.role)
        .join(
            provisioned_members,
            sa.and_(
                provisioned_members.c.tenant == provisioned_groups.c.tenant,
                provisioned_members.c.group == provisioned_groups.c.id,
            ),
        )
        .where(provisioned_groups.c.tenant == tenant, provisioned_members.c.person == person)
    )
    return list(connection.execute(query).scalars())
