"""The states of a request of a resident, and the acts that move it. Pure: a table, and its reader.

    received ──check──> checked ──decide──> decided ──carry out──> carried_out ──close──> closed
        └──ask──> asked ──resume──┘   └─propose─> proposed ─decide┘      └──────close──────┘
    received | checked | proposed ──extend──> the same state, with a later deadline
    received | checked ──transfer──> transferred; whatever is not decided ──withdraw──> withdrawn
    carried_out ──note──> carried_out: a receiver was told, or confirmed
    carried_out | closed ──ask lift──> ──lift──> the same state: a suspension ends, by two persons

A decision is an act of law that a later word of the applicant does not undo: nothing decided can
be withdrawn (個人情報保護委員会 Q&A 行政機関等編 5-6-12). A refusal, in whole or in part, is
proposed by one person and decided by another.

>>> after(State.CHECKED, Act.DECIDE).value
'decided'
>>> after(State.DECIDED, Act.WITHDRAW) is None
True
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from kumobashi.requests.errors import RequestMove


class Kind(StrEnum):
    """What is asked for."""

    DISCLOSURE = "disclosure"
    CORRECTION = "correction"
    SUSPENSION = "suspension"  # of use, by deletion, or of provision

    @property
    def ja(self) -> str:
        """The Japanese name."""
        return {
            Kind.DISCLOSURE: "開示請求",
            Kind.CORRECTION: "訂正請求",
            Kind.SUSPENSION: "利用停止請求",
        }[self]


class State(StrEnum):
    """How far a request is."""

    RECEIVED = "received"
    CHECKED = "checked"  # it is known who asks
    ASKED = "asked"  # to complete it (補正): the clock stands still
    PROPOSED = "proposed"
    DECIDED = "decided"
    CARRIED_OUT = "carried_out"
    CLOSED = "closed"
    TRANSFERRED = "transferred"
    WITHDRAWN = "withdrawn"

    @property
    def ja(self) -> str:
        """The Japanese name."""
        return _STATES_JA[self]


class Act(StrEnum):
    """What moves a request."""

    RECEIVE = "receive"
    CHECK = "check"
    ASK = "ask"
    RESUME = "resume"
    EXTEND = "extend"
    ANSWER = "answer"  # the record of what was sent is composed
    PROPOSE = "propose"
    RETURN = "return"
    DECIDE = "decide"
    TRANSFER = "transfer"
    CARRY_OUT = "carry_out"
    NOTE = "note"  # a receiver was told, or confirmed, on paper
    ASK_LIFT = "ask_lift"
    LIFT = "lift"  # a suspension ends: rows leave again
    CLOSE = "close"
    WITHDRAW = "withdraw"

    @property
    def ja(self) -> str:
        """The Japanese name."""
        return _ACTS_JA[self]


class Outcome(StrEnum):
    """What was decided."""

    GRANTED = "granted"
    PARTLY = "partly"
    REFUSED = "refused"

    @property
    def needs_two(self) -> bool:
        """Whether one person proposes it and another decides."""
        return self is not Outcome.GRANTED

    @property
    def ja(self) -> str:
        """The Japanese name."""
        return {
            Outcome.GRANTED: "全部認める",
            Outcome.PARTLY: "一部認める",
            Outcome.REFUSED: "認めない",
        }[self]


_STATES_JA: Final = {
    State.RECEIVED: "受付",
    State.CHECKED: "審査中",
    State.ASKED: "補正待ち",
    State.PROPOSED: "決定案",
    State.DECIDED: "決定済み",
    State.CARRIED_OUT: "実施済み",
    State.CLOSED: "終了",
    State.TRANSFERRED: "移送",
    State.WITHDRAWN: "取下げ",
}
_ACTS_JA: Final = {
    Act.RECEIVE: "受付",
    Act.CHECK: "本人確認",
    Act.ASK: "補正の求め",
    Act.RESUME: "補正の受領",
    Act.EXTEND: "期限の延長",
    Act.ANSWER: "回答の作成",
    Act.PROPOSE: "決定案の提出",
    Act.RETURN: "決定案の差戻し",
    Act.DECIDE: "決定",
    Act.TRANSFER: "移送",
    Act.CARRY_OUT: "実施",
    Act.NOTE: "提供先の確認",
    Act.ASK_LIFT: "利用停止の解除の申出",
    Act.LIFT: "利用停止の解除",
    Act.CLOSE: "終了",
    Act.WITHDRAW: "取下げ",
}
OPEN: Final = (State.RECEIVED, State.CHECKED, State.ASKED, State.PROPOSED)
"""States that a decision is still owed in."""
LIVE: Final = (*OPEN, State.DECIDED, State.CARRIED_OUT)
"""States that something is still to be done in."""

MOVES: Final[Mapping[tuple[State, Act], State]] = {
    (State.RECEIVED, Act.CHECK): State.CHECKED,
    (State.RECEIVED, Act.ASK): State.ASKED,
    (State.CHECKED, Act.ASK): State.ASKED,
    (State.ASKED, Act.RESUME): State.CHECKED,
    **{(one, Act.EXTEND): one for one in (State.RECEIVED, State.CHECKED, State.PROPOSED)},
    (State.CHECKED, Act.ANSWER): State.CHECKED,
    (State.CHECKED, Act.PROPOSE): State.PROPOSED,
    (State.ASKED, Act.PROPOSE): State.PROPOSED,  # what was lacking did not come: a refusal
    (State.PROPOSED, Act.RETURN): State.CHECKED,
    (State.CHECKED, Act.DECIDE): State.DECIDED,
    (State.PROPOSED, Act.DECIDE): State.DECIDED,
    (State.RECEIVED, Act.TRANSFER): State.TRANSFERRED,
    (State.CHECKED, Act.TRANSFER): State.TRANSFERRED,
    (State.DECIDED, Act.CARRY_OUT): State.CARRIED_OUT,
    (State.CARRIED_OUT, Act.NOTE): State.CARRIED_OUT,
    **{(one, Act.ASK_LIFT): one for one in (State.CARRIED_OUT, State.CLOSED)},
    **{(one, Act.LIFT): one for one in (State.CARRIED_OUT, State.CLOSED)},
    (State.DECIDED, Act.CLOSE): State.CLOSED,
    (State.CARRIED_OUT, Act.CLOSE): State.CLOSED,
    **{(one, Act.WITHDRAW): State.WITHDRAWN for one in OPEN},
}


def after(state: State, act: Act) -> State | None:
    """Return where an act leads, or nothing when it is not allowed."""
    return MOVES.get((state, act))


def check_act(state: State, act: Act) -> State:
    """Return where an act leads; raise :class:`RequestMove` when the state does not allow it."""
    then = after(state, act)
    if then is None:
        raise RequestMove(state=state.value, state_ja=state.ja, act=act.value, act_ja=act.ja)
    return then
