"""Access review (アクセス権の点検): what to look at in each account. Pure.

>>> from datetime import UTC, datetime
>>> then, now = datetime(2026, 4, 1, tzinfo=UTC), datetime(2026, 11, 24, tzinfo=UTC)
>>> sato = Access(name="sato", shown="佐藤", role=Role.OPERATOR, since=then, seen=then)
>>> [row.remarks for row in reviewed([sato], now)]
[(<Remark.UNUSED: 'unused'>,)]
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from kumobashi.identity.roles import MAY, Deed, Role
from kumobashi.identity.scopes import Scope

UNUSED = timedelta(days=90)
EVERY = timedelta(days=365)
APART = (
    (Deed.PROPOSE, Deed.APPROVE),
    (Deed.OPERATE, Deed.REVIEW_ACCESS),
    (Deed.OPERATE, Deed.SEE_ACCESS),
)
"""Pairs of deeds that no role has both of; one person with two accounts would."""
_BRACKETS = re.compile(r"\([^)]*\)|\s")


class Remark(StrEnum):
    """What a row asks somebody to look at."""

    OVERDUE = "overdue"  # nobody looked at it within a year
    CHANGED = "changed"  # the role is another than the one that was looked at
    UNUSED = "unused"  # nobody came with it for 90 days
    TWICE = "twice"  # another account has the same name
    TOGETHER = "together"  # with that account, one person could do what takes two
    UNBOUND = "unbound"  # a vendor who is bound to nothing sees nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """One account as it is reviewed."""

    name: str
    shown: str
    role: Role
    since: datetime  # that it has this role
    seen: datetime | None = None  # when somebody last came with it
    provider: str | None = None  # none: an account of this console
    scope: Scope | None = None
    reviewed: datetime | None = None
    reviewed_by: str | None = None
    reviewed_role: Role | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An account with what to look at; ``others``: accounts of the same name."""

    access: Access
    remarks: tuple[Remark, ...]
    others: tuple[str, ...] = ()


def reviewed(
    accounts: Iterable[Access],
    now: datetime,
    *,
    unused: timedelta = UNUSED,
    every: timedelta = EVERY,
) -> list[Row]:
    """Return the rows of a review: those with something to look at first, then by name."""
    held = sorted(accounts, key=lambda one: one.name)
    people: dict[str, list[Access]] = defaultdict(list)
    for one in held:
        people[_person(one.shown)].append(one)
    rows = []
    for one in held:
        others = [other for other in people[_person(one.shown)] if other.name != one.name]
        asked = {
            Remark.OVERDUE: now - (one.reviewed or one.since) > every,
            Remark.CHANGED: one.reviewed_role not in {None, one.role},
            Remark.UNUSED: now - (one.seen or one.since) > unused,
            Remark.TWICE: bool(others),
            Remark.TOGETHER: any(breaks({one.role, other.role}) for other in others),
            Remark.UNBOUND: one.scope is not None and not one.scope,
        }
        remarks = tuple(remark for remark in Remark if asked[remark])
        rows.append(Row(access=one, remarks=remarks, others=tuple(one.name for one in others)))
    return sorted(rows, key=lambda row: not row.remarks)


def overdue(rows: Sequence[Row]) -> int:
    """Return how many accounts nobody looked at in time."""
    return sum(Remark.OVERDUE in row.remarks for row in rows)


def breaks(roles: Iterable[Role]) -> bool:
    """Whether one person with these roles could do alone what takes two.

    >>> breaks({Role.OPERATOR, Role.APPROVER}), breaks({Role.OPERATOR, Role.VIEWER})
    (True, False)
    """
    can = frozenset[Deed]().union(*(MAY[role] for role in roles))
    return any(one in can and other in can for one, other in APART)


def _person(shown: str) -> str:
    """Return a name by which two accounts may be one person's: letters alone, no office."""
    plain = unicodedata.normalize("NFKC", shown).casefold()
    return _BRACKETS.sub("", plain) or plain
