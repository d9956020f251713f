"""Which classes of a node break a limit, and what is measured of those that are left."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from kumobashi.risk.climbing import Cells, Levels
from kumobashi.risk.distributions import Classes, Spread, Told, told
from kumobashi.risk.grouping import Codes, Whole, group, keys_of
from kumobashi.risk.lattice import Base
from kumobashi.risk.measures import Measures, SensitiveMeasures, Sizes, tell
from kumobashi.risk.thresholds import Thresholds

Mask = NDArray[np.bool_]


class ClassesAt:
    """The classes of a node, as arrays of shape (classes,)."""

    def __init__(
        self,
        base: Base,
        limits: Thresholds,
        levels: Levels,
        cells: Cells,
        named: Sequence[str],
    ) -> None:
        self._base, self._limits, self._cells, self._named = base, limits, cells, named
        self._starts = _starts(cells.codes)
        self.codes = tuple(one[self._starts] for one in cells.codes)
        self.sizes = np.add.reduceat(cells.rows, self._starts)
        self.people = self._people(levels, cells.people)

    def _people(self, levels: Levels, people: Whole | None) -> Whole | None:
        """Look up each class in the population."""
        if people is None:
            return None
        together = [
            np.concatenate([there, here])
            for there, here in zip(self._cells.people_codes, self.codes, strict=True)
        ]
        keys, _ = keys_of(together, self._base.sizes_at(levels))
        known = len(people)
        at = np.minimum(np.searchsorted(keys[:known], keys[known:]), known - 1)
        return np.where(keys[at] == keys[known:], people[at], 0)

    def kept(self) -> Mask:
        """Return which classes break no limit; what is left is looked at again until it keeps all.

        Suppressing rows changes what all rows are, and so the t of the rest: a class that is good
        beside all rows may be bad beside those that are left.
        """
        limits = self._limits
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
        limit = self._limits.max_unique_share
        alone = self.sizes == 1
        if limit is None or (alone & kept).sum() / self.sizes[kept].sum() <= limit:
            return np.ones(len(kept), dtype=bool)
        several: Mask = self.sizes > 1
        return several

    def _is_spread(self, kept: Mask) -> Mask:
        """Return which classes keep the limits of the sensitive columns, beside the kept rows."""
        limits = self._limits
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
        ranked = self._base.sensitive[name]
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
        base, sensitive = self._base, {}
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
