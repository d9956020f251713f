"""The states of a tie and the acts that move it. Pure: a table, and functions to ask it.

    proposed ──narrow──> narrowed ──accept (either)──> resident_accepted | service_accepted
        └──────accept (either)─────────┘                     │ accept (the other)
                                                          in_force ──> ended | withdrawn

A narrowing throws earlier acceptances away, since they were of other terms; in force it counts at
once, since both have accepted more than it leaves. A withdrawal ends a tie in every state, also
one that nobody has accepted yet: an acceptance that arrives after it is refused.

>>> after(State.PROPOSED, Act.WITHDRAW).value
'withdrawn'
>>> after(State.WITHDRAWN, Act.RESIDENT_ACCEPT) is None
True
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from kumobashi.ties.errors import TieMove, TieStatedBefore, TieStatedInFuture

TOLERANCE: Final = timedelta(minutes=5)
"""How far two clocks may be apart before what they state is ordered by what they state."""


class State(StrEnum):
    """How far a tie is."""

    PROPOSED = "proposed"
    NARROWED = "narrowed"
    RESIDENT_ACCEPTED = "resident_accepted"
    SERVICE_ACCEPTED = "service_accepted"
    IN_FORCE = "in_force"
    ENDED = "ended"  # by the service, its term, or what became of the resident
    WITHDRAWN = "withdrawn"  # by the resident

    @property
    def ja(self) -> str:
        """The Japanese name."""
        return _STATES_JA[self]


class Act(StrEnum):
    """What moves a tie; the last three come from the register and the calendar."""

    PROPOSE = "propose"
    NARROW = "narrow"
    RESIDENT_ACCEPT = "resident_accept"
    SERVICE_ACCEPT = "service_accept"
    WITHDRAW = "withdraw"
    END = "end"
    EXPIRE = "expire"
    DIE = "die"
    MERGE = "merge"

    @property
    def ja(self) -> str:
        """The Japanese name."""
        return _ACTS_JA[self]


_STATES_JA: Final = {
    State.PROPOSED: "申出済み",
    State.NARROWED: "本人が条件を狭めた",
    State.RESIDENT_ACCEPTED: "本人が受け入れた",
    State.SERVICE_ACCEPTED: "サービスが受け入れた",
    State.IN_FORCE: "効力あり",
    State.ENDED: "終了",
    State.WITHDRAWN: "撤回",
}
_ACTS_JA: Final = {
    Act.PROPOSE: "申出",
    Act.NARROW: "条件を狭める",
    Act.RESIDENT_ACCEPT: "本人の受入れ",
    Act.SERVICE_ACCEPT: "サービスの受入れ",
    Act.WITHDRAW: "撤回",
    Act.END: "サービスによる終了",
    Act.EXPIRE: "期間の満了",
    Act.DIE: "死亡による終了",
    Act.MERGE: "番号の統合による終了",
}
LIVE: Final = (
    State.PROPOSED,
    State.NARROWED,
    State.RESIDENT_ACCEPTED,
    State.SERVICE_ACCEPTED,
    State.IN_FORCE,
)
"""States that something may still become of."""

MOVES: Final[Mapping[tuple[State, Act], State]] = {
    (State.PROPOSED, Act.NARROW): State.NARROWED,
    (State.PROPOSED, Act.RESIDENT_ACCEPT): State.RESIDENT_ACCEPTED,
    (State.PROPOSED, Act.SERVICE_ACCEPT): State.SERVICE_ACCEPTED,
    (State.NARROWED, Act.NARROW): State.NARROWED,
    (State.NARROWED, Act.RESIDENT_ACCEPT): State.RESIDENT_ACCEPTED,
    (State.NARROWED, Act.SERVICE_ACCEPT): State.SERVICE_ACCEPTED,
    (State.RESIDENT_ACCEPTED, Act.NARROW): State.NARROWED,
    (State.RESIDENT_ACCEPTED, Act.SERVICE_ACCEPT): State.IN_FORCE,
    (State.SERVICE_ACCEPTED, Act.NARROW): State.NARROWED,
    (State.SERVICE_ACCEPTED, Act.RESIDENT_ACCEPT): State.IN_FORCE,
    (State.IN_FORCE, Act.NARROW): State.IN_FORCE,
    **{(state, Act.WITHDRAW): State.WITHDRAWN for state in LIVE},
    **{
        (state, act): State.ENDED
        for state in LIVE
        for act in (Act.END, Act.EXPIRE, Act.DIE, Act.MERGE)
    },
}


def after(state: State, act: Act) -> State | None:
    """Return where an act leads, or nothing when it is not allowed."""
    return MOVES.get((state, act))


def check_act(state: State, act: Act) -> State:
    """Return where an act leads; raise :class:`TieMove` when the state does not allow it."""
    then = after(state, act)
    if then is None:
        raise TieMove(state=state.value, state_ja=state.ja, act=act.value, act_ja=act.ja)
    return then


def check_time(stated_at: datetime, now: datetime) -> None:
    """Raise :class:`TieStatedInFuture` for a time that this clock has not come near to."""
    if stated_at > now + TOLERANCE:
        raise TieStatedInFuture(minutes=TOLERANCE.seconds // 60)


def check_follows(stated_at: datetime, terms_at: datetime) -> None:
    """Raise :class:`TieStatedBefore` for an acceptance older than what it accepts."""
    if stated_at < terms_at - TOLERANCE:
        raise TieStatedBefore(minutes=TOLERANCE.seconds // 60)


def is_after(
    stated_at: datetime, source: str, withdrawn_at: datetime, withdrawn_source: str
) -> bool:
    """Whether something was surely stated after a withdrawal; in doubt the withdrawal counts.

    One clock is in order with itself; two may disagree by :data:`TOLERANCE`.
    """
    doubt = timedelta(0) if source == withdrawn_source else TOLERANCE
    return stated_at > withdrawn_at + doubt
