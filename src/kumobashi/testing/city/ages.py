"""Fit households and ages to the published ones.

Households are drawn in cells: the age of the first adult, and who lives with them. How many each
cell gets is tilted away from a plain guess, as little as needed, until the mix has the published
share of each sex and age (``tilted``). What is still missing, some months of age, is made up by
moving ages along a rising curve for each sex (``settled_ages``), so that order and generations stay
as they were.
"""

import numpy as np
from numpy.typing import NDArray

from kumobashi.testing.city.published import (
    ASSUMED_CHILDREN_OF_0,
    BIRTHS,
    OLDEST,
    VITAL_RESIDENTS,
    age_shares,
)

_TOLERANCE = 2e-3  # persons per household and group; the curve of ages does the rest
_ROUNDS = 60
_LONGEST_STEP = 4.0


def groups() -> NDArray[np.float64]:
    """Return the published shares of men and women by band; shape (bands, 2)."""
    return np.array([(share.men, share.women) for share in age_shares()])


def counted(
    born: NDArray[np.float64],
    sex: NDArray[np.int8],
    cell: NDArray[np.int64],
    cells: int,
) -> NDArray[np.float64]:
    """Count people by cell, band and sex; shape (cells, bands × 2). Sex is 1 or 2."""
    starts = np.array([share.start for share in age_shares()])
    band = np.searchsorted(starts, born, side="right") - 1
    group = band * 2 + (sex - 1)
    width = len(starts) * 2
    found = np.bincount(cell * width + group, minlength=cells * width)
    return found.reshape(cells, width).astype(np.float64)


def tilted(
    prior: NDArray[np.float64], members: NDArray[np.float64], wanted: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return shares near ``prior`` whose mean of ``members`` is ``wanted``.

    Shapes: (cells,), (cells, groups), (groups,). The shares are prior × exp(members · λ); λ comes
    from Newton's method. Where no shares do exactly, the nearest within a small tolerance.
    """
    weight = np.zeros(members.shape[1])
    slack = _TOLERANCE * np.eye(members.shape[1])
    shares = prior / prior.sum()
    for _ in range(_ROUNDS):
        mean = members.T @ shares
        missing = wanted - mean - _TOLERANCE * weight
        if np.abs(missing).max() < 1e-10:  # noqa: PLR2004 - of a person: as exact as it gets
            break
        apart = members - mean
        step = np.linalg.solve((apart * shares[:, None]).T @ apart + slack, missing)
        step *= min(1.0, _LONGEST_STEP / max(float(np.abs(step).max()), 1e-12))
        weight = weight + step
        power = members @ weight
        raised = prior * np.exp(power - power.max())
        shares = raised / raised.sum()
    found: NDArray[np.float64] = shares
    return found


def settled_ages(born: NDArray[np.float64], sex: NDArray[np.int8]) -> NDArray[np.float64]:
    """Return ages of the published distribution, in the same order for each sex."""
    shares = age_shares()
    found = born.copy()
    for code in (1, 2):
        mine = np.flatnonzero(sex == code)
        if not len(mine):
            continue
        parts = [share.men if code == 1 else share.women for share in shares]
        infants = ASSUMED_CHILDREN_OF_0 * BIRTHS / VITAL_RESIDENTS * sum(parts)
        # Below five the youngest are fewer: births fall from year to year.
        ends = [1.0, *(share.end for share in shares)]
        until = np.cumsum([infants, parts[0] - infants, *parts[1:]]) / sum(parts)
        places = np.rint(until[:-1] * len(mine)).astype(np.int64)
        ordered = np.sort(born[mine])
        below = ordered[np.maximum(places - 1, 0)]
        above = ordered[np.minimum(places, len(mine) - 1)]
        knots = np.r_[0.0, (below + above) / 2, max(OLDEST, float(ordered[-1]))]
        knots = np.maximum.accumulate(knots + np.arange(len(knots)) * 1e-9)
        found[mine] = np.interp(born[mine], knots, [0.0, *ends])
    return found
