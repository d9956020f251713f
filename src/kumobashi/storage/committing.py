"""Many pieces of work in one transaction, none hurt by another.

Nearly all work succeeds, so a batch is first run without savepoints, which would double its cost,
and what can be done together is (``joining``). When a piece fails, unless it did so before anything
was written for it, the batch is rolled back and run again, each piece in a savepoint of its own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from kumobashi.storage.joining import Joint, Refused, gathered
from kumobashi.storage.replying import tell
from kumobashi.storage.state import Asked, Work


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one piece of work, to be told once the commit is durable."""

    asked: Asked
    result: Any = None
    error: BaseException | None = None

    def tell(self) -> None:
        """Tell whoever asked for it."""
        tell(self.asked.reply, self.result, self.error)


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
    outcomes = {}
    for group in gathered(batch):
        try:
            found = _done(connection, [batch[place].work for place in group])
        except BaseException as error:
            if is_of_store(error):
                raise
            raise PieceFailed from error
        for place, result in zip(group, found, strict=True):
            if isinstance(result, Refused):
                outcomes[place] = Outcome(asked=batch[place], error=result.error)
            else:
                outcomes[place] = Outcome(asked=batch[place], result=result)
    return [outcomes[place] for place in range(len(batch))]


def _done(connection: sa.Connection, works: Sequence[Work[Any]]) -> Sequence[Any]:
    if isinstance(works[0], Joint):
        return works[0].together(connection, works)  # type: ignore[arg-type]  # all are of its kind
    return [works[0](connection)]


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
    for asked in batch:
        try:
            with connection.begin_nested():
                outcomes.append(Outcome(asked=asked, result=asked.work(connection)))
        except BaseException as error:
            if is_of_store(error):
                raise
            outcomes.append(Outcome(asked=asked, error=error))
    return outcomes
