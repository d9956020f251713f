"""An agreement as it is kept: the row, the signed moves behind it, and what they say together."""

from dataclasses import dataclass
from datetime import date, datetime

from kumobashi.agreements.contents import Application
from kumobashi.agreements.moves import Move
from kumobashi.agreements.processors import Processor
from kumobashi.agreements.states import Act, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The row of an agreement, exactly as it stands; nothing of it is believed by itself."""

    tenant: str
    agreement: str
    number: str | None  # 文書番号
    link: str
    state: State
    revision: int
    plan_hash: str
    first_day: str
    last_day: str
    content: str  # canonical text of the application
    processors: str
    is_settled: bool  # what ran under it was stopped


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """An agreement whose history was verified."""

    row: Row
    application: Application
    register: tuple[Processor, ...]
    moves: tuple[Move, ...]

    @property
    def agreement(self) -> str:
        """The id."""
        return self.row.agreement

    @property
    def state(self) -> State:
        """How far it is."""
        return self.row.state

    @property
    def name(self) -> str:
        """What people call it: the document number, or the end of the id before there is one."""
        return self.row.number or self.row.agreement[-8:]

    @property
    def head(self) -> Move:
        """The last move."""
        return self.moves[-1]

    @property
    def conditions(self) -> tuple[str, ...]:
        """What was applied for, and what the decision added."""
        decided = self.last(Act.APPROVE)
        return (*self.application.conditions, *(decided.conditions if decided else ()))

    @property
    def since(self) -> datetime:
        """Since when it is in its state."""
        entered = [move for move in self.moves if move.before is not move.after]
        return entered[-1].at if entered else self.moves[0].at

    def last(self, act: Act) -> Move | None:
        """Return the last move of a kind, if there was one."""
        return next((move for move in reversed(self.moves) if move.act is act), None)

    def this_round(self) -> tuple[Move, ...]:
        """Return the moves since it was last applied for: what was sent back does not count."""
        for at in range(len(self.moves) - 1, -1, -1):
            if self.moves[at].act is Act.SUBMIT:
                return self.moves[at:]
        return ()

    def is_in_term(self, on: date) -> bool:
        """Whether a day lies within the term, both ends included."""
        return self.application.first <= on <= self.application.last
