"""What a receiver holds of a transfer, and until when (保持): states, moves, levels. Pure.

A holding begins with the ``applied`` receipt and ends with ``deleted``. The sender keeps the same
book as the receiver, so that it sees what is overdue without asking. Its states are apart from
those of the transfer, which is over when it was applied.

>>> from datetime import UTC
>>> due = datetime(2026, 11, 22, tzinfo=UTC)
>>> [escalation(due, due + timedelta(days=days)).name for days in (-1, 0, 1, 3, 8)]
['NONE', 'DUE', 'OVERDUE', 'LATE', 'SERIOUS']
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Any

from kumobashi.exchange.errors import IllegalMove
from kumobashi.kernel import from_micros


class Keeping(StrEnum):
    """How a holding stands."""

    HELD = "held"  # 保持中
    WAITING = "waiting"  # 承認待ち: one person asked to delete what a law keeps; another decides
    ASKED = "asked"  # 依頼済: the request to delete is signed; at the receiver: it has come
    DELETING = "deleting"  # 消去中: at the receiver; goes on after a crash
    DELETED = "deleted"  # 消去済: proved by a signed receipt
    LOST = "lost"  # 復元で失われた: its receiver was put back from a backup, and it was sent again


MOVES: dict[Keeping, frozenset[Keeping]] = {
    Keeping.HELD: frozenset(
        {Keeping.WAITING, Keeping.ASKED, Keeping.DELETING, Keeping.DELETED, Keeping.LOST}
    ),
    Keeping.WAITING: frozenset({Keeping.HELD, Keeping.ASKED, Keeping.DELETED, Keeping.LOST}),
    Keeping.ASKED: frozenset({Keeping.DELETING, Keeping.DELETED, Keeping.LOST}),
    Keeping.DELETING: frozenset({Keeping.DELETED}),
    Keeping.DELETED: frozenset(),
    Keeping.LOST: frozenset(),
}
OVER = frozenset({Keeping.DELETED, Keeping.LOST})


def check_move(now: Keeping, then: Keeping) -> None:
    """Raise :class:`IllegalMove` unless a holding may go from ``now`` to ``then``."""
    if then not in MOVES[now]:
        raise IllegalMove(now=now.value, then=then.value)


class Level(IntEnum):
    """How late a deletion is; each level names who is told besides those before."""

    NONE = 0
    DUE = 1  # 期限到来: within a day; the receipt is on its way
    OVERDUE = 2  # 期限超過: the receiving site is called
    LATE = 3  # 三日超過: the contact of the link
    SERIOUS = 4  # 七日超過: the office of personal information and audit


_SINCE = {
    Level.SERIOUS: timedelta(days=7),
    Level.LATE: timedelta(days=3),
    Level.OVERDUE: timedelta(days=1),
    Level.DUE: timedelta(0),
}
RED_FROM = Level.OVERDUE


def escalation(due: datetime | None, now: datetime) -> Level:
    """Return how late a deletion is that has not been proved."""
    if due is None:
        return Level.NONE
    return next((level for level, since in _SINCE.items() if now - due >= since), Level.NONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """What one site knows of what the receiver holds of one transfer; times in microseconds."""

    tenant: str
    side: str  # "out" at the sender, "in" at the receiver
    transfer: str
    attempt: int
    link: str
    from_site: str
    to_site: str
    business_date: str
    rows: int
    key: str | None  # hash of the recipient it was sealed to
    plan_hash: str | None  # of the decision it was sent on; known at the sender
    retention_class: str | None
    retention_days: int | None
    by_law: bool
    applied_at: int
    due_at: int | None  # none: nobody declared an end
    state: Keeping
    asked_at: int | None  # when somebody asked for the deletion
    asked_by: str | None  # account of this site
    approved_by: str | None
    request: str | None  # JWS
    is_delivered: bool  # whether the receiver has the request
    facts: dict[str, Any]  # of the ``deleted`` receipt
    cause: dict[str, Any] | None  # why it is not deleted yet
    deleted_at: int | None

    def is_kept_by_law(self, now_micros: int) -> bool:
        """Whether a law still asks to keep it."""
        return self.by_law and (self.due_at is None or now_micros < self.due_at)


def escalation_of(held: Holding, now: datetime) -> Level:
    """Return how late the deletion of a holding is."""
    if held.state in OVER or held.due_at is None:
        return Level.NONE
    return escalation(from_micros(held.due_at), now)


_RAREST_LOOK = timedelta(hours=1) // timedelta(microseconds=1)


def is_time(held: Holding, looked: int | None, now: int) -> bool:
    """Whether to see to a holding again: often at first, rarely when it has been late for long.

    ``looked`` is when that was done last, ``now`` the time; both in microseconds.
    """
    if looked is None:
        return True
    began = max(filter(None, (held.asked_at, held.due_at)), default=now)
    return now - looked >= min(max(now - began, 0) // 20, _RAREST_LOOK)
