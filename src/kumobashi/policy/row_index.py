"""Find the rows of a table that answer a question, by a key in which ``*`` matches everything.

The municipality's own rows go before ours; of either, the row with more exact columns goes first.
Rows with equally many that both match answer together: the overlaps that would contradict were
refused when the table was loaded (``overlaps``).

>>> from kumobashi.policy.row_index import DayIndex
>>> index = DayIndex({("tax", "*"): ("no",), ("tax", "care"): ("yes",)}, own={})
>>> index.find(("tax", "care")), index.find(("tax", "school")), index.find(("care", "tax"))
(('yes',), ('no',), ())
"""

from collections.abc import Callable, Hashable, Iterable, Mapping
from datetime import date
from operator import itemgetter
from typing import Generic, Protocol, TypeVar

from kumobashi.policy.reading import ANY, Dated, Origin

Key = tuple[str, ...]
_DAYS_KEPT = 64
V = TypeVar("V")


class Keyed(Dated, Protocol):
    """A row with the columns it is found by."""

    @property
    def key(self) -> Key:
        """The columns, ``*`` where any value will do."""
        ...


K = TypeVar("K", bound=Keyed)


def exactness(key: Key) -> int:
    """How many columns a key names."""
    return sum(said != ANY for said in key)


def meet(one: Key, other: Key) -> bool:
    """Whether something can be asked that both keys match."""
    return all(ANY in (a, b) or a == b for a, b in zip(one, other, strict=True))


class DayIndex(Generic[V]):
    """The rows of one day: one look-up for each pattern of ``*`` that the rows have."""

    def __init__(
        self, ours: Mapping[Key, tuple[V, ...]], *, own: Mapping[Key, tuple[V, ...]]
    ) -> None:
        self._levels = [*_levels(own), *_levels(ours)]

    def find(self, asked: Key) -> tuple[V, ...]:
        """Return the rows that answer; none when no row matches."""
        for patterns in self._levels:
            found: tuple[V, ...] = ()
            for named, rows in patterns:
                if held := rows.get(named(asked)):
                    found += held
            if found:
                return found
        return ()


Pattern = tuple[Callable[[Key], Hashable], dict[Hashable, tuple[V, ...]]]


def _levels(rows: Mapping[Key, tuple[V, ...]]) -> list[list[Pattern[V]]]:
    """Sort rows by how exact they are, the most exact first, and by which columns they name."""
    patterns: dict[tuple[int, ...], dict[Hashable, tuple[V, ...]]] = {}
    for key, held in rows.items():
        named = tuple(number for number, said in enumerate(key) if said != ANY)
        patterns.setdefault(named, {})[_named(named)(key)] = held
    levels: dict[int, list[Pattern[V]]] = {}
    for named, found in patterns.items():
        levels.setdefault(-len(named), []).append((_named(named), found))
    return [level for _, level in sorted(levels.items(), key=itemgetter(0))]


def _named(columns: tuple[int, ...]) -> Callable[[Key], Hashable]:
    """Return what takes the named columns out of a key."""
    return itemgetter(*columns) if columns else lambda _key: ()


class RowIndex(Generic[K]):
    """All rows of a table; asking is by day, and the last days asked for are kept ready."""

    def __init__(self, rows: Iterable[K]) -> None:
        self.rows = tuple(rows)
        self._days: dict[date, DayIndex[K]] = {}

    def on(self, day: date) -> DayIndex[K]:
        """Return the rows that hold on a day."""
        found = self._days.get(day)
        if found is None:
            if len(self._days) >= _DAYS_KEPT:
                self._days.clear()
            found = self._days[day] = DayIndex(
                self._held(day, is_ours=True), own=self._held(day, is_ours=False)
            )
        return found

    def _held(self, day: date, *, is_ours: bool) -> dict[Key, tuple[K, ...]]:
        held: dict[Key, tuple[K, ...]] = {}
        for row in self.rows:
            if row.origin.holds(day) and row.origin.is_ours is is_ours:
                held[row.key] = (*held.get(row.key, ()), row)
        return held


def places(origins: Iterable[Origin]) -> tuple[str, ...]:
    """Return file and line of each, in order and once."""
    return tuple(dict.fromkeys(origin.place for origin in origins))
