"""Whether one resident was in a transfer: what the sender still knows of whose rows it carried.

Rows do not stay. What stays is the digests that the next difference is made from (``differences``,
the keys of rows) and what a destination was told (``histories``, half of a token). Both speak for
certain of the transfer that they were kept for, and of no other. Where neither is kept, or the
decision has changed since, nobody can say: such a transfer cannot be excluded.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import duckdb

from kumobashi.crypto.errors import KeyGone, SealFailed
from kumobashi.exchange.differences import Snapshots
from kumobashi.exchange.histories import Histories
from kumobashi.exchange.preparing import EPOCH, snapshot_of
from kumobashi.exchange.records import Outgoing
from kumobashi.release.columns import (
    HasMember,
    HasSpouse,
    HouseholdAges,
    HouseholdBirthMonths,
    HouseholdCounts,
    Keep,
    OfHousehold,
    Token,
)
from kumobashi.release.rules import ReleaseRule
from kumobashi.storage.tables import literal, quoted

_OF_HOUSEHOLD = (
    HasMember, HasSpouse, HouseholdAges, HouseholdBirthMonths, HouseholdCounts, OfHousehold,
)  # fmt: skip


class Presence(StrEnum):
    """Whether a resident's row was in a transfer."""

    INCLUDED = "included"  # 含まれた
    ABSENT = "absent"  # 含まれない
    POSSIBLE = "possible"  # 除けない: by the rule it may have been there


class Grounds(StrEnum):
    """What a :class:`Presence` rests on."""

    SNAPSHOT = "snapshot"  # keys of the rows that the receiver has after it
    HISTORY = "history"  # half tokens of what the destination was told
    NOTHING_KEPT = "nothing_kept"
    PLAN_CHANGED = "plan_changed"  # the rule of that time is no longer here
    SENT_ANEW = "sent_anew"  # an earlier attempt may have carried others
    DIFFERENCE = "difference"  # the row itself is not there; that it goes may have been said
    HOUSEHOLD = "household"  # no row of its own; items of others in the household may show it
    NUMBER_UNKNOWN = "number_unknown"  # the source has no such number today: mistyped, or gone


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What is known of a resident in one transfer."""

    presence: Presence
    grounds: Grounds


@dataclass(frozen=True, slots=True, kw_only=True)
class Whom:
    """How a resident's rows are found under the rule that a transfer was sent by."""

    rule: ReleaseRule
    key: tuple[str, ...]  # of the receiving layout
    to_system: str
    numbers: tuple[str, ...]  # as the source writes them, else as it was asked
    is_known: bool  # the source has them today
    token_of: Callable[[str, str | None], str | None]  # of a number by epoch; None: none made here


class Traces:
    """What one site still knows."""

    def __init__(self, snapshots: Snapshots, histories: Histories) -> None:
        self._snapshots = snapshots
        self._histories = histories

    def of(self, row: Outgoing, whom: Whom | None, *, room: Path) -> Trace:
        """Return what is known; ``whom`` is None where the rule of that time is not known.

        ``room`` is a private folder. A file that cannot be opened any more counts as not kept.
        """
        if whom is None:
            return _possible(Grounds.PLAN_CHANGED)
        found = self._seen(row, whom, room)
        if found is None:
            return _possible(Grounds.NOTHING_KEPT)
        is_there, grounds = found
        return judged(
            is_there=is_there,
            grounds=grounds,
            is_sent_anew=row.attempt > 1 or row.resends is not None,
            is_difference=row.base_transfer is not None,
            is_of_household=any(isinstance(one, _OF_HOUSEHOLD) for one in whom.rule.columns),
            is_known=whom.is_known,
        )

    def _seen(self, row: Outgoing, whom: Whom, room: Path) -> tuple[bool, Grounds] | None:
        """Return whether the row was there and by what; nothing where that is not kept."""
        epoch = row.facts.get(EPOCH)
        epoch = epoch if isinstance(epoch, str) else None
        values = wanted(whom, epoch)
        name = next((one for one in whom.key if one in values), None)
        with duckdb.connect() as work:
            try:
                if name and self._snapshots.exists(row.link, snapshot_of(row)):
                    relation = self._snapshots.opened(row.link, snapshot_of(row), room=room)
                    return _has(work, relation, name, values[name]), Grounds.SNAPSHOT
                tokens = tokens_of(whom, epoch)
                if tokens and _is_told_by(whom.rule):
                    told = self._histories.told_by(
                        whom.to_system, epoch, row.link, row.transfer, room=room
                    )
                    if told is not None:
                        half = f"(from {told} where here)"
                        halves = [int(token[:16], 16) for token in tokens]
                        return _has_number(work, half, halves), Grounds.HISTORY
            except (KeyGone, SealFailed, FileNotFoundError, duckdb.Error):
                return None
        return None


def judged(
    *,
    is_there: bool,
    grounds: Grounds,
    is_sent_anew: bool,
    is_difference: bool,
    is_of_household: bool,
    is_known: bool,
) -> Trace:
    """Return what may be said of a resident whose row was, or was not, among those kept.

    Absence is said only where nothing speaks against it.

    >>> judged(
    ...     is_there=False,
    ...     grounds=Grounds.SNAPSHOT,
    ...     is_sent_anew=False,
    ...     is_difference=True,
    ...     is_of_household=False,
    ...     is_known=True,
    ... ).presence.value
    'possible'
    """
    if is_there:
        return Trace(presence=Presence.INCLUDED, grounds=grounds)
    for doubt, why in (
        (not is_known, Grounds.NUMBER_UNKNOWN),
        (is_sent_anew, Grounds.SENT_ANEW),
        (is_difference, Grounds.DIFFERENCE),
        (is_of_household, Grounds.HOUSEHOLD),
    ):
        if doubt:
            return _possible(why)
    return Trace(presence=Presence.ABSENT, grounds=grounds)


def wanted(whom: Whom, epoch: str | None) -> Mapping[str, tuple[str, ...]]:
    """Return, by released column, what may stand there in a row of this resident."""
    subject, found = whom.rule.subject.key, {}
    tokens = tokens_of(whom, epoch)
    for column in whom.rule.columns:
        if isinstance(column, Keep) and column.of == subject:
            found[column.name] = whom.numbers
        elif isinstance(column, Token) and column.of == subject and tokens:
            found[column.name] = tokens
    return found


def tokens_of(whom: Whom, epoch: str | None) -> tuple[str, ...]:
    """Return the tokens of this resident; none where the site makes none."""
    made = (whom.token_of(number, epoch) for number in whom.numbers)
    return tuple(token for token in made if token is not None)


def _is_told_by(rule: ReleaseRule) -> bool:
    """Whether histories of a rule hold tokens of its subjects, and of nobody else."""
    return any(isinstance(one, Token) and one.of == rule.subject.key for one in rule.released)


def _has(
    work: duckdb.DuckDBPyConnection, relation: str, name: str, values: tuple[str, ...]
) -> bool:
    where = f"{quoted(name)} in ({', '.join(map(literal, values))})"
    return bool(work.execute(f"select 1 from {relation} where {where} limit 1").fetchall())


def _has_number(work: duckdb.DuckDBPyConnection, relation: str, numbers: list[int]) -> bool:
    where = f"key in ({', '.join(f'{number:d}::ubigint' for number in numbers)})"
    return bool(work.execute(f"select 1 from {relation} where {where} limit 1").fetchall())


def _possible(grounds: Grounds) -> Trace:
    return Trace(presence=Presence.POSSIBLE, grounds=grounds)
