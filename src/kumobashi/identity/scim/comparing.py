"""Compare our accounts with a linked cloud's list, and say what would make them agree. Pure.

Ours are those whose ``externalId`` we gave; whoever else is there is left alone. Somebody who is
here no more is made inactive there; that they were there stays, unless deleting is asked for.

>>> one = Ours(key="kumobashi:999997:hall-core:sato", user_name="sato", shown="佐藤", role="viewer")
>>> [step.deed for step in compared([one], [], deletes=False)]
['create']
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from kumobashi.identity.roles import Role

Deed = Literal["create", "change", "deactivate", "delete", "join", "leave"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """An account here."""

    key: str
    user_name: str
    shown: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Theirs:
    """Somebody on the other list whom we put there."""

    id: str
    key: str
    user_name: str
    shown: str
    is_active: bool
    version: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TheirGroup:
    """A group at the other side that is named for a role."""

    id: str
    role: str
    members: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing to do at the other side."""

    deed: Deed
    key: str
    user_name: str
    id: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)  # attributes that become so
    version: str | None = None
    group: str | None = None


def compared(ours: Iterable[Ours], theirs: Iterable[Theirs], *, deletes: bool) -> list[Step]:
    """Return what makes the people agree: those who leave first, so that their names are free."""
    here = {one.key: one for one in ours}
    there = sorted(theirs, key=lambda one: (one.key, one.id))
    seen: set[str] = set()
    leaving, staying = [], []
    for one in there:
        wanted = here.get(one.key)
        if wanted is None or one.key in seen:  # gone here, or a double there
            leaving += _out(one, deletes=deletes)
            continue
        seen.add(one.key)
        if values := differences(wanted, one):
            staying.append(
                Step(
                    deed="change",
                    key=one.key,
                    user_name=wanted.user_name,
                    id=one.id,
                    values=values,
                    version=one.version,
                )
            )
    coming = [
        Step(deed="create", key=key, user_name=one.user_name, values=written(one))
        for key, one in sorted(here.items())
        if key not in seen
    ]
    return leaving + staying + coming


def differences(ours: Ours, theirs: Theirs) -> Mapping[str, Any]:
    """Return the attributes that are not as they should be."""
    held = {
        "userName": theirs.user_name,
        "displayName": theirs.shown,
        "active": theirs.is_active,
    }
    wanted = {"userName": ours.user_name, "displayName": ours.shown, "active": True}
    return {name: value for name, value in wanted.items() if held[name] != value}


def written(ours: Ours) -> Mapping[str, Any]:
    """Return a new person as SCIM writes them."""
    return {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "externalId": ours.key,
        "userName": ours.user_name,
        "displayName": ours.shown,
        "active": True,
    }


def regrouped(
    ours: Iterable[Ours], theirs: Sequence[Theirs], groups: Iterable[TheirGroup]
) -> list[Step]:
    """Return who has to join or leave a group, so that each is in those of their role alone."""
    roles = {one.key: one.role for one in ours}
    steps = []
    for group in sorted(groups, key=lambda one: one.id):
        for one in theirs:
            is_wanted = one.is_active and roles.get(one.key) == group.role
            if is_wanted is (one.id in group.members):
                continue
            deed: Deed = "join" if is_wanted else "leave"
            steps.append(
                Step(deed=deed, key=one.key, user_name=one.user_name, id=one.id, group=group.id)
            )
    return sorted(steps, key=lambda step: step.deed != "leave")


def role_named(name: object) -> str | None:
    """Return the role that a group's name means, by its code or in Japanese."""
    return next((role.value for role in Role if name in {role.value, role.ja}), None)


def _out(one: Theirs, *, deletes: bool) -> list[Step]:
    if not deletes and not one.is_active:
        return []
    return [
        Step(
            deed="delete" if deletes else "deactivate",
            key=one.key,
            user_name=one.user_name,
            id=one.id,
            values={} if deletes else {"active": False},
            version=one.version,
        )
    ]
