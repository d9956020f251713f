"""Cells of a lattice's nodes, each made from those of the nearest finer node that is at hand.

Cells are rows by their class and their sensitive values; coarser nodes have far fewer of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kumobashi.risk.grouping import Codes, Whole, group
from kumobashi.risk.lattice import Base

Levels = tuple[int, ...]

_MOST_HELD = 1_000_000  # cells that are kept of nodes that were made, or as many as the base has
_GONE = np.iinfo(np.int64).max


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
        self._cells = 0  # held
        self._room = max(_MOST_HELD, len(base.rows))
        # Every node that was ever held, beside its cells; those that went have more than any.
        self._nodes: list[Levels] = []
        self._levels = np.empty((64, len(base.steps)), dtype=np.int16)
        self._sizes = np.empty(64, dtype=np.int64)

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
        """Return the finer node at hand with the fewest cells."""
        count = len(self._nodes)
        finer = (self._levels[:count] <= np.array(levels, dtype=np.int16)).all(axis=1)
        sizes = np.where(finer, self._sizes[:count], _GONE)
        place = int(sizes.argmin()) if count else 0
        return self._nodes[place] if count and sizes[place] < _GONE else None

    def _hold(self, levels: Levels, cells: Cells) -> None:
        """Keep the cells; when there are too many, the largest go first."""
        place = len(self._nodes)
        if place == len(self._sizes):
            self._levels = np.concatenate([self._levels, np.empty_like(self._levels)])
            self._sizes = np.concatenate([self._sizes, np.empty_like(self._sizes)])
        self._nodes.append(levels)
        self._levels[place], self._sizes[place] = levels, len(cells.rows)
        self._held[levels] = cells
        self._cells += len(cells.rows)
        while self._cells > self._room:
            sizes = self._sizes[: len(self._nodes)]
            largest = int(np.where(sizes < _GONE, sizes, 0).argmax())
            self._cells -= int(sizes[largest])
            sizes[largest] = _GONE
            del self._held[self._nodes[largest]]


def _mapped(each: Codes | None, held: Codes) -> Codes:
    return held if each is None else each[held]
