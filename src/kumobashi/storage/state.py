"""What a gateway's state must be able to do, wherever it is kept: one file, or PostgreSQL.

Work is a function of a connection. It is durable when ``write`` returns, it is committed together
with whatever else waits, and it may be run more than once before that: a batch in which some work
fails, or that meets a lost connection or a deadlock, is rolled back and run again. So work reads
and writes only through the connection it is given.
"""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, NamedTuple, Protocol, TypeVar

import sqlalchemy as sa

from kumobashi.storage.replying import Reply

T = TypeVar("T")
Work = Callable[[sa.Connection], T]


class StateStore(Protocol):
    """The state of one gateway; ``close`` it at the end."""

    @property
    def is_shared(self) -> bool:
        """Whether other processes may read and write the same state."""

    @property
    def micros(self) -> str:
        """The store's own clock as SQL, in microseconds: for leases, never for dates.

        All processes of a store see the same one, and it does not follow any gateway's wall clock.
        """

    def submit(self, work: Work[T], *, key: str = "") -> Future[T]:
        """Queue work; the future resolves when it is durable, or with what it raised.

        Work of the same ``key`` is done in the order in which it was submitted.
        """

    def write(self, work: Work[T], *, key: str = "") -> T:
        """Do the work and wait until it is durable.

        Raises:
            StoreUnreachable: the database did not come back in time; nothing was done.
            OutcomeUnknown: nor can it be asked whether the commit went through.
            SpoolFull: no space is left; nothing was done.
            StorageFailed: closed, or another failure of the store; nothing was done.
        """

    def read(self, work: Work[T]) -> T:
        """Do the work on a connection that sees all that was committed; it must not write."""

    def close(self) -> None:
        """Finish what is queued and let go."""


class Asked(NamedTuple):
    """Work that waits to be done."""

    work: Work[Any]
    reply: Future[Any] | Reply[Any]
    key: str
