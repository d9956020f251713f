"""What a table loses when it grows coarser: the published losses, as ARX defines them.

- discernibility (R. Bayardo and R. Agrawal, 2005): Σ rows² of the classes, and for each suppressed
  row as many as there are rows at all.
- average class size (K. LeFevre et al., 2006): all rows ÷ classes. As in ARX, all suppressed rows
  together are one more class here, and only here: leaving them out would reward suppression.
- precomputed entropy (T. de Waal and L. Willenborg, 1999; non-uniform): Σ over columns and rows
  of -log₂(rows with the row's finest value ÷ rows with its value at this level). In bits.
- loss (V. Iyengar, 2002): for each column, the share of all leaves that a row's value may mean, on
  average, 1 for a suppressed row, scaled to 0 for the finest level and 1 for one value for all.
  Two are compared by their worst column, then by the next, as ARX's rank does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum
from typing import Literal, assert_never

import numpy as np

from kumobashi.risk.distributions import Real
from kumobashi.risk.grouping import Whole
from kumobashi.risk.lattice import Steps

Objective = Literal["discernibility", "average_class_size", "precomputed_entropy", "loss"]
Worth = tuple[float, ...]  # compared from the front; less is better


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """The losses of one combination of levels."""

    discernibility: int
    average_class_size: float
    precomputed_entropy: float  # bits
    loss: tuple[float, ...]  # of each column, in their order

    def worth(self, objective: Objective) -> Worth:
        """Return what a search compares."""
        match objective:
            case "discernibility":
                return (float(self.discernibility),)
            case "average_class_size":
                return (self.average_class_size,)
            case "precomputed_entropy":
                return (self.precomputed_entropy,)
            case "loss":
                return tuple(sorted(self.loss, reverse=True))
            case _:
                assert_never(objective)


def entropies(steps: Steps) -> tuple[float, ...]:
    """Return the entropy that a column loses at each level, in bits over all rows."""
    leaf = steps.leaf_rows
    there = leaf > 0
    found = []
    for ids, size in zip(steps.ids, steps.sizes, strict=True):
        merged = np.bincount(ids, weights=leaf, minlength=size)[ids]
        lost = leaf[there] * np.log2(merged[there] / leaf[there])
        found.append(fsum(lost.tolist()))
    return tuple(found)


def leaves_below(steps: Steps) -> tuple[Whole, ...]:
    """Return for each level how many leaves each of its values stands for."""
    return tuple(
        np.bincount(ids, minlength=size).astype(np.int64)
        for ids, size in zip(steps.ids, steps.sizes, strict=True)
    )


def scaled(leaves_of_rows: int, *, rows: int, leaves: int) -> float:
    """Scale a column's loss to 0 for the finest level and 1 for one value.

    ``leaves_of_rows`` sums up, over all rows, for how many leaves a row's value stands; for a
    suppressed row all of them. Whole numbers until the last division.

    >>> scaled(10, rows=10, leaves=4), scaled(40, rows=10, leaves=4)
    (0.0, 1.0)
    """
    return (leaves_of_rows - rows) / (rows * (leaves - 1)) if leaves > 1 else 0.0


def bounds(columns: Sequence[Steps], objective: Objective) -> Real | None:
    """Return for each node the least first number that its worth may have; None: none is known.

    Nothing needs to be counted for it. The shape is that of the lattice.
    """
    if objective == "precomputed_entropy":
        total = np.zeros([steps.height for steps in columns])
        for axis, steps in enumerate(columns):
            total = total + _along(axis, entropies(steps), len(columns))
        return total
    if objective == "loss":
        worst = np.zeros([steps.height for steps in columns])
        for axis, steps in enumerate(columns):
            rows, leaves = int(steps.leaf_rows.sum()), len(steps.ids[0])
            least = [
                scaled(int((below[ids] * steps.leaf_rows).sum()), rows=rows, leaves=leaves)
                for below, ids in zip(leaves_below(steps), steps.ids, strict=True)
            ]
            worst = np.maximum(worst, _along(axis, least, len(columns)))
        return worst
    return None


def _along(axis: int, values: Sequence[float], axes: int) -> Real:
    shape = [1] * axes
    shape[axis] = len(values)
    return np.array(values, dtype=np.float64).reshape(shape)
