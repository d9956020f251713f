"""Group rows of small whole numbers: what a lattice does thousands of times.

Each row's numbers become one number; equal ones are added up. Where all possible ones are few, they
are counted in place, else sorted. Groups come in the order of their numbers, first column first.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Whole = NDArray[np.int64]
Codes = NDArray[np.int32]

_MOST = 1 << 62
_FEW = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouped:
    """``first`` is the place of one row of each group, ``rows`` the sum of its weights."""

    first: Whole
    rows: Whole


def keys_of(columns: Sequence[Codes], sizes: Sequence[int]) -> tuple[Whole, int]:
    """Return one number for each row, and how many numbers are possible.

    ``columns`` have shape (rows,) and values from 0 up to their ``sizes``. Numbers that would not
    fit into 64 bits are made dense on the way; their order stays.
    """
    key = np.zeros(len(columns[0]) if columns else 0, dtype=np.int64)
    space = 1
    for codes, size in zip(columns, sizes, strict=True):
        if space * size > _MOST:
            dense, key = np.unique(key, return_inverse=True)
            key, space = key.astype(np.int64), len(dense)
        key *= size
        key += codes
        space *= size
    return key, space


def group(columns: Sequence[Codes], sizes: Sequence[int], weights: Whole) -> Grouped:
    """Add up the weights (each at least 1) of equal rows.

    >>> found = group([np.array([1, 0, 1], dtype=np.int32)], [2], np.array([5, 1, 2]))
    >>> found.rows.tolist(), found.first.tolist()
    ([1, 7], [1, 0])
    """
    key, space = keys_of(columns, sizes)
    if space <= max(_FEW, 2 * len(key)):
        sums = np.bincount(key, weights=weights, minlength=space)  # exact up to 2**53
        present = np.flatnonzero(sums)
        places = np.zeros(space, dtype=np.int64)
        places[key[::-1]] = np.arange(len(key) - 1, -1, -1)
        return Grouped(first=places[present], rows=sums[present].astype(np.int64))
    order = np.argsort(key)
    ordered = key[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    return Grouped(first=order[starts], rows=np.add.reduceat(weights[order], starts))
