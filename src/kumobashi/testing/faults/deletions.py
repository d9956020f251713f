"""Decide whether a deletion is true (I9): asked for, complete, proved; and what is gone stays gone.

A deleted transfer is not a lost one: its mark stays in the receiver's table of loads, its rows are
gone, and a second table of the receiver remembers that they are.
"""

from collections.abc import Iterator, Sequence

from kumobashi.testing.faults.history import Event
from kumobashi.testing.faults.statements import Statement
from kumobashi.testing.faults.tables import Gone, Marker

Found = tuple[str, str, str]  # kind, whose, what was seen


def untrue(
    events: Sequence[Event],
    gone: Sequence[Gone],
    statements: Sequence[Statement],
    left: Sequence[str],
) -> Iterator[Found]:
    """Yield what is wrong; ``left`` are names of files in the receivers' private folders."""
    asked = {event["transfer"] for event in events if event["event"] == "delete"}
    taken = {event["transfer"] for event in events if event["event"] == "delete-taken"}
    noted = {one.transfer for one in gone}
    genuine = [said for said in statements if said.stage == "deleted" and said.is_genuine]
    proved = {said.transfer for said in genuine}
    heard = {said.transfer for said in genuine if said.side == "out"}
    for transfer in sorted(proved - noted):
        yield "undeleted", transfer, "a receipt says deleted, and the target does not know of it"
    for transfer in sorted((proved | noted) - asked):
        yield "lost", transfer, "deleted, and nobody asked for it"
    for transfer in sorted(taken - heard):
        yield "unfinished", transfer, "its deletion is not proved"
    for name in left:
        for transfer in sorted(proved):
            if transfer in name:
                yield "undeleted", transfer, name


def is_emptied(newest: Marker, gone: Sequence[Gone]) -> bool:
    """Whether the newest load of a link was deleted, so that its table must be empty."""
    return any(one.transfer == newest.transfer for one in gone)


def back_again(link: str, rows: Sequence[tuple[str, str]]) -> Iterator[Found]:
    """Yield every row of a table that must be empty."""
    for key, _ in rows:
        yield "undeleted", f"{link} {key}", "row"
