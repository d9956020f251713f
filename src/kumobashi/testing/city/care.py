"""Insurance of the old and certificates of the disabled: numbers, in the order of ``resident_no``.

Who is insured follows from the age. How many are certified as in need of care or as disabled is an
assumption; the shares are those of a city with the usual number of old people.
"""

# ruff: noqa: PLR2004 - shares and ages of a fictional city

from datetime import date

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kumobashi.testing.city.households import People
from kumobashi.testing.city.register import Register, days
from kumobashi.testing.city.work import Work

CARE_LEVELS = ("12", "13", "21", "22", "23", "24", "25")  # 要支援1・2, 要介護1–5
_LEVEL_SHARES = (0.14, 0.14, 0.21, 0.17, 0.13, 0.12, 0.09)
_PHYSICAL, _INTELLECTUAL, _MENTAL = 1, 2, 3


def birthday(birth_day: NDArray[np.int32], years: int) -> NDArray[np.int32]:
    """Return the day on which each turns so many years; 29 February becomes 1 March."""
    born = birth_day.astype("datetime64[D]")
    month = born.astype("datetime64[M]")
    turned = (month + 12 * years).astype("datetime64[D]") + (born - month.astype("datetime64[D]"))
    found: NDArray[np.int32] = turned.astype(np.int32)
    return found


def care(
    people: People, work: Work, entered: Register, on: date, rng: np.random.Generator
) -> dict[str, pa.Table]:
    """Return long-term care, latter-stage medical care, and disability certificates."""
    line = np.flatnonzero(entered.person < len(people.born))
    number, who = entered.resident_no[line], entered.person[line]
    born, since = entered.birth_day[line], entered.since_day[line]
    assisted = work.is_assisted[who]
    today = days(on)
    return {
        "long_term_care": _long_term(number, born, since, today, rng),
        "latter_stage_medical": _latter_stage(number, born, since, work, who, assisted, today),
        "disability_certificates": _certificates(number, born, today, rng),
    }


def _long_term(
    number: NDArray[np.int64],
    born: NDArray[np.int32],
    since: NDArray[np.int32],
    today: int,
    rng: np.random.Generator,
) -> pa.Table:
    """Everyone of 65 and more, and of those from 40 who are certified."""
    # An age is reached at the end of the day before the birthday (年齢計算ニ関する法律).
    of_65, of_40 = birthday(born, 65) - 1, birthday(born, 40) - 1
    of_75, of_85 = birthday(born, 75), birthday(born, 85)
    is_first = of_65 <= today
    share = np.select(
        [of_85 <= today, of_75 <= today, is_first, of_40 <= today], [0.58, 0.18, 0.043, 0.004], 0.0
    )
    certified = rng.random(len(number)) < share
    chosen = is_first | certified
    many = int(chosen.sum())
    gained = np.maximum(np.where(is_first, of_65, of_40), since)[chosen]
    has_level = certified[chosen]
    start = np.maximum(today - 1 - rng.integers(0, 700, many), gained)
    level = rng.choice(len(CARE_LEVELS), size=many, p=_LEVEL_SHARES)
    gained = np.where(is_first[chosen], gained, start)
    return pa.table(
        {
            "resident_no": number[chosen],
            "insured_no": _spread(number[chosen]) % 1_000_000_000 + 1_000_000_000,
            "insured_kind": np.where(is_first[chosen], 1, 2).astype(np.int8),
            "gained_on": _dates(gained),
            "care_level": pa.array(level.astype(np.int8), mask=~has_level),
            "certified_on": _dates(start, has_level),
            "valid_to": _dates(start + 730, has_level),
            "premium_stage": rng.integers(1, 14, many).astype(np.int8),
            "burden_rate": rng.choice([1, 2, 3], size=many, p=[0.91, 0.05, 0.04]).astype(np.int8),
        }
    )


def _latter_stage(  # noqa: PLR0917 - columns of the residents, in their order
    number: NDArray[np.int64],
    born: NDArray[np.int32],
    since: NDArray[np.int32],
    work: Work,
    who: NDArray[np.int64],
    assisted: NDArray[np.bool_],
    today: int,
) -> pa.Table:
    """Everyone from the 75th birthday, but for those on public assistance."""
    of_75 = birthday(born, 75)
    chosen = (of_75 <= today) & ~assisted
    income = work.income[who][chosen]
    return pa.table(
        {
            "resident_no": number[chosen],
            "insured_no": _spread(number[chosen]) % 90_000_000 + 10_000_000,
            "gained_on": _dates(np.maximum(of_75, since)[chosen]),
            "burden_rate": np.select([income >= 1_450_000, income >= 280_000], [3, 2], 1).astype(
                np.int8
            ),
        }
    )


def _certificates(
    number: NDArray[np.int64],
    born: NDArray[np.int32],
    today: int,
    rng: np.random.Generator,
) -> pa.Table:
    """Hand out the three certificates; few hold two of them."""
    age = (today - born) / 365.2425
    shares = {
        _PHYSICAL: np.clip(0.004 + (age - 30) * 0.0016, 0.004, 0.14),
        _INTELLECTUAL: np.where(age < 3, 0.0, np.where(age < 20, 0.016, 0.008)),
        _MENTAL: np.where(age < 15, 0.0, np.where(age < 70, 0.012, 0.005)),
    }
    numbers, kinds, grades, issued = [], [], [], []
    for kind, share in shares.items():
        chosen = rng.random(len(number)) < share
        many = int(chosen.sum())
        lowest, highest = {_PHYSICAL: (1, 6), _INTELLECTUAL: (11, 12), _MENTAL: (1, 3)}[kind]
        back = rng.integers(1, 720 if kind == _MENTAL else 4000, many)
        numbers.append(number[chosen])
        kinds.append(np.full(many, kind, dtype=np.int8))
        grades.append(rng.integers(lowest, highest + 1, many).astype(np.int8))
        issued.append(np.maximum(today - back, born[chosen] + 1))
    whose, kind_of = np.concatenate(numbers), np.concatenate(kinds)
    order = np.lexsort((kind_of, whose))
    day, is_mental = np.concatenate(issued)[order], kind_of[order] == _MENTAL
    return pa.table(
        {
            "resident_no": whose[order],
            "kind": kind_of[order],
            "grade": np.concatenate(grades)[order],
            "certificate_no": _spread(whose[order]) % 900_000 + 100_000,
            "issued_on": _dates(day),
            "valid_to": _dates(day + 730, is_mental),  # 精神障害者保健福祉手帳: two years
        }
    )


def _spread(number: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return another number that says nothing of the first."""
    return (number * 7_368_787 + 982_451_653) % 9_999_999_967


def _dates(day: NDArray[np.generic], known: NDArray[np.bool_] | None = None) -> pa.Array:
    mask = None if known is None else ~known
    return pa.array(day.astype(np.int32), pa.date32(), mask=mask)
