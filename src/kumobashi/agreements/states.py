"""The states of an agreement and the acts that move it. Pure: a table, and a function to ask it.

    draft → applied → owner_review → general_affairs_concur → decided → in_force → expired
      ↑        │           │                  │        └→ refused          └────→ withdrawn
      └────────┴───────────┴── sent back (差戻し)

A state names what has been reached, and so whom it waits for: ``applied`` waits for the section
that owns the data, ``owner_review`` (reviewed) for general affairs, and so on.

>>> after(State.DRAFT, Act.SUBMIT).value
'applied'
>>> after(State.DRAFT, Act.APPROVE) is None
True
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from kumobashi.agreements.errors import IllegalAct


class State(StrEnum):
    """How far an agreement is."""

    DRAFT = "draft"
    APPLIED = "applied"
    OWNER_REVIEW = "owner_review"
    GENERAL_AFFAIRS_CONCUR = "general_affairs_concur"
    DECIDED = "decided"  # approved, with or without conditions; not begun
    REFUSED = "refused"
    IN_FORCE = "in_force"
    EXPIRED = "expired"  # its term is over, or a change has replaced it
    WITHDRAWN = "withdrawn"

    @property
    def ja(self) -> str:
        """The Japanese name."""
        return _STATES_JA[self]


class Act(StrEnum):
    """What somebody does to an agreement; the last three are the gateway's own."""

    CREATE = "create"
    EDIT = "edit"
    SUBMIT = "submit"
    REVIEW = "review"
    CONCUR = "concur"
    APPROVE = "approve"
    REFUSE = "refuse"
    RETURN = "return"
    WITHDRAW = "withdraw"
    REGISTER = "register"  # the register of processors
    BEGIN = "begin"
    EXPIRE = "expire"
    SUPERSEDE = "supersede"

    @property
    def ja(self) -> str:
        """The Japanese name."""
        return _ACTS_JA[self]


_STATES_JA: Final = {
    State.DRAFT: "起案中",
    State.APPLIED: "申請済み・所管課の審査待ち",
    State.OWNER_REVIEW: "所管課審査済み・総務課の合議待ち",
    State.GENERAL_AFFAIRS_CONCUR: "合議済み・決定待ち",
    State.DECIDED: "決定済み・開始待ち",
    State.REFUSED: "不承認",
    State.IN_FORCE: "効力あり",
    State.EXPIRED: "終了",
    State.WITHDRAWN: "取下げ・撤回",
}
_ACTS_JA: Final = {
    Act.CREATE: "起案",
    Act.EDIT: "修正",
    Act.SUBMIT: "申請",
    Act.REVIEW: "所管課審査",
    Act.CONCUR: "総務課合議",
    Act.APPROVE: "決定（承認）",
    Act.REFUSE: "決定（不承認）",
    Act.RETURN: "差戻し",
    Act.WITHDRAW: "取下げ・撤回",
    Act.REGISTER: "再委託台帳の登録",
    Act.BEGIN: "効力の開始",
    Act.EXPIRE: "期間の満了",
    Act.SUPERSEDE: "変更による終了",
}

MOVES: Final[Mapping[tuple[State, Act], State]] = {
    (State.DRAFT, Act.CREATE): State.DRAFT,  # only as the first move of all
    (State.DRAFT, Act.EDIT): State.DRAFT,
    (State.DRAFT, Act.REGISTER): State.DRAFT,
    (State.DRAFT, Act.SUBMIT): State.APPLIED,
    (State.DRAFT, Act.WITHDRAW): State.WITHDRAWN,
    (State.APPLIED, Act.REGISTER): State.APPLIED,
    (State.APPLIED, Act.REVIEW): State.OWNER_REVIEW,
    (State.APPLIED, Act.RETURN): State.DRAFT,
    (State.APPLIED, Act.WITHDRAW): State.WITHDRAWN,
    (State.OWNER_REVIEW, Act.REGISTER): State.OWNER_REVIEW,
    (State.OWNER_REVIEW, Act.CONCUR): State.GENERAL_AFFAIRS_CONCUR,
    (State.OWNER_REVIEW, Act.RETURN): State.DRAFT,
    (State.OWNER_REVIEW, Act.WITHDRAW): State.WITHDRAWN,
    (State.GENERAL_AFFAIRS_CONCUR, Act.REGISTER): State.GENERAL_AFFAIRS_CONCUR,
    (State.GENERAL_AFFAIRS_CONCUR, Act.APPROVE): State.DECIDED,
    (State.GENERAL_AFFAIRS_CONCUR, Act.REFUSE): State.REFUSED,
    (State.GENERAL_AFFAIRS_CONCUR, Act.RETURN): State.DRAFT,
    (State.GENERAL_AFFAIRS_CONCUR, Act.WITHDRAW): State.WITHDRAWN,
    (State.DECIDED, Act.REGISTER): State.DECIDED,
    (State.DECIDED, Act.BEGIN): State.IN_FORCE,
    (State.DECIDED, Act.EXPIRE): State.EXPIRED,  # its term passed before it could begin
    (State.DECIDED, Act.SUPERSEDE): State.EXPIRED,
    (State.DECIDED, Act.WITHDRAW): State.WITHDRAWN,
    (State.IN_FORCE, Act.REGISTER): State.IN_FORCE,
    (State.IN_FORCE, Act.EXPIRE): State.EXPIRED,
    (State.IN_FORCE, Act.SUPERSEDE): State.EXPIRED,
    (State.IN_FORCE, Act.WITHDRAW): State.WITHDRAWN,
}

FINAL: Final = frozenset({State.REFUSED, State.EXPIRED, State.WITHDRAWN})
WAITING: Final = (State.APPLIED, State.OWNER_REVIEW, State.GENERAL_AFFAIRS_CONCUR)
"""States in which an office has to act."""
BY_GATEWAY: Final = frozenset({Act.BEGIN, Act.EXPIRE, Act.SUPERSEDE})


def after(state: State, act: Act) -> State | None:
    """Return where an act leads, or nothing when it is not allowed."""
    return MOVES.get((state, act))


def possible(state: State) -> tuple[Act, ...]:
    """Return what people may do to an agreement in this state."""
    return tuple(
        act
        for (now, act) in MOVES
        if now is state and act not in BY_GATEWAY and act is not Act.CREATE
    )


def check_act(state: State, act: Act) -> State:
    """Return where an act leads; raise :class:`IllegalAct` when the state does not allow it."""
    then = after(state, act)
    if then is None:
        acts = possible(state)
        raise IllegalAct(
            state=state.value,
            state_ja=state.ja,
            act=act.value,
            act_ja=act.ja,
            possible=", ".join(one.value for one in acts) or "nothing",
            possible_ja="・".join(one.ja for one in acts) or "ありません",
        )
    return then
