"""Households that have not been seen before: another city's, taken home by home as they move in."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

import pyarrow as pa
import pyarrow.compute as pc

_COPIED = {
    "national_health_insurance": ("gained_on",),
    "child_allowance": ("decided_on",),
    "long_term_care": ("gained_on",),
    "latter_stage_medical": ("gained_on",),
    "disability_certificates": (),
}
_ABROAD_EVERY = 56  # of the homes one comes from another country, as published


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """Rows to insert by table, and the new numbers; ``home_of`` stands beside ``numbers``."""

    rows: dict[str, pa.Table]
    numbers: list[str]
    home_of: list[str]
    homes: list[str]
    from_abroad: frozenset[str]


class Newcomers:
    """A queue of households; each comes once, with the insurance it has."""

    def __init__(self, tables: dict[str, pa.Table]) -> None:
        lives = pc.equal(tables["resident_registry"]["resident_status"], "1")
        self._people = tables["resident_registry"].filter(lives).sort_by("household_no")
        self._tables = {name: tables[name] for name in _COPIED}
        self._next, self._homes = 0, 0
        homes = self._people["household_no"].combine_chunks()
        ends = pc.indices_nonzero(
            pc.not_equal(homes.slice(0, max(len(homes) - 1, 0)), homes.slice(1))
        ).to_pylist()
        self._ends = [end + 1 for end in ends] + [len(homes)]

    @staticmethod
    def columns() -> tuple[str, ...]:
        """Return the tables that a newcomer brings along."""
        return ("resident_registry", *_COPIED)

    def take(
        self,
        wanted: int,
        unused: Callable[[str, int], list[str]],
        *,
        on: date,
        at: datetime,
    ) -> Arrived:
        """Return the next homes, about ``wanted`` people; fewer when nobody is left."""
        start, first = self._next, self._homes
        while self._homes < len(self._ends):
            end = self._ends[self._homes]
            if (self._next + end) / 2 - start > wanted:
                break
            self._next, self._homes = end, self._homes + 1
        people = self._people.slice(start, self._next - start)
        homes = unused("household_no", self._homes - first)
        sizes = [
            self._ends[place] - (self._ends[place - 1] if place else 0)
            for place in range(first, self._homes)
        ]
        home_of = [home for home, size in zip(homes, sizes, strict=True) for _ in range(size)]
        numbers = unused("resident_no", len(people))
        renamed = dict(zip(people["resident_no"].to_pylist(), numbers, strict=True))
        register = _replaced(people, "resident_no", pa.array(numbers, pa.string()))
        register = _replaced(register, "household_no", pa.array(home_of, pa.string()))
        register = _replaced(register, "resident_since", pa.array([on] * len(people), pa.date32()))
        stamp = pa.array([at] * len(people), pa.timestamp("us"))
        rows = {"resident_registry": _replaced(register, "updated_at", stamp)}
        for name, dated in _COPIED.items():
            found = self._tables[name].filter(
                pc.is_in(self._tables[name]["resident_no"], people["resident_no"].combine_chunks())
            )
            if "lost_on" in found.column_names:
                found = found.filter(pc.is_null(found["lost_on"]))
            new = pa.array([renamed[no] for no in found["resident_no"].to_pylist()], pa.string())
            found = _replaced(found, "resident_no", new)
            for column in dated:
                found = _replaced(found, column, pa.array([on] * len(found), pa.date32()))
            rows[name] = found
        abroad = [home for place, home in enumerate(homes, first) if place % _ABROAD_EVERY == 0]
        return Arrived(
            rows=rows,
            numbers=numbers,
            home_of=home_of,
            homes=homes,
            from_abroad=frozenset(abroad),
        )


def _replaced(table: pa.Table, name: str, column: pa.Array | pa.ChunkedArray) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, column)
