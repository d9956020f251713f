"""The resident register: numbers, names, addresses and dates for people who have a household."""

# ruff: noqa: PLR2004 - shares and ages of a fictional city

from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kumobashi.testing.city.history import NEVER, History, last_event
from kumobashi.testing.city.households import PARTNER, RELATIONSHIPS, People
from kumobashi.testing.city.kinship import Kinship
from kumobashi.testing.city.names import SPECIAL_CHARACTERS, Names, names

DAYS_IN_YEAR = 365.2425
_EPOCH = date(1970, 1, 1)
# Ten digits, some with zeros in front. Below lie the numbers of the people with a story, above
# those of people who are no residents.
FIRST_NO, LAST_NO = 10_000_000, 8_999_999_999
_MICROS_IN_SECOND, _SECONDS_IN_DAY = 1_000_000, 86_400

_FIRST_WORDS = (
    "サン",
    "グリーン",
    "シティ",
    "パーク",
    "コスモ",
    "メゾン",
    "ロイヤル",
    "ベイ",
    "青葉",
)
_LAST_WORDS = ("ハイツ", "コーポ", "マンション", "レジデンス", "ハイム", "テラス")
BUILDINGS = tuple(f"{first}{last}" for first in _FIRST_WORDS for last in _LAST_WORDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """One entry per record, in the order of ``resident_no``; ``person`` says whose it is."""

    person: NDArray[np.int64]
    resident_no: NDArray[np.int64]
    household_no: NDArray[np.int64]
    birth_day: NDArray[np.int32]  # days since 1970
    since_day: NDArray[np.int32]
    is_foreign: NDArray[np.bool_]
    rows: pa.Table


def days(on: date) -> int:
    """Return days since 1970."""
    return (on - _EPOCH).days


def birth_days(people: People, on: date) -> NDArray[np.int32]:
    """Return the day of birth of each person."""
    return (days(on) - np.ceil(people.born * DAYS_IN_YEAR)).astype(np.int32)


def register(
    people: People,
    status: NDArray[np.int8],
    past: History,
    *,
    birth_day: NDArray[np.int32],
    town: NDArray[np.int16],
    kin: Kinship,
    on: date,
    rng: np.random.Generator,
) -> Register:
    """Enter everyone in the register, in an order that says nothing about them."""
    count, households = len(people.born), people.households
    resident_no = numbers(count, rng)
    person = rng.permutation(count)
    household_no = rng.permutation(numbers(households, rng))[people.household]
    today = days(on)
    is_foreign, family, given = _names(people, names(), kin, rng)
    updated = today - np.minimum(rng.exponential(400.0, count), 1200.0)
    last = last_event(people, past)
    updated = np.minimum(np.maximum(updated, last + rng.random(count)), today - 0.01)
    columns = {
        "household_no": household_no,
        "family": family,
        "given": given,
        "sex": people.sex,
        "birth_date": pa.array(birth_day[person], pa.date32()),
        "relationship": people.relationship,
        **_addresses(people, town, rng),
        "resident_kind": np.where(is_foreign, 2, 1).astype(np.int8),
        "resident_status": status,
        "resident_since": pa.array(past.since[person], pa.date32()),
        "display_order": _order(people, status),
        "removed_on": pa.array(past.left[person], pa.date32(), mask=past.left[person] == NEVER),
        "updated_at": pa.array(
            (updated * _SECONDS_IN_DAY).astype(np.int64) * _MICROS_IN_SECOND, pa.timestamp("us")
        ),
    }
    rows = {
        name: column if isinstance(column, pa.Array) else pa.array(column[person])
        for name, column in columns.items()
    }
    return Register(
        person=person,
        resident_no=resident_no,
        household_no=household_no[person],
        birth_day=birth_day[person],
        since_day=past.since[person],
        is_foreign=is_foreign[person],
        rows=pa.table({"resident_no": pa.array(resident_no), **rows}),
    )


def _order(people: People, status: NDArray[np.int8]) -> NDArray[np.int8]:
    """Return 記載順位: the head, the spouse, then the others by age; 0 for who left."""
    lives = np.flatnonzero(status == 1)
    codes = np.array(RELATIONSHIPS)[people.relationship[lives]]
    first = np.select([codes == "02", np.isin(codes, ("11", "12", "13", "14"))], [0, 1], 2)
    home = people.household[lives]
    order = np.lexsort((-people.born[lives], first, home))
    starts = np.r_[0, np.flatnonzero(np.diff(home[order])) + 1]
    sizes = np.diff(np.r_[starts, len(order)])
    found = np.zeros(len(status), dtype=np.int8)
    found[lives[order]] = np.arange(len(order)) - np.repeat(starts, sizes) + 1
    return found


def numbers(count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return distinct numbers in rising order."""
    drawn = np.unique(rng.integers(FIRST_NO, LAST_NO, size=count + count // 500 + 100))
    left_out = rng.choice(len(drawn), size=len(drawn) - count, replace=False)
    return np.delete(drawn, left_out)


def _names(
    people: People, known: Names, kin: Kinship, rng: np.random.Generator
) -> tuple[NDArray[np.bool_], NDArray[np.int32], NDArray[np.int32]]:
    count, households = len(people.born), people.households
    home = people.household
    foreign_home = rng.random(households) < 0.020
    foreign_home[: len(SPECIAL_CHARACTERS)] = False
    bears = np.arange(households)
    bears[: len(kin.name_home)] = kin.name_home  # those who moved out bear their own
    foreign_home = foreign_home[bears]
    has_mother = np.zeros(count, dtype=bool)
    has_mother[: len(kin.mother)] = kin.mother >= 0
    foreign_partner = (people.seat == PARTNER) & ~has_mother & (rng.random(count) < 0.030)
    is_foreign = foreign_home[home] | foreign_partner
    family = known.surnames.draw(rng.random(households))
    for household, rows in enumerate(known.surnames_of):
        family[household] = rows[0]  # each rare character lives in the city at least once
    family = family[bears]
    abroad = known.foreign_surnames
    family = np.where(foreign_home, abroad.draw(rng.random(households))[bears], family)[home]
    family = np.where(foreign_partner, abroad.draw(rng.random(count)), family)
    drawn, is_classic = (
        rng.random(count),
        rng.random(count) < np.clip((people.born - 25) / 45, 0, 1),
    )
    given = np.zeros(count, dtype=np.int32)
    for sex in (1, 2):
        for chosen, pool in (
            (is_foreign, known.foreign[sex]),
            (~is_foreign & is_classic, known.classic[sex]),
            (~is_foreign & ~is_classic, known.modern[sex]),
        ):
            these = chosen & (people.sex == sex)
            given[these] = pool.draw(drawn[these])
    return is_foreign, family.astype(np.int32), given


def _addresses(
    people: People, town: NDArray[np.int16], rng: np.random.Generator
) -> dict[str, NDArray[np.generic]]:
    """Return the columns of addresses; a household lives at one, in its town."""
    households, home = people.households, people.household
    in_building = rng.random(households) < 0.42
    building = np.where(in_building, rng.integers(0, len(BUILDINGS), households), -1)
    room = rng.integers(1, 13, households) * 100 + rng.integers(1, 13, households)
    return {
        "town": town[home],
        "block": rng.integers(1, 40, households, dtype=np.int16)[home],
        "lot": rng.integers(1, 30, households, dtype=np.int16)[home],
        "building": building.astype(np.int16)[home],
        "room": room.astype(np.int16)[home],
    }
