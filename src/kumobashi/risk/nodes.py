"""The classes of one node of a lattice: who is suppressed there, and what is lost and told.

A node is a level for each column.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from kumobashi.risk.climbing import Climber, Levels
from kumobashi.risk.lattice import Base
from kumobashi.risk.losses import Losses, entropies, leaves_below, scaled
from kumobashi.risk.measures import Measures, tell
from kumobashi.risk.suppressing import ClassesAt, Mask
from kumobashi.risk.thresholds import Thresholds


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
        self._climber = Climber(base, self._sensitive)
        self._seen: dict[Levels, Node] = {}

    def look(self, levels: Levels) -> Node:
        """Count a node's classes, suppress those that break limits, and tell what is lost."""
        if levels not in self._seen:
            self._seen[levels] = self._look(levels)
        return self._seen[levels]

    def _look(self, levels: Levels) -> Node:
        cells = self._climber.cells(levels)
        seen = ClassesAt(self.base, self.thresholds, levels, cells, self._sensitive)
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
        cells = Climber(self.base, named).cells(levels)
        seen = ClassesAt(self.base, self.thresholds, levels, cells, named)
        return seen.measures(seen.kept())

    def lacking(self) -> tuple[int, int] | None:
        """Return the rows and classes that the population does not hold; None: it holds all."""
        finest = tuple(0 for _ in self.base.steps)
        cells = Climber(self.base, []).cells(finest)
        seen = ClassesAt(self.base, self.thresholds, finest, cells, [])
        if seen.people is None:
            return None
        short = seen.people < seen.sizes
        return (int(seen.sizes[short].sum()), int(short.sum())) if short.any() else None

    def _keeps(self, seen: ClassesAt, kept: Mask, suppressed: int) -> bool:
        if not kept.any() or suppressed / self.total > self.thresholds.max_suppressed:
            return False
        limit = self.thresholds.max_marketer
        return limit is None or tell(seen.size_counts(kept)).marketer <= limit

    def _losses(self, levels: Levels, seen: ClassesAt, kept: Mask, suppressed: int) -> Losses:
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
            precomputed_entropy=sum(
                (each[level] for each, level in zip(self._entropies, levels, strict=True)),
                start=0.0,
            ),
            loss=tuple(lost),
        )
