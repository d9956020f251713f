"""Households that hang together: who lives with whom, and when each was born.

A household has nine seats, filled or not: a first adult and a partner, up to four children of
theirs, a father and a mother of the first adult, and one more person. Everything is drawn for all
households at once. ``born`` counts years back from the day of the city, so that a parent's age at
a birth is a difference and stays between 18 and 45 years.
"""

# ruff: noqa: PLR2004 - shares and ages of a fictional city

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from kumobashi.testing.city.ages import counted, groups, settled_ages, tilted
from kumobashi.testing.city.published import HOUSEHOLDS, RESIDENTS

FIRST, PARTNER, CHILDREN, FATHER, MOTHER, OTHER = 0, 1, slice(2, 6), 6, 7, 8
SEATS = 9

# 続柄, by number; a child's wife is the code of the child followed by that of a wife.
RELATIONSHIPS = (
    *("02", "12", "11", "14", "13", "20", "51", "52"),
    *("20,12", "20,20", "74", "84", "96", "99"),
)
_HEAD, _WIFE, _HUSBAND, _WIFE_UNREGISTERED, _HUSBAND_UNREGISTERED, _CHILD = range(6)
_FATHER, _MOTHER, _CHILDS_WIFE, _GRANDCHILD, _BROTHER, _SISTER, _RELATIVE, _COHABITANT = range(
    6, 14
)
SIBLINGS = (_BROTHER, _SISTER)

_SINGLE, _COUPLE, _LONE, _GENERATIONS, _OTHERS = range(5)
# Age of the first adult from, share of all households, and of these the share of each kind above:
# a guess, tilted until sexes, ages and the size of households are the published ones.
_BANDS = (
    (18, 0.0175, (0.96, 0.02, 0.00, 0.00, 0.02)),
    (23, 0.0380, (0.74, 0.20, 0.02, 0.00, 0.04)),
    (28, 0.0570, (0.38, 0.54, 0.04, 0.01, 0.03)),
    (33, 0.0595, (0.21, 0.67, 0.06, 0.03, 0.03)),
    (38, 0.0960, (0.15, 0.69, 0.09, 0.05, 0.02)),
    (43, 0.1100, (0.14, 0.67, 0.11, 0.06, 0.02)),
    (48, 0.0975, (0.15, 0.66, 0.11, 0.06, 0.02)),
    (53, 0.0760, (0.18, 0.65, 0.08, 0.07, 0.02)),
    (58, 0.0660, (0.20, 0.66, 0.06, 0.06, 0.02)),
    (63, 0.0975, (0.23, 0.67, 0.05, 0.03, 0.02)),
    (68, 0.0895, (0.28, 0.64, 0.06, 0.00, 0.02)),
    (73, 0.0755, (0.34, 0.58, 0.06, 0.00, 0.02)),
    (78, 0.0630, (0.42, 0.50, 0.06, 0.00, 0.02)),
    (83, 0.0330, (0.54, 0.38, 0.06, 0.00, 0.02)),
    (88, 0.0175, (0.69, 0.24, 0.05, 0.00, 0.02)),
    (93, 0.0060, (0.80, 0.15, 0.03, 0.00, 0.02)),
)
_BAND_YEARS = 5
_MEAN_SIZE = RESIDENTS / HOUSEHOLDS
_OLDEST = 104.0
_YOUNGEST_COUPLE = 19.5
_PILOT = 1_500  # households per cell, from which is learned who lives in such a home


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """One entry per person, ordered by household, in columns."""

    household: NDArray[np.int32]
    households: int
    seat: NDArray[np.int8]
    sex: NDArray[np.int8]  # 1 male, 2 female
    relationship: NDArray[np.int8]  # into RELATIONSHIPS
    born: NDArray[np.float64]  # years before the day of the city


def compose(residents: int, rng: np.random.Generator) -> People:
    """Return exactly ``residents`` people in households with one head each.

    Sexes and ages have the published shares, and households the published size.
    """
    wanted = residents / _MEAN_SIZE
    spare = int(wanted * 0.01) + 50  # the last ones are left out, so that the number is exact
    cell = np.repeat(np.arange(len(_cells())), _dealt(_cells() * (wanted + spare)))
    drawn = _draw(rng.permutation(cell), rng)
    _fit(residents, drawn.born, drawn.relationship)

    household, seat = np.nonzero(~np.isnan(drawn.born))
    sex = _balanced(drawn.sex[household, seat], household, seat, rng)
    relationship = drawn.relationship[household, seat]
    born = settled_ages(drawn.born[household, seat], sex)
    married = np.isin(relationship, (_WIFE, _HUSBAND, _WIFE_UNREGISTERED, _HUSBAND_UNREGISTERED))
    born = np.where(married & (born < 18.05), 18.05 + born % 0.5, born)  # a handful at most
    return People(
        household=household.astype(np.int32),
        households=int(household[-1]) + 1,
        seat=seat.astype(np.int8),
        sex=sex,
        relationship=relationship,
        born=born,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Homes:
    """Households by seat; NaN in ``born`` means that nobody sits there."""

    born: NDArray[np.float64]
    sex: NDArray[np.int8]
    relationship: NDArray[np.int8]


def _draw(cell: NDArray[np.int64], rng: np.random.Generator) -> _Homes:
    """Fill the seats of one household per cell named."""
    count = len(cell)
    band, kind = np.divmod(cell, _OTHERS + 1)
    starts = np.array([start for start, _, _ in _BANDS], dtype=np.float64)
    homes = _Homes(
        born=np.full((count, SEATS), np.nan),
        sex=np.zeros((count, SEATS), dtype=np.int8),
        relationship=np.zeros((count, SEATS), dtype=np.int8),
    )
    homes.born[:, FIRST] = starts[band] + rng.random(count) * _BAND_YEARS
    for seat in (_adults, _children, _elders, _others):
        seat(kind, homes.born, homes.sex, homes.relationship, rng)
    return homes


def _balanced(
    sex: NDArray[np.int8],
    household: NDArray[np.int64],
    seat: NDArray[np.int64],
    rng: np.random.Generator,
) -> NDArray[np.int8]:
    """Turn a few children and people who live alone, until as many are men as published."""
    missing = round(len(sex) * float(groups()[:, 0].sum())) - int((sex == 1).sum())
    alone = np.bincount(household)[household] == 1
    is_free = alone | ((seat >= CHILDREN.start) & (seat < CHILDREN.stop))
    candidates = np.flatnonzero(is_free & (sex == (2 if missing > 0 else 1)))
    turned = rng.choice(candidates, size=min(abs(missing), len(candidates)), replace=False)
    found = sex.copy()
    found[turned] = 3 - found[turned]
    return found


@lru_cache(maxsize=1)
def _cells() -> NDArray[np.float64]:
    """Return the share of each cell (band × kind) among all households."""
    prior = np.array([share * kind for _, share, kinds in _BANDS for kind in kinds])
    cell = np.repeat(np.flatnonzero(prior), _PILOT)
    pilot = _draw(cell, np.random.default_rng(999997))  # the same mix for every seed
    household, seat = np.nonzero(~np.isnan(pilot.born))
    members = counted(
        pilot.born[household, seat], pilot.sex[household, seat], cell[household], len(prior)
    )
    return tilted(prior, members / _PILOT, groups().ravel() * _MEAN_SIZE)


def _dealt(wanted: NDArray[np.float64]) -> NDArray[np.int64]:
    """Round so that the sum is kept: what is left over goes to the largest remainders."""
    whole = np.floor(wanted).astype(np.int64)
    left = round(float(wanted.sum())) - int(whole.sum())
    whole[np.argsort(whole - wanted, kind="stable")[:left]] += 1
    return whole


def _adults(
    kind: NDArray[np.int64],
    born: NDArray[np.float64],
    sex: NDArray[np.int8],
    relationship: NDArray[np.int8],
    rng: np.random.Generator,
) -> None:
    """Seat the first adult and the partner; the first of a couple is a man, who heads 97 in 100."""
    count = len(kind)
    age = born[:, FIRST]
    is_couple = (kind == _COUPLE) | (kind == _GENERATIONS)
    share_male = np.clip(0.68 - np.maximum(age - 45, 0) * 0.010, 0.28, 0.68)
    is_male = rng.random(count) < np.where(kind == _LONE, 0.14, share_male)
    sex[:, FIRST] = np.where(is_couple | is_male, 1, 2)
    younger = np.clip(rng.normal(2.2, 3.0, count), -5, 12)
    partner = np.clip(age - younger, _YOUNGEST_COUPLE, _OLDEST)
    born[:, FIRST] = np.where(is_couple, np.maximum(age, _YOUNGEST_COUPLE), age)
    born[:, PARTNER] = np.where(is_couple, partner, np.nan)
    sex[:, PARTNER] = 2
    wife_heads = is_couple & (rng.random(count) < 0.03)
    unregistered = is_couple & (rng.random(count) < 0.015)
    relationship[:, FIRST] = np.where(
        wife_heads, np.where(unregistered, _HUSBAND_UNREGISTERED, _HUSBAND), _HEAD
    )
    relationship[:, PARTNER] = np.where(
        wife_heads, _HEAD, np.where(unregistered, _WIFE_UNREGISTERED, _WIFE)
    )


def _children(
    kind: NDArray[np.int64],
    born: NDArray[np.float64],
    sex: NDArray[np.int8],
    relationship: NDArray[np.int8],
    rng: np.random.Generator,
) -> None:
    """Seat the children who are born and have not left home."""
    count = len(kind)
    has_children = (kind == _COUPLE) | (kind == _LONE) | (kind == _GENERATIONS)
    number = (rng.random(count)[:, None] >= np.array([0.21, 0.47, 0.885, 0.985])).sum(axis=1)
    number = np.where(kind == _LONE, np.maximum(number, 1), number)
    gaps = np.column_stack([np.zeros(count), 2.4 + 1.6 * rng.random((count, 3))])
    at_birth = np.clip(rng.normal(29.8, 4.6, count), 19.5, 38.0)[:, None] + np.cumsum(gaps, axis=1)
    parent = np.where(np.isnan(born[:, PARTNER]), born[:, FIRST], born[:, PARTNER])
    # Who is too young to have had the first child by now, and raises one alone, had it early.
    early = (kind == _LONE) & (at_birth[:, 0] >= parent)
    at_birth[early] -= (at_birth[early, 0] - np.maximum(18.3, parent[early] - 3))[:, None]
    age = parent[:, None] - at_birth
    leaves = rng.random((count, 4))
    at_home = np.select([age < 19, age < 24, age < 32, age < 45], [1.0, 0.84, 0.44, 0.20], 0.14)
    stays = leaves < at_home
    lives = (age >= 0.003) & stays & (at_birth < 43.0)
    lives &= (np.arange(4) < number[:, None]) & has_children[:, None]
    children = np.where(lives, age, np.nan)
    # The father too was between 18 and 45 at each birth.
    is_couple = ~np.isnan(born[:, PARTNER])
    youngest = np.where(lives, at_birth, np.inf).min(axis=1)
    eldest = np.where(lives, at_birth, -np.inf).max(axis=1)
    apart = np.clip(born[:, FIRST] - born[:, PARTNER], 18.3 - youngest, 44.7 - eldest)
    moved = is_couple & lives.any(axis=1)
    born[moved, FIRST] = born[moved, PARTNER] + apart[moved]
    born[:, CHILDREN] = children
    sex[:, CHILDREN] = np.where(rng.random((count, 4)) < 0.512, 1, 2)
    relationship[:, CHILDREN] = _CHILD


def _elders(
    kind: NDArray[np.int64],
    born: NDArray[np.float64],
    sex: NDArray[np.int8],
    relationship: NDArray[np.int8],
    rng: np.random.Generator,
) -> None:
    """Seat the parents of the first adult; in half of these homes an elder is still the head."""
    count = len(kind)
    mother = born[:, FIRST] + 20.5 + 13 * rng.random(count)
    father = mother + np.clip(rng.normal(2.5, 2.0, count), -2, 8)
    lives = kind == _GENERATIONS
    with_mother = lives & (mother < _OLDEST - 4) & (rng.random(count) < 0.92)
    with_father = lives & (father < _OLDEST - 8) & (rng.random(count) < 0.48)
    born[:, FATHER] = np.where(with_father, father, np.nan)
    born[:, MOTHER] = np.where(with_mother, mother, np.nan)
    sex[:, FATHER], sex[:, MOTHER] = 1, 2
    relationship[:, FATHER], relationship[:, MOTHER] = _FATHER, _MOTHER
    elder_heads = (with_father | with_mother) & (rng.random(count) < 0.5)
    relationship[elder_heads, FIRST] = _CHILD
    relationship[elder_heads, PARTNER] = _CHILDS_WIFE
    relationship[elder_heads, CHILDREN] = _GRANDCHILD
    relationship[elder_heads, FATHER] = _HEAD
    relationship[elder_heads, MOTHER] = np.where(with_father[elder_heads], _WIFE, _HEAD)


def _others(
    kind: NDArray[np.int64],
    born: NDArray[np.float64],
    sex: NDArray[np.int8],
    relationship: NDArray[np.int8],
    rng: np.random.Generator,
) -> None:
    """Seat a younger brother or sister, a relative or a cohabitant beside a single adult."""
    count = len(kind)
    age = np.maximum(born[:, FIRST] - 1 - 7 * rng.random(count), 18.1)
    born[:, OTHER] = np.where(kind == _OTHERS, age, np.nan)
    is_male = rng.random(count) < 0.5
    sex[:, OTHER] = np.where(is_male, 1, 2)
    drawn = rng.random(count)
    sibling = np.where(is_male, _BROTHER, _SISTER)
    shares = [drawn < 0.6, drawn < 0.75]
    relationship[:, OTHER] = np.select(shares, [sibling, _RELATIVE], _COHABITANT)


def _fit(
    residents: int,
    born: NDArray[np.float64],
    relationship: NDArray[np.int8],
) -> None:
    """Empty the households beyond ``residents``; people missing to the exact number live alone."""
    sizes = np.cumsum((~np.isnan(born)).sum(axis=1))
    whole = int(np.searchsorted(sizes, residents, side="right"))
    missing = residents - (int(sizes[whole - 1]) if whole else 0)
    born[whole : whole + missing, 1:] = np.nan
    relationship[whole : whole + missing, FIRST] = _HEAD
    born[whole + missing :] = np.nan
