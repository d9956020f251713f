"""The family tree: who is whose father, mother and spouse, inside a home and across the city.

Inside a home the seats say it. Across homes a share of the adults gets a mother among the women of
the right age, and her husband as father, so that there are grandparents down the street. Nobody
gets a parent younger than 16 or older than 47 years, nor the parent of the own spouse.
"""

# ruff: noqa: PLR2004 - shares and ages of a fictional city

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kumobashi.testing.city.households import (
    CHILDREN,
    FATHER,
    FIRST,
    MOTHER,
    OTHER,
    PARTNER,
    SEATS,
    SIBLINGS,
    People,
)

NOBODY = -1
_YOUNGEST_PARENT, _OLDEST_MOTHER, _OLDEST_FATHER = 16.0, 47.0, 49.0
_APART = 0.85  # years between two births of one mother
_MOTHER_IN_CITY = 0.30  # assumption: of adults below 70
_ROOTS = 5  # the first homes hold the rare surnames and take theirs from nobody


@dataclass(frozen=True, slots=True, kw_only=True)
class Kinship:
    """Places among the people, or ``NOBODY``; in the order of the people."""

    father: NDArray[np.int32]
    mother: NDArray[np.int32]
    spouse: NDArray[np.int32]
    name_home: NDArray[np.int32]  # by household: the home whose surname this one bears


def kinship(people: People, rng: np.random.Generator) -> Kinship:
    """Tie parents, children and spouses."""
    count = len(people.born)
    at = np.full((people.households, SEATS), NOBODY, dtype=np.int32)
    at[people.household, people.seat] = np.arange(count, dtype=np.int32)
    father, mother, spouse = (np.full(count, NOBODY, dtype=np.int32) for _ in range(3))
    for one, other in ((FIRST, PARTNER), (FATHER, MOTHER)):
        _tie(spouse, at[:, one], at[:, other])
        _tie(spouse, at[:, other], at[:, one])
    first_is_man = (at[:, FIRST] >= 0) & (people.sex[at[:, FIRST]] == 1)
    fathers = np.where(first_is_man, at[:, FIRST], NOBODY)
    mothers = np.where(first_is_man, at[:, PARTNER], at[:, FIRST])
    for seat in range(CHILDREN.start, CHILDREN.stop):
        _tie(father, at[:, seat], fathers)
        _tie(mother, at[:, seat], mothers)
    _tie(father, at[:, FIRST], at[:, FATHER])
    _tie(mother, at[:, FIRST], at[:, MOTHER])

    _elsewhere(people, father, mother, spouse, rng)
    siblings = np.flatnonzero(np.isin(people.relationship, SIBLINGS) & (people.seat == OTHER))
    first = at[people.household[siblings], FIRST]
    mother[siblings] = mother[first]
    _space_out(people, mother, siblings)
    kept = mother[siblings] >= 0
    father[siblings[kept]] = father[first[kept]]
    return Kinship(
        father=father, mother=mother, spouse=spouse, name_home=_name_homes(people, at, mother)
    )


def _tie(ties: NDArray[np.int32], who: NDArray[np.int32], whom: NDArray[np.int32]) -> None:
    there = who >= 0
    ties[who[there]] = whom[there]


def _elsewhere(
    people: People,
    father: NDArray[np.int32],
    mother: NDArray[np.int32],
    spouse: NDArray[np.int32],
    rng: np.random.Generator,
) -> None:
    """Give adults without parents in their home a mother who lives somewhere in the city."""
    age = people.born
    is_adult = (people.seat <= PARTNER) & (father < 0) & (mother < 0)
    is_adult &= (people.household >= _ROOTS) & (age < 70)
    seeking = np.flatnonzero(is_adult & (rng.random(len(age)) < _MOTHER_IN_CITY))
    women = (people.sex == 2) & (age >= 36) & np.isin(people.seat, (FIRST, PARTNER, MOTHER))
    pool = np.flatnonzero(women)
    if not len(pool) or not len(seeking):
        return
    pool = pool[np.argsort(age[pool], kind="stable")]
    wanted = age[seeking] + np.clip(rng.normal(29.0, 4.8, len(seeking)), 19, 42)
    nearby = rng.integers(-25, 26, len(seeking))
    place = np.clip(np.searchsorted(age[pool], wanted) + nearby, 0, len(pool) - 1)
    found = pool[place]
    gap = age[found] - age[seeking]
    fits = (gap >= _YOUNGEST_PARENT + 2) & (gap <= _OLDEST_MOTHER)
    fits &= people.household[found] != people.household[seeking]
    seeking, found = seeking[fits], found[fits]
    mother[seeking] = found
    _space_out(people, mother, seeking)
    # Husband and wife have different mothers.
    mated = seeking[spouse[seeking] >= 0]
    same = mated[(mother[mated] >= 0) & (mother[mated] == mother[spouse[mated]])]
    mother[same] = NOBODY
    tied = seeking[mother[seeking] >= 0]
    husband = spouse[mother[tied]]
    gap = age[husband] - age[tied]
    suits = (husband >= 0) & (gap >= _YOUNGEST_PARENT) & (gap <= _OLDEST_FATHER)
    father[tied[suits]] = husband[suits]


def _space_out(people: People, mother: NDArray[np.int32], seeking: NDArray[np.int64]) -> None:
    """Untie who would have been born too soon before or after a brother or sister."""
    sought = np.zeros(len(mother), dtype=bool)
    sought[seeking] = True
    while True:  # each turn unties somebody
        children = np.flatnonzero(mother >= 0)
        ordered = children[np.lexsort((people.born[children], mother[children]))]
        near = np.diff(people.born[ordered]) < _APART
        near &= mother[ordered][1:] == mother[ordered][:-1]
        elder, younger = ordered[1:][near], ordered[:-1][near]
        loose = np.where(sought[elder], elder, younger)
        loose = loose[sought[loose]]
        if not len(loose):
            return
        mother[loose] = NOBODY


def _name_homes(
    people: People, at: NDArray[np.int32], mother: NDArray[np.int32]
) -> NDArray[np.int32]:
    """Return by home the one whose surname it bears: that of the first adult's parents.

    The first of a couple is the husband, whose name the wife took.
    """
    home = np.arange(people.households, dtype=np.int32)
    first = at[:, FIRST]
    parent = np.where(first >= 0, mother[first], NOBODY)
    known = (parent >= 0) & (people.household[parent] != home)
    bears = np.where(known, people.household[parent], home).astype(np.int32)
    while True:  # parents are older, so every way up ends
        above = bears[bears]
        if np.array_equal(above, bears):
            return above
        bears = above
