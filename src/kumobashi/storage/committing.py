"""Many pieces of work in one transaction, none hurt by another.

Nearly all work succeeds, so a batch is first run without savepoints, which would double its cost.
When a piece fails the batch is rolled back and run again, each piece in a savepoint of its own.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from kumobashi.storage.state import Asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one piece of work, to be told once the commit is durable."""

    future: Future[Any]
    result: Any = None
    error: BaseException | None = None

    def tell(self) -> None:
        """Resolve the future, unless somebody has given up waiting for it."""
        if not self.future.set_running_or_notify_cancel():
            return
        if self.error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(self.error)


class PieceFailed(Exception):
    """A piece of work raised; the batch must be run with savepoints."""


def run_quickly(
    connection: sa.Connection,
    batch: Sequence[Asked],
    is_of_store: Callable[[BaseException], bool],
) -> list[Outcome]:
    """Run the work inside the transaction that is open.

    Raises:
        PieceFailed: some work raised; roll back and :func:`run_carefully`.
        BaseException: what the store itself raised.
    """
    outcomes = []
    for work, future in batch:
        try:
            outcomes.append(Outcome(future=future, result=work(connection)))
        except BaseException as error:
            if is_of_store(error):
                raise
            raise PieceFailed from error
    return outcomes


def run_carefully(
    connection: sa.Connection,
    batch: Sequence[Asked],
    is_of_store: Callable[[BaseException], bool],
) -> list[Outcome]:
    """Run each piece in a savepoint of its own inside the transaction that is open.

    Raises:
        BaseException: what the store itself raised.
    """
    outcomes = []
    for work, future in batch:
        try:
            with connection.begin_nested():
                outcomes.append(Outcome(future=future, result=work(connection)))
        except BaseException as error:
            if is_of_store(error):
                raise
            outcomes.append(Outcome(future=future, error=error))
    return outcomes
