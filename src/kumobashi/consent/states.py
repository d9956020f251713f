"""What may become of a consent, and which of two statements counts. Pure: tables and functions.

A record is one application for one purpose and one tier of data. It ends once; whoever consents
again makes a new record. Which of a resident's records decides is said by :func:`prevails`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from kumobashi.consent.errors import ConsentMove, StatedInFuture

TOLERANCE = timedelta(minutes=5)
"""How far two clocks may be apart before what they state is ordered by what they state."""


class State(StrEnum):
    """A record in the ledger."""

    APPLIED = "applied"  # 申込
    CHECKED = "checked"  # 本人確認済み
    GRANTED = "granted"  # 同意
    REFUSED = "refused"  # 本人と確かめられない
    WITHDRAWN = "withdrawn"  # 撤回
    EXPIRED = "expired"  # 期限切れ、死亡
    SUPERSEDED = "superseded"  # 新しい版の同意、番号の統合


class Reason(StrEnum):
    """Why a record ended."""

    ASKED = "asked"  # the resident said so
    BEFORE = "before"  # withdrawn before the consent arrived
    TERM = "term"
    DIED = "died"
    MERGED = "merged"
    ANEW = "anew"  # a later consent stands in its place
    NOT_PROVED = "not_proved"


class Tier(StrEnum):
    """Whose data a consent is about; each needs its own."""

    REGISTER = "register"  # 住民基本台帳等
    TAX = "tax"  # 税情報


MOVES: dict[State, frozenset[State]] = {
    State.APPLIED: frozenset({State.CHECKED, State.REFUSED, State.WITHDRAWN, State.EXPIRED}),
    State.CHECKED: frozenset({State.GRANTED, State.WITHDRAWN, State.EXPIRED}),
    State.GRANTED: frozenset({State.WITHDRAWN, State.EXPIRED, State.SUPERSEDED}),
    State.REFUSED: frozenset(),
    State.WITHDRAWN: frozenset(),
    State.EXPIRED: frozenset(),
    State.SUPERSEDED: frozenset(),
}
FIRST = frozenset({State.APPLIED, State.GRANTED, State.WITHDRAWN})
"""How a record may begin: imported ones as granted, a withdrawal without its consent as such."""
LIVE = frozenset({State.APPLIED, State.CHECKED, State.GRANTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What somebody said: when by the clock of the source, and whether it was a yes."""

    is_yes: bool
    stated_at: datetime
    source: str  # the desk or channel that took it
    sequence: int  # in which order it arrived here

    def is_same_as(self, other: "Statement") -> bool:
        """Whether it is a statement that came before, sent once more."""
        mine = (self.is_yes, self.stated_at, self.source)
        return mine == (other.is_yes, other.stated_at, other.source)


def check_move(now: State, then: State) -> None:
    """Raise :class:`ConsentMove` unless a record may go from ``now`` to ``then``."""
    if then not in MOVES[now]:
        raise ConsentMove(now=now.value, then=then.value)


def check_time(stated_at: datetime, now: datetime) -> None:
    """Raise :class:`StatedInFuture` for a time that this clock has not come near to."""
    if stated_at > now + TOLERANCE:
        raise StatedInFuture(minutes=TOLERANCE.seconds // 60)


def prevails(one: Statement, other: Statement) -> bool:
    """Whether ``one`` counts and not ``other``, of two statements about the same thing.

    Further apart than :data:`TOLERANCE` the later stated one counts. Nearer, clocks may disagree:
    one source is in order with itself, so the later arrival counts; of two sources the no counts.

    >>> from datetime import UTC
    >>> at = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
    >>> no = Statement(is_yes=False, stated_at=at, source="desk-1", sequence=1)
    >>> yes = Statement(
    ...     is_yes=True, stated_at=at + timedelta(minutes=2), source="portal", sequence=2
    ... )
    >>> prevails(yes, no), prevails(no, yes)
    (False, True)
    """
    if abs(one.stated_at - other.stated_at) > TOLERANCE:
        return one.stated_at > other.stated_at
    if one.source == other.source or one.is_yes == other.is_yes:
        return one.sequence > other.sequence
    return not one.is_yes
