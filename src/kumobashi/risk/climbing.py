"""Cells of a lattice's nodes, each made from those of the nearest finer node that is at hand.

Cells are rows by their class and their sensitive values; coarser nodes have far fewer of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kumobashi.risk.grouping import Codes, Whole, group
from kumobashi.risk.lattice import Base

Levels = tuple[int, ...]

_MOST_HELD = 4  # times the cells of the base: what is kept of nodes that were made


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """The cells of a node, by class and then by value: arrays of shape (cells,).

    ``codes`` hold a value for each column, ``ranks`` one for each sensitive column. The population
    has cells of its own, by class.
    """

    codes: tuple[Codes, ...]
    ranks: tuple[Codes, ...]
    rows: Whole
    people_codes: tuple[Codes, ...] = ()
    people: Whole | None = None


class Climber:
    """Gives the cells of any node of a base, with some of its sensitive columns."""

    def __init__(self, base: Base, named: Sequence[str]) -> None:
        self.base = base
        self._values = [len(base.sensitive[name].spread.rows) for name in named]
        self._bottom = Cells(
            codes=base.codes,
            ranks=tuple(base.sensitive[name].ranks for name in named),
            rows=base.rows,
            people_codes=base.people_codes,
            people=base.people,
        )
        self._held: dict[Levels, Cells] = {}
        self._room = _MOST_HELD * len(base.rows)

    def cells(self, levels: Levels) -> Cells:
        """Return the cells of a node; only those of nested ladders can be made from others."""
        if levels in self._held:
            return self._held[levels]
        finer = self._nearest(levels) if self.base.is_nested else None
        source = self._bottom if finer is None else self._held[finer]
        made = self._climbed(source, finer, levels)
        self._hold(levels, made)
        return made

    def _climbed(self, source: Cells, start: Levels | None, levels: Levels) -> Cells:
        maps = [
            self._map(place, None if start is None else start[place], level)
            for place, level in enumerate(levels)
        ]
        sizes = self.base.sizes_at(levels)
        codes = [_mapped(each, held) for each, held in zip(maps, source.codes, strict=True)]
        found = group([*codes, *source.ranks], [*sizes, *self._values], source.rows)
        people_codes: tuple[Codes, ...] = ()
        people = None
        if source.people is not None:
            there = [_mapped(*pair) for pair in zip(maps, source.people_codes, strict=True)]
            everybody = group(there, sizes, source.people)
            people_codes = tuple(one[everybody.first] for one in there)
            people = everybody.rows
        return Cells(
            codes=tuple(one[found.first] for one in codes),
            ranks=tuple(one[found.first] for one in source.ranks),
            rows=found.rows,
            people_codes=people_codes,
            people=people,
        )

    def _map(self, place: int, start: int | None, level: int) -> Codes | None:
        """Return what each value of a column becomes; None: it stays."""
        steps = self.base.steps[place]
        if start is None:
            return steps.ids[level]
        if start == level:
            return None
        made = np.zeros(steps.sizes[start], dtype=np.int32)
        made[steps.ids[start]] = steps.ids[level]
        return made

    def _nearest(self, levels: Levels) -> Levels | None:
        if not self._held:
            return None
        finer = (
            held
            for held in self._held
            if all(low <= high for low, high in zip(held, levels, strict=True))
        )
        return min(finer, key=lambda held: len(self._held[held].rows), default=None)

    def _hold(self, levels: Levels, cells: Cells) -> None:
        """Keep the cells; when there are too many, the largest go first."""
        self._held[levels] = cells
        while sum(len(one.rows) for one in self._held.values()) > self._room:
            del self._held[max(self._held, key=lambda held: len(self._held[held].rows))]


def _mapped(each: Codes | None, held: Codes) -> Codes:
    return held if each is None else each[held]
