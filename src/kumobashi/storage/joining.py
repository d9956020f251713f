"""Work that many can have done at once, by the statements of one.

A batch is committed together anyway. Where pieces of it are of one kind, what costs is no longer
the flush but their statements: so a kind says how many of its pieces are done with one reading and
one writing, and a store asks it for all that wait. A piece by itself is a set of one.
"""

from abc import ABC, abstractmethod
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, Self, TypeVar

import sqlalchemy as sa

from kumobashi.storage.state import Asked

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Refused:
    """What a piece raised before anything was written for it: it fails alone."""

    error: Exception


class Joint(ABC, Generic[T]):
    """Work of one ``kind``: pieces whose kinds are equal may be done together."""

    __slots__ = ()

    @property
    @abstractmethod
    def kind(self) -> Hashable:
        """What pieces must have in common."""

    @classmethod
    @abstractmethod
    def together(cls, connection: sa.Connection, pieces: Sequence[Self]) -> Sequence[T | Refused]:
        """Do all pieces, as if one after the other, and return what became of each.

        What is raised is of the store, or leaves unclear whose it is: then none of it counts, and
        each piece is done by itself.
        """

    def __call__(self, connection: sa.Connection) -> T:
        """Do this piece alone."""
        (found,) = self.together(connection, [self])
        if isinstance(found, Refused):
            raise found.error
        return found


def gathered(batch: Sequence[Asked]) -> list[list[int]]:
    """Return the places of a batch in groups, to be done one after the other.

    A piece may come earlier than it was asked for, with others of its kind; never before another
    of its key.
    """
    if len(batch) == 1:
        return [[0]]
    groups: list[list[int]] = []
    open_at: dict[Hashable, int] = {}  # of each kind, its last group
    last: dict[str, int] = {}  # of each key, the group of its last piece
    for place, (work, _reply, key) in enumerate(batch):
        at = open_at.get(work.kind, -1) if isinstance(work, Joint) else -1
        if at < last.get(key, 0):
            at = len(groups)
            groups.append([])
            if isinstance(work, Joint):
                open_at[work.kind] = at
        groups[at].append(place)
        last[key] = at
    return groups
