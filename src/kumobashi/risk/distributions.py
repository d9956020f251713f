"""How the values of a sensitive column lie in each class, beside how they lie in all rows.

All but the entropy is done in whole numbers and divided once at the end: the order in which a
database gives its groups cannot change a digit. With rows N, rows of a class c, rows of a value N_s
and n_s of them in the class:

- equal distance (Li et al., 4.2): t = ½ Σ |n_s/c - N_s/N|. What a class lacks adds N_s/N, and all
  N_s/N add up to 1, so only present values count: 2cN·t = Σ (|n_s·N - N_s·c| - N_s·c) + N·c.
- ordered distance (Li et al., 4.1): t = 1/(m-1) Σ_i |Σ_{j≤i} (n_j/c - N_j/N)| over the m values in
  order. Between two present values the class's sum stands still and that of all rows only grows, so
  one search in the sums finds where the difference changes its sign.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Whole = NDArray[np.int64]
Real = NDArray[np.float64]

_SAFE = 1 << 62
_DIGITS = 12  # behind the point, of an entropy l: equal shares then give a whole number


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """The rows of each value in all classes together, in the order of the values."""

    rows: Whole  # of each value; shape (m,)
    is_ordered: bool

    @property
    def total(self) -> int:
        """All rows."""
        return int(self.rows.sum())


@dataclass(frozen=True, slots=True, kw_only=True)
class Classes:
    """The present values of some classes, one class after the other.

    ``starts`` says where each class begins, shape (classes,); ``ranks`` which value it is and
    ``rows`` how many rows have it, shape (present values,). Within a class the ranks ascend.
    """

    starts: Whole
    ranks: Whole
    rows: Whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is told of each class; every array has shape (classes,)."""

    sizes: Whole
    distinct: Whole
    entropy_l: Real  # e to the power of the entropy
    t: Real
    delta: Real


def told(classes: Classes, spread: Spread) -> Told:
    """Measure every class against all rows.

    >>> spread = Spread(rows=np.array([3, 1]), is_ordered=False)
    >>> two = Classes(starts=np.array([0, 1]), ranks=np.array([0, 0, 1]), rows=np.array([2, 1, 1]))
    >>> found = told(two, spread)
    >>> found.sizes.tolist(), found.distinct.tolist(), found.t.tolist()
    ([2, 2], [1, 2], [0.25, 0.25])
    """
    starts, rows, total = classes.starts, classes.rows, spread.total
    ends = np.append(starts[1:], len(rows))
    distinct = ends - starts
    sizes = np.add.reduceat(rows, starts)
    size = np.repeat(sizes, distinct)
    overall = spread.rows[classes.ranks]
    here, there = rows * total, overall * size
    logs = np.abs(np.log(here / there))
    inner = np.add.reduceat(rows * np.log(rows), starts) / sizes
    entropy = np.where(distinct == 1, 0.0, np.log(sizes) - inner)
    if spread.is_ordered:
        t = _ordered(classes, spread, sizes, distinct)
    else:
        twice = np.add.reduceat(np.abs(here - there) - there, starts) + total * sizes
        t = twice / (2.0 * total * sizes)
    return Told(
        sizes=sizes,
        distinct=distinct,
        entropy_l=np.round(np.exp(entropy), _DIGITS).astype(np.float64),
        t=t,
        delta=np.maximum.reduceat(logs, starts),
    )


def _ordered(classes: Classes, spread: Spread, sizes: Whole, distinct: Whole) -> Real:
    """Return the ordered distance of each class; 0 where there is one value or none."""
    values, total = len(spread.rows), spread.total
    if values == 1:
        return np.zeros(len(sizes))
    if values * total * int(sizes.max()) >= _SAFE:
        kind: type[np.int64 | np.float64] = np.float64  # the last digits may then be lost
    else:
        kind = np.int64
    sums = np.cumsum(spread.rows)  # of all rows, up to and with each value
    sums_of_sums = np.concatenate([[0], np.cumsum(sums.astype(kind))])
    starts, ranks = classes.starts, classes.ranks
    size = np.repeat(sizes, distinct)
    # What the class has up to and with each of its values: it holds until its next value.
    running = np.cumsum(classes.rows)
    before = np.repeat(running[starts] - classes.rows[starts], distinct)
    held = running - before
    lasts = np.append(ranks[1:], values)
    lasts[np.append(starts[1:] - 1, len(ranks) - 1)] = values
    # Up to `turn` the class is ahead of all rows: sums·c < held·N.
    turn = np.searchsorted(sums, (held * total - 1) // size, side="right")
    turn = np.clip(turn, ranks, lasts)
    ahead, behind = (turn - ranks).astype(kind), (lasts - turn).astype(kind)
    level = held.astype(kind) * total
    size_ = size.astype(kind)
    distance = (
        ahead * level
        - size_ * (sums_of_sums[turn] - sums_of_sums[ranks])
        + size_ * (sums_of_sums[lasts] - sums_of_sums[turn])
        - behind * level
    )
    # Before its first value the class has nothing: all rows are ahead.
    first = sizes.astype(kind) * sums_of_sums[ranks[starts]]
    whole = np.add.reduceat(distance, starts) + first
    return np.asarray(whole / ((values - 1.0) * total * sizes), dtype=np.float64)
