"""The permit (持出許可): who asked for what to be carried, who allowed it, and where it stands.

Pure: states, the moves between them as a table, and when a return is overdue.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from kumobashi.courier.errors import PermitMove, PermitOver, ReturnTooLate, SamePerson
from kumobashi.courier.index import Kind


class State(StrEnum):
    """Where a permit stands."""

    ASKED = "asked"  # 願い出: waits for a second person
    DECLINED = "declined"  # 不許可
    APPROVED = "approved"  # 許可: may be written
    TAKEN = "taken"  # 持出中: something was written, or begun
    RETURNED = "returned"  # 返却: every medium is back and erased
    LOST = "lost"  # 紛失

    @property
    def ja(self) -> str:
        """The Japanese name."""
        return {
            State.ASKED: "許可待ち",
            State.DECLINED: "不許可",
            State.APPROVED: "許可済み",
            State.TAKEN: "持出中",
            State.RETURNED: "返却・消去済み",
            State.LOST: "紛失",
        }[self]


MOVES: Final[Mapping[State, frozenset[State]]] = {
    State.ASKED: frozenset({State.APPROVED, State.DECLINED}),
    State.APPROVED: frozenset({State.TAKEN, State.DECLINED}),
    # Each further medium of a permit is begun in this state again.
    State.TAKEN: frozenset({State.TAKEN, State.RETURNED, State.LOST}),
    State.DECLINED: frozenset(),
    State.RETURNED: frozenset(),
    State.LOST: frozenset({State.RETURNED}),  # it was found
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MediumWritten:
    """One medium of a permit; ``is_whole`` once its index is on it."""

    number: int
    label: str  # 媒体番号, as it stands on the medium
    medium: str
    first_part: int | None  # of a bundle
    last_part: int | None
    is_whole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody writes who asks for a permit."""

    labels: tuple[str, ...]  # 媒体番号, in the order of use
    purpose: str
    return_by: date
    by: str  # account


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """One permit of the site that writes the media."""

    permit: str
    kind: Kind
    link: str | None  # of a bundle
    transfer: str | None
    attempt: int | None
    to_site: str
    labels: tuple[str, ...]  # numbers of the media that may be taken, in their order
    purpose: str
    return_by: date
    state: State
    asked_by: str
    asked_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    closed_by: str | None
    closed_at: datetime | None
    media: tuple[MediumWritten, ...]
    wrong_codes: int
    secret: bytes = field(repr=False)  # of confirmation codes

    def is_overdue(self, today: date) -> bool:
        """Whether media should be back by now."""
        return self.state is State.TAKEN and today > self.return_by


def check_move(permit: Permit, then: State) -> None:
    """Raise :class:`PermitMove` unless the permit may become ``then``."""
    if then not in MOVES[permit.state]:
        raise PermitMove(
            permit=permit.permit,
            now=permit.state.value,
            then=then.value,
            now_ja=permit.state.ja,
            then_ja=then.ja,
        )


def check_second_person(permit: Permit, by: str) -> None:
    """Raise :class:`SamePerson` when whoever asked would decide."""
    if by == permit.asked_by:
        raise SamePerson


def check_return(return_by: date, *, first: date, last: date) -> None:
    """Raise :class:`ReturnTooLate` unless the day of return lies between these."""
    if not first <= return_by <= last:
        raise ReturnTooLate(first=first.isoformat(), last=last.isoformat())


def check_in_time(permit: Permit, today: date) -> None:
    """Raise :class:`PermitOver` when nothing may be written any more."""
    if today > permit.return_by:
        raise PermitOver(return_by=permit.return_by.isoformat())
