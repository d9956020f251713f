"""Deal households to wards, so that each has its published share of households and of residents."""

import numpy as np
from numpy.typing import NDArray

from kumobashi.testing.city.published import WARDS

_ROUNDS = 200
_STEEPEST = 3.0  # tilt; a few households alone cannot give every ward its share


def deal(sizes: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int8]:
    """Return the ward (a place among ``WARDS``) of each household, by its number of members.

    Wards with small households get more of the small ones. Within a size it is chance who lives
    where, but not how many do.
    """
    if not len(sizes):
        return np.empty(0, dtype=np.int8)
    largest = int(sizes.max(initial=1))
    size = np.arange(1, largest + 1, dtype=np.float64)
    count = np.bincount(sizes, minlength=largest + 1)[1:].astype(np.float64)
    residents, homes = float(sizes.sum()), float(len(sizes))
    people = np.array([ward.residents for ward in WARDS], dtype=np.float64)
    people *= residents / people.sum()
    wanted = np.array([ward.households for ward in WARDS], dtype=np.float64)
    wanted *= homes / wanted.sum()
    scale, tilt = wanted.copy(), np.zeros(len(WARDS))
    for _ in range(_ROUNDS):
        part = scale * np.exp(np.outer(size - residents / homes, tilt))
        part *= (count / part.sum(axis=1))[:, None]
        found = part.sum(axis=0)
        scale *= wanted / found
        spread = (size[:, None] ** 2 * part).sum(axis=0) / found
        spread -= (size @ part / found) ** 2
        tilt += 0.5 * (people - size @ part) / (np.maximum(spread, 0.1) * found)
        tilt = np.clip(tilt, -_STEEPEST, _STEEPEST)
    ward = np.empty(len(sizes), dtype=np.int8)
    for place, shares in enumerate(part, 1):
        mine = rng.permutation(np.flatnonzero(sizes == place))
        ends = np.rint(np.cumsum(shares) / max(shares.sum(), 1e-9) * len(mine)).astype(np.int64)
        ward[mine] = np.repeat(np.arange(len(WARDS)), np.diff(ends, prepend=0)).astype(np.int8)
    return ward
