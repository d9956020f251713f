"""The year before the day of the city: who was born, came, moved and left, as often as published.

What happened is drawn so that the numbers come out exactly; the register, the events and the dates
of qualification all follow from it. Older events are not kept: a household that has been here for
longer than a year has only the day on which it came.
"""

# ruff: noqa: PLR2004 - shares and codes of a fictional city

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kumobashi.testing.city.households import People
from kumobashi.testing.city.published import (
    ASSUMED_WARD_TO_WARD,
    FROM_ABROAD,
    MOVES_IN,
    WARDS,
    Yearly,
)

NEVER = 0  # a day; the people of the city have no business in 1970
YEAR = 365
# Reasons of events (異動事由); codes of our own, as in the catalogue's list event_reason.
BIRTH, MOVE_IN, MOVE_WITHIN, MOVE_OUT, DEATH, HEAD_CHANGED = 1, 2, 3, 4, 5, 8
FROM_ABROAD_IN, TO_ABROAD = 15, 16
_TO_ABROAD_SHARE = 0.03  # assumption
_DAYS_IN_YEAR = 365.2425


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What happened to homes and to people; days count from 1970, ``NEVER`` where nothing did."""

    came: NDArray[np.int32]  # by household: when it came
    is_new: NDArray[np.bool_]  # by household: it came in the last year
    from_abroad: NDArray[np.bool_]  # by household
    moved: NDArray[np.int32]  # by household: inside the city
    ward_before: NDArray[np.int8]  # by household: before that move
    is_born_here: NDArray[np.bool_]  # by person: born in the last year, and registered at birth
    since: NDArray[np.int32]  # by person: resident since
    left: NDArray[np.int32]  # by person: died or moved out
    abroad: NDArray[np.bool_]  # by person: moved out to another country


def past_year(
    living: People,
    everyone: People,
    *,
    birth_day: NDArray[np.int32],
    status: NDArray[np.int8],
    ward: NDArray[np.int8],
    wanted: Yearly,
    today: int,
    rng: np.random.Generator,
) -> History:
    """Draw the events of the year until yesterday; ``ward`` is that of each household."""
    homes, count = everyone.households, len(everyone.born)
    # Infants count half: as many come with their home as are born in it later.
    weight = np.where(birth_day[: len(living.born)] > today - YEAR, 0.5, 1.0)
    sizes = np.bincount(living.household, weight, minlength=homes)
    stays = np.ones(living.households, dtype=bool)
    stays[everyone.household[status == 3]] = False  # where somebody died, nobody moved
    turn = rng.permutation(np.flatnonzero(stays))
    ends = np.cumsum(sizes[turn])
    edges = np.cumsum([wanted.moves_in, wanted.ward_to_ward, wanted.within_ward])
    until = np.searchsorted(ends, edges, side="right")
    new, to_ward, in_ward = turn[: until[0]], turn[until[0] : until[1]], turn[until[1] : until[2]]

    def day_of_year(many: int) -> NDArray[np.int32]:
        return (today - 1 - rng.integers(0, YEAR, many)).astype(np.int32)

    came = today - YEAR - 1 - (rng.exponential(12.0, homes) * _DAYS_IN_YEAR).astype(np.int32)
    came = came.astype(np.int32)
    came[new] = day_of_year(len(new))
    is_new = np.zeros(homes, dtype=bool)
    is_new[new] = True
    from_abroad = np.zeros(homes, dtype=bool)
    from_abroad[new] = rng.random(len(new)) < FROM_ABROAD / (MOVES_IN - ASSUMED_WARD_TO_WARD)
    moved, ward_before = np.full(homes, NEVER, dtype=np.int32), ward.copy()
    moved[to_ward], moved[in_ward] = day_of_year(len(to_ward)), day_of_year(len(in_ward))
    ward_before[to_ward] = (ward[to_ward] + rng.integers(1, len(WARDS), len(to_ward))) % len(WARDS)

    left = np.full(count, NEVER, dtype=np.int32)
    out_home = np.full(homes, NEVER, dtype=np.int32)
    out_home[living.households :] = day_of_year(homes - living.households)
    is_out, is_dead = status == 2, status == 3
    left[is_out] = out_home[everyone.household[is_out]]
    left[is_dead] = day_of_year(int(is_dead.sum()))
    gone = everyone.household[is_out | is_dead]
    earlier = left[is_out | is_dead] - 30
    np.minimum.at(came, gone, earlier)  # who left has lived here before
    is_new[gone] = False
    came = np.where(is_new | (came < today - YEAR), came, today - YEAR - 40).astype(np.int32)
    abroad_home = rng.random(homes) < _TO_ABROAD_SHARE
    late_birth = is_out & (birth_day >= left)
    birth_day[late_birth] = left[late_birth] - 1  # nobody leaves before birth

    since = np.maximum(birth_day, came[everyone.household]).astype(np.int32)
    is_child = (status == 1) & (birth_day >= today - YEAR) & (birth_day > came[everyone.household])
    born_here = np.flatnonzero(is_child)
    surplus = max(len(born_here) - wanted.births, 0)
    alone = rng.choice(
        born_here, size=surplus, replace=False
    )  # born elsewhere, came a little later
    since[alone] = np.minimum(birth_day[alone] + 1 + rng.integers(0, 60, surplus), today - 1)
    is_born_here = is_child.copy()
    is_born_here[alone] = False
    return History(
        came=came,
        is_new=is_new,
        from_abroad=from_abroad,
        moved=moved,
        ward_before=ward_before,
        is_born_here=is_born_here,
        since=since,
        left=left,
        abroad=is_out & abroad_home[everyone.household],
    )


def last_event(people: People, past: History) -> NDArray[np.int32]:
    """Return the day of each person's last event, in the order of the people."""
    last: NDArray[np.int32] = np.maximum.reduce(
        [past.since, past.moved[people.household], past.left]
    )
    return last


def events(  # noqa: PLR0913 - what a row is made of, each by name
    people: People,
    past: History,
    *,
    town: NDArray[np.int16],
    town_before: NDArray[np.int16],
    status: NDArray[np.int8],
    resident_no: NDArray[np.int64],
    household_no: NDArray[np.int64],
    today: int,
    rng: np.random.Generator,
) -> pa.Table:
    """Return the events in the order of ``resident_no``; towns are those of each household."""
    home = people.household
    lives = status == 1
    comes = lives & (past.since >= today - YEAR) & ~past.is_born_here
    from_abroad = past.is_new[home] & (past.since == past.came[home]) & past.from_abroad[home]
    moves = lives & (past.moved[home] > past.since)
    groups = (
        (past.is_born_here, past.since, BIRTH),
        (comes & ~from_abroad, past.since, MOVE_IN),
        (comes & from_abroad, past.since, FROM_ABROAD_IN),
        (moves, past.moved[home], MOVE_WITHIN),
        ((status == 2) & ~past.abroad, past.left, MOVE_OUT),
        ((status == 2) & past.abroad, past.left, TO_ABROAD),
        (status == 3, past.left, DEATH),
    )
    chosen = [np.flatnonzero(who) for who, _, _ in groups]
    person = np.concatenate(chosen)
    day = np.concatenate([when[who] for who, (_, when, _) in zip(chosen, groups, strict=True)])
    reason = np.repeat(
        np.array([code for _, _, code in groups], dtype=np.int8), [len(who) for who in chosen]
    )
    order = np.lexsort((day, resident_no[person]))
    person, day, reason = person[order], day[order], reason[order]
    is_second = np.r_[False, person[1:] == person[:-1]][: len(person)]
    leaves = np.isin(reason, (MOVE_OUT, TO_ABROAD, DEATH))
    here = town[home[person]]
    before = np.where(reason == MOVE_WITHIN, town_before[home[person]], -1)
    # A birth may be told within 14 days, a death within 7 (戸籍法), a move within 14.
    told = np.minimum(day + rng.integers(0, np.where(reason == DEATH, 7, 14)), today - 1)
    return pa.table(
        {
            "resident_no": resident_no[person],
            "event_no": (1 + is_second).astype(np.int32),
            "event_date": pa.array(day.astype(np.int32), pa.date32()),
            "reported_on": pa.array(told.astype(np.int32), pa.date32()),
            "reason": reason,
            "household_no": household_no[person],
            "status": status[person],
            "from_town": np.where(leaves, here, before).astype(np.int16),
            "to_town": np.where(leaves, -1, here).astype(np.int16),
        }
    )
