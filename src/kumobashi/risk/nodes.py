"""The classes of one node of a lattice: who is suppressed there, and what is lost and told.

A node is a level for each column. Its cells are made from those of the nearest finer node that is
at hand, which are far fewer than the rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kumobashi.risk.distributions import Classes, Spread, Told, told
from kumobashi.risk.grouping import Codes, Whole, group, keys_of
from kumobashi.risk.lattice import Base
from kumobashi.risk.losses import Losses, entropies, leaves_below, scaled
from kumobashi.risk.measures import Measures, SensitiveMeasures, Sizes, tell
from kumobashi.risk.thresholds import Thresholds

Levels = tuple[int, ...]
Mask = NDArray[np.bool_]

_MOST_HELD = 4  # times the cells of the base: what is kept of nodes that were looked at


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cells:
    """Rows of a node by class and sensitive values; classes one after the other."""

    codes: tuple[Codes, ...]
    ranks: tuple[Codes, ...]
    rows: Whole
    people_codes: tuple[Codes, ...] = ()
    people: Whole | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """What came out at a node.

    ``suppressed`` rows are in classes that break a limit; ``keeps`` says whether the rest keeps all
    limits and no more than allowed are suppressed. ``floor`` is what discernibility and average
    class size are at least, here and at every coarser node.
    """

    levels: Levels
    suppressed: int
    keeps: bool
    losses: Losses
    floor: Mapping[str, float]


class Lattice:
    """The nodes over a base, for some thresholds; nodes come out the same in any order."""

    def __init__(self, base: Base, thresholds: Thresholds) -> None:
        thresholds.require(frozenset(base.sensitive), has_population=base.people is not None)
        self.base = base
        self.thresholds = thresholds
        self.total = base.total
        self._sensitive = sorted(thresholds.columns)
        self._entropies = [entropies(steps) for steps in base.steps]
        self._below = [leaves_below(steps) for steps in base.steps]
        self._held: dict[Levels, _Cells] = {}
        self._room = _MOST_HELD * len(base.rows)

    def look(self, levels: Levels) -> Node:
        """Count a node's classes, suppress those that break limits, and tell what is lost."""
        cells = self._cells(levels, self._sensitive)
        seen = _Seen(self, levels, cells, self._sensitive)
        kept = seen.kept()
        sizes = seen.sizes
        suppressed = int(sizes[~kept].sum())
        return Node(
            levels=levels,
            suppressed=suppressed,
            keeps=self._keeps(seen, kept, suppressed),
            losses=self._losses(levels, seen, kept, suppressed),
            floor={
                "discernibility": float((sizes * sizes).sum()),
                "average_class_size": self.total / len(sizes),
            },
        )

    def measures(self, levels: Levels) -> Measures:
        """Measure the rows that are left at a node that keeps its limits, with all columns."""
        named = sorted(self.base.sensitive)
        seen = _Seen(self, levels, self._cells(levels, named, fresh=True), named)
        return seen.measures(seen.kept())

    def lacking(self) -> tuple[int, int] | None:
        """Return the rows and classes that the population does not hold; None: it holds all."""
        finest = tuple(0 for _ in self.base.steps)
        seen = _Seen(self, finest, self._cells(finest, [], fresh=True), [])
        if seen.people is None:
            return None
        short = seen.people < seen.sizes
        return (int(seen.sizes[short].sum()), int(short.sum())) if short.any() else None

    def _keeps(self, seen: "_Seen", kept: Mask, suppressed: int) -> bool:
        if not kept.any() or suppressed / self.total > self.thresholds.max_suppressed:
            return False
        limit = self.thresholds.max_marketer
        return limit is None or tell(seen.size_counts(kept)).marketer <= limit

    def _losses(self, levels: Levels, seen: "_Seen", kept: Mask, suppressed: int) -> Losses:
        sizes, total = seen.sizes, self.total
        left = sizes[kept]
        lost = []
        for steps, below, level, codes in zip(
            self.base.steps, self._below, levels, seen.codes, strict=True
        ):
            leaves = len(steps.ids[0])
            stand_for = int((below[level][codes[kept]] * left).sum()) + suppressed * leaves
            lost.append(scaled(stand_for, rows=total, leaves=leaves))
        return Losses(
            discernibility=int((left * left).sum()) + suppressed * total,
            average_class_size=total / (len(left) + bool(suppressed)),
            entropy=sum(
                (each[level] for each, level in zip(self._entropies, levels, strict=True)),
                start=0.0,
            ),
            loss=tuple(lost),
        )

    def _cells(self, levels: Levels, named: Sequence[str], *, fresh: bool = False) -> _Cells:
        """Return the cells of a node, from the nearest finer node at hand."""
        if not fresh and levels in self._held:
            return self._held[levels]
        finer = None if fresh or not self.base.is_nested else self._nearest(levels)
        if finer is None:
            ranks = tuple(self.base.sensitive[name].ranks for name in named)
            start, source = (
                None,
                _Cells(
                    codes=self.base.codes,
                    ranks=ranks,
                    rows=self.base.rows,
                    people_codes=self.base.people_codes,
                    people=self.base.people,
                ),
            )
        else:
            start, source = finer, self._held[finer]
        made = self._climbed(source, start, levels, named)
        if not fresh:
            self._hold(levels, made)
        return made

    def _climbed(
        self, source: _Cells, start: Levels | None, levels: Levels, named: Sequence[str]
    ) -> _Cells:
        steps = self.base.steps
        maps = [
            one.ids[level] if start is None else _between(one.ids[start[place]], one.ids[level])
            for place, (one, level) in enumerate(zip(steps, levels, strict=True))
        ]
        sizes = [one.sizes[level] for one, level in zip(steps, levels, strict=True)]
        codes = [each[held] for each, held in zip(maps, source.codes, strict=True)]
        values = [len(self.base.sensitive[name].spread.rows) for name in named]
        found = group([*codes, *source.ranks], [*sizes, *values], source.rows)
        people_codes: tuple[Codes, ...] = ()
        people = None
        if source.people is not None:
            there = [each[held] for each, held in zip(maps, source.people_codes, strict=True)]
            everybody = group(there, sizes, source.people)
            people_codes = tuple(one[everybody.first] for one in there)
            people = everybody.rows
        return _Cells(
            codes=tuple(one[found.first] for one in codes),
            ranks=tuple(one[found.first] for one in source.ranks),
            rows=found.rows,
            people_codes=people_codes,
            people=people,
        )

    def _nearest(self, levels: Levels) -> Levels | None:
        if not self._held:
            return None
        finer = (
            held
            for held in self._held
            if all(low <= high for low, high in zip(held, levels, strict=True))
        )
        return min(finer, key=lambda held: len(self._held[held].rows), default=None)

    def _hold(self, levels: Levels, cells: _Cells) -> None:
        """Keep the cells; when there are too many, the largest go first."""
        self._held[levels] = cells
        while sum(len(one.rows) for one in self._held.values()) > self._room:
            del self._held[max(self._held, key=lambda held: len(self._held[held].rows))]


def _between(finer: Codes, coarser: Codes) -> Codes:
    """Return what each value of a finer level becomes."""
    made = np.zeros(int(finer.max()) + 1, dtype=np.int32)
    made[finer] = coarser
    return made


class _Seen:
    """The classes of a node, as arrays of shape (classes,)."""

    def __init__(
        self, lattice: Lattice, levels: Levels, cells: _Cells, named: Sequence[str]
    ) -> None:
        self._lattice, self._cells, self._named = lattice, cells, named
        self._starts = _starts(cells.codes)
        self.codes = tuple(one[self._starts] for one in cells.codes)
        self.sizes = np.add.reduceat(cells.rows, self._starts)
        self.people = self._people(levels, cells.people)

    def _people(self, levels: Levels, people: Whole | None) -> Whole | None:
        """Look up each class in the population."""
        if people is None:
            return None
        steps = self._lattice.base.steps
        sizes = [one.sizes[level] for one, level in zip(steps, levels, strict=True)]
        together = [
            np.concatenate([there, here])
            for there, here in zip(self._cells.people_codes, self.codes, strict=True)
        ]
        keys, _ = keys_of(together, sizes)
        known = len(people)
        at = np.minimum(np.searchsorted(keys[:known], keys[known:]), known - 1)
        there = keys[at] == keys[known:]
        return np.where(there, people[at], 0)

    def kept(self) -> Mask:
        """Return which classes break no limit; what is left is looked at again until it keeps all.

        Suppressing rows changes what all rows are, and so the t of the rest: a class that is good
        beside all rows may be bad beside those that are left.
        """
        limits = self._lattice.thresholds
        kept: Mask = np.ones(len(self.sizes), dtype=bool)
        if limits.k is not None:
            kept &= self.sizes >= limits.k
        if limits.max_prosecutor is not None:
            kept &= 1 / self.sizes <= limits.max_prosecutor
        if self.people is not None:
            if limits.k_map is not None:
                kept &= self.people >= limits.k_map
            if limits.max_journalist is not None:
                kept &= 1 / self.people <= limits.max_journalist
        while kept.any():
            good = kept & self._is_spread(kept) & self._is_not_alone(kept)
            if good.sum() == kept.sum():
                break
            kept = good
        return kept

    def _is_not_alone(self, kept: Mask) -> Mask:
        limit = self._lattice.thresholds.max_unique_share
        alone = self.sizes == 1
        if limit is None or (alone & kept).sum() / self.sizes[kept].sum() <= limit:
            return np.ones(len(kept), dtype=bool)
        return ~alone

    def _is_spread(self, kept: Mask) -> Mask:
        """Return which classes keep the limits of the sensitive columns, beside the kept rows."""
        limits = self._lattice.thresholds
        good: Mask = np.ones(len(kept), dtype=bool)
        for place, name in enumerate(self._named):
            if name not in limits.columns:
                continue
            found, _ = self._told(place, name, kept)
            fine = np.ones(len(found.sizes), dtype=bool)
            if name in limits.l:
                fine &= found.distinct >= limits.l[name]
            if name in limits.entropy_l:
                fine &= found.entropy_l >= limits.entropy_l[name]
            if name in limits.t:
                fine &= found.t <= limits.t[name]
            good[kept] &= fine
        return good

    def _told(self, place: int, name: str, kept: Mask) -> tuple[Told, Spread]:
        """Tell of one sensitive column in the kept classes, in their order."""
        ranked = self._lattice.base.sensitive[name]
        which = np.repeat(
            np.cumsum(kept) - 1, np.diff(np.append(self._starts, len(self._cells.rows)))
        )
        there = np.repeat(kept, np.diff(np.append(self._starts, len(self._cells.rows))))
        ranks = self._cells.ranks[place][there]
        rows = self._cells.rows[there]
        classes = which[there].astype(np.int32)
        if len(self._named) > 1:
            values = len(ranked.spread.rows)
            found = group([classes, ranks], [int(kept.sum()), values], rows)
            classes, ranks, rows = classes[found.first], ranks[found.first], found.rows
        # Values that only suppressed rows have are no values of what is left.
        left = np.bincount(ranks, weights=rows, minlength=len(ranked.spread.rows))
        present = left > 0
        dense = (np.cumsum(present) - 1)[ranks]
        spread = replace(ranked.spread, rows=left[present].astype(np.int64))
        starts = np.flatnonzero(np.concatenate([[True], classes[1:] != classes[:-1]]))
        return told(Classes(starts=starts, ranks=dense, rows=rows), spread), spread

    def size_counts(self, kept: Mask) -> tuple[Sizes, ...]:
        """Return how many of the kept classes there are of each size."""
        if self.people is None:
            sizes, classes = np.unique(self.sizes[kept], return_counts=True)
            return tuple(
                Sizes(rows=int(size), population=None, classes=int(number))
                for size, number in zip(sizes, classes, strict=True)
            )
        pairs = np.stack([self.sizes[kept], self.people[kept]], axis=1)
        found, classes = np.unique(pairs, axis=0, return_counts=True)
        return tuple(
            Sizes(rows=int(size), population=int(people), classes=int(number))
            for (size, people), number in zip(found, classes, strict=True)
        )

    def measures(self, kept: Mask) -> Measures:
        """Measure the kept classes."""
        base, sensitive = self._lattice.base, {}
        for place, name in enumerate(self._named):
            found, spread = self._told(place, name, kept)
            sensitive[name] = SensitiveMeasures(
                l=int(found.distinct.min()),
                entropy_l=float(found.entropy_l.min()),
                t=float(found.t.max()),
                delta=float(found.delta.max()),
                is_ordered=spread.is_ordered,
                values=len(spread.rows),
            )
        return replace(
            tell(self.size_counts(kept)),
            population=None if base.people is None else int(base.people.sum()),
            suppressed=int(self.sizes[~kept].sum()),
            sensitive=sensitive,
        )


def _starts(codes: Sequence[Codes]) -> Whole:
    """Return where a class begins among cells that are sorted by class."""
    differs = np.zeros(len(codes[0]), dtype=bool)
    differs[0] = True
    for one in codes:
        differs[1:] |= one[1:] != one[:-1]
    return np.flatnonzero(differs)
