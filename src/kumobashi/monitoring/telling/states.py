"""How a letter stands: what is durably true of it."""

from collections.abc import Collection, Mapping
from enum import StrEnum


class LetterState(StrEnum):
    """The states of a letter; only :data:`MOVES` lead from one to another."""

    DUE = "due"  # it has not left, or came back
    GOING = "going"  # it is being handed over; after a crash nobody knows whether it was
    ACCEPTED = "accepted"  # handed over, which is not to say that it arrived
    REFUSED = "refused"  # not taken, now or later
    DROPPED = "dropped"  # nothing in it has to be said any more


MOVES: Mapping[LetterState, Collection[LetterState]] = {
    LetterState.DUE: {LetterState.GOING, LetterState.DROPPED, LetterState.REFUSED},
    LetterState.GOING: {LetterState.DUE, LetterState.ACCEPTED, LetterState.REFUSED},
}
LEFT = frozenset({"going", "accepted", "refused"})  # somebody may have it


def before(state: LetterState) -> list[str]:
    """Return from where a letter may come into a state."""
    return [one.value for one, then in MOVES.items() if state in then]
