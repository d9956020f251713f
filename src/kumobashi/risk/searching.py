"""Find the least coarse levels that keep all limits: exactly, and without looking at every node.

Two facts let nodes go unseen. Where coarser levels never suppress more (see ``Thresholds``), what
fails fails at every finer node too. And, suppression aside, a loss only grows with coarseness: none
above a node that costs more than the best so far can be better. Where neither holds, every node
is looked at. Of equally good nodes that with the fewest steps wins, then the first in order.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from kumobashi.risk.climbing import Levels
from kumobashi.risk.errors import PopulationSmaller
from kumobashi.risk.lattice import Base
from kumobashi.risk.losses import Losses, Objective, Worth, bounds
from kumobashi.risk.measures import Measures
from kumobashi.risk.nodes import Lattice, Node
from kumobashi.risk.thresholds import Thresholds

_ROUNDING = 1e-12  # relative: sums of floats may differ by so much


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The best node: the level of each column by its name, what it costs, what is then measured."""

    levels: dict[str, int]
    losses: Losses
    suppressed: int  # rows
    measures: Measures
    nodes: int  # in the lattice
    looked_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NothingFound:
    """No node keeps the limits, not even the coarsest."""

    nodes: int
    looked_at: int


def search(
    base: Base,
    thresholds: Thresholds,
    *,
    objective: Objective = "discernibility",
    tell: Callable[[int, int], None] = lambda _done, _nodes: None,
) -> Found | NothingFound:
    """Return the node that keeps all limits and loses least; ``tell`` hears of the progress.

    Raises:
        PopulationSmaller: the population does not hold the rows.
        PopulationMissing, ThresholdUnclear: a limit speaks of what the base does not have.
    """
    return search_each(base, thresholds, [objective], tell=tell)[objective]


def search_each(
    base: Base,
    thresholds: Thresholds,
    objectives: Sequence[Objective],
    *,
    tell: Callable[[int, int], None] = lambda _done, _nodes: None,
) -> dict[Objective, Found | NothingFound]:
    """Search once for each loss; a node is counted once for all of them. As :func:`search`."""
    lattice = Lattice(base, thresholds)
    _require_held(lattice)
    return {objective: _walked(lattice, objective, tell) for objective in objectives}


def _walked(
    lattice: Lattice, objective: Objective, tell: Callable[[int, int], None]
) -> Found | NothingFound:
    walk = _Walk(lattice, objective)
    while (levels := walk.next()) is not None:
        walk.see(levels)
        tell(walk.closed, walk.nodes)
    if walk.best is None:
        return NothingFound(nodes=walk.nodes, looked_at=walk.looked_at)
    return Found(
        levels={
            steps.column: level
            for steps, level in zip(lattice.base.steps, walk.best.levels, strict=True)
        },
        losses=walk.best.losses,
        suppressed=walk.best.suppressed,
        measures=lattice.measures(walk.best.levels),
        nodes=walk.nodes,
        looked_at=walk.looked_at,
    )


def _require_held(lattice: Lattice) -> None:
    """Raise unless each released class is in the population at the finest levels, and so at all."""
    lacking = lattice.lacking()
    if lacking is not None:
        rows, classes = lacking
        people = lattice.base.people
        raise PopulationSmaller(
            rows=rows,
            classes=classes,
            released=lattice.total,
            population=0 if people is None else int(people.sum()),
        )


class _Walk:
    """Which nodes are still open, and which to look at next."""

    def __init__(self, lattice: Lattice, objective: Objective) -> None:
        self._lattice, self._objective = lattice, objective
        shape = lattice.base.shape
        known = bounds(lattice.base.steps, objective)
        # No node's first worth is below this.
        self._floor = np.zeros(shape) if known is None else known
        self._open = np.ones(shape, dtype=bool)
        self._keep = np.zeros(shape, dtype=bool)  # above a node that keeps the limits
        self._steps = np.indices(shape).sum(axis=0)
        is_nested = lattice.base.is_nested
        self._fails_below = is_nested and lattice.thresholds.grows_with_coarseness
        self._costs_above = is_nested
        self._chain: list[Levels] = []  # what is left of a way to the top, the finest first
        self.best: Node | None = None
        self.nodes = int(np.prod(shape))
        self.looked_at = 0

    @property
    def closed(self) -> int:
        """How many nodes are settled."""
        return self.nodes - int(self._open.sum())

    def next(self) -> Levels | None:
        """Return an open node, or None when all is settled."""
        self._chain = [levels for levels in self._chain if self._open[levels]]
        if not self._chain:
            first = self._most_promising()
            if first is None:
                return None
            is_known = not self._fails_below or self._keep[first]
            self._chain = [first] if is_known else self._way_up(first)
        return self._chain[len(self._chain) // 2]

    def see(self, levels: Levels) -> None:
        """Look at a node and close all that need not be looked at any more."""
        node = self._lattice.look(levels)
        self.looked_at += 1
        self._open[levels] = False
        above = tuple(slice(level, None) for level in levels)
        if self._costs_above and self._objective in node.floor:
            floor = node.floor[self._objective]
            np.maximum(self._floor[above], floor, out=self._floor[above])
        if node.keeps:
            self._keep[above] = True
            if self.best is None or self._rank(node) < self._rank(self.best):
                self.best = node
        elif self._fails_below:
            self._open[tuple(slice(None, level + 1) for level in levels)] = False
        if self.best is not None:
            limit = self._worth(self.best)[0] * (1 + _ROUNDING)
            self._open &= self._floor <= limit

    def _worth(self, node: Node) -> Worth:
        return node.losses.worth(self._objective)

    def _rank(self, node: Node) -> tuple[Worth, int, Levels]:
        return self._worth(node), sum(node.levels), node.levels

    def _most_promising(self) -> Levels | None:
        places = np.flatnonzero(self._open)
        if not len(places):
            return None
        floors, steps = self._floor.ravel()[places], self._steps.ravel()[places]
        place = places[np.lexsort((steps, floors))[0]]
        return tuple(int(level) for level in np.unravel_index(place, self._open.shape))

    def _way_up(self, levels: Levels) -> list[Levels]:
        """Return open nodes from here towards the top, each one step above the one before."""
        way = [levels]
        while True:
            above = [
                (*way[-1][:place], way[-1][place] + 1, *way[-1][place + 1 :])
                for place in range(len(levels))
                if way[-1][place] + 1 < self._open.shape[place]
            ]
            still = [node for node in above if self._open[node] and not self._keep[node]]
            if not still:
                return way
            way.append(min(still, key=lambda node: (self._floor[node], node)))
