"""People who are handled without a resident record (住登外者), and those who are protected.

How many there are is an assumption. The former live in 隣接市, which is as fictional as the city.
"""

from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kumobashi.testing.city.households import People
from kumobashi.testing.city.names import names
from kumobashi.testing.city.register import LAST_NO, Register, days
from kumobashi.testing.city.work import is_lone_parent

ELSEWHERE = "999989"  # 隣接市: valid, and assigned to no one
TAXED, INSTITUTION, LETTERS, AGENT, OTHER = "1", "2", "3", "4", "9"  # 住登外者区分
KINDS = (TAXED, LETTERS, AGENT, OTHER)
TOWNS = ("本町", "栄町", "緑町", "旭町", "桜台", "みなみ野")
_SHARE, _PROTECTED_SHARE = 0.02, 0.0012
_LARGEST_NO = 9_999_999_999


def nonresidents(residents: int, on: date, rng: np.random.Generator) -> pa.Table:
    """Return people elsewhere with whom the city deals, in the order of their numbers."""
    count, known = max(8, int(residents * _SHARE)), names()
    number = np.unique(rng.integers(LAST_NO + 1, _LARGEST_NO, count + count // 200 + 8))
    number = np.sort(rng.choice(number, size=count, replace=False))
    age = np.clip(rng.normal(55.0, 15.0, count), 18.5, 99)
    sex = rng.integers(1, 3, count)
    drawn = rng.random(count)
    given = np.zeros(count, dtype=np.int32)
    for code in (1, 2):
        mine = sex == code
        given[mine] = known.classic[code].draw(drawn[mine])
    kind = rng.choice(len(KINDS), size=count, p=(0.2, 0.45, 0.1, 0.25))
    return pa.table(
        {
            "nonresident_no": number,
            "family": known.surnames.draw(rng.random(count)),
            "given": given,
            "sex": sex.astype(np.int8),
            "birth_date": _dates(days(on) - age * 365.2425),
            "town": pa.array(TOWNS).take(pa.array(rng.integers(0, len(TOWNS), count))),
            "lot": rng.integers(1, 4000, count).astype(np.int16),
            "kind": pa.array(KINDS).take(pa.array(kind)),
            "income": (rng.lognormal(15.0, 0.5, count) // 1000 * 1000).astype(np.int64),
            "registered_on": _dates(days(on) - 30 - rng.integers(0, 5000, count)),
        }
    )


def taxed(elsewhere: pa.Table, year: int) -> pa.Table:
    """Return the tax rows of those who are taxed without a resident record."""
    rows = elsewhere.filter(pc.equal(elsewhere["kind"], TAXED))
    income = rows["income"].to_numpy()
    base = np.maximum(income - 430_000, 0) // 1000 * 1000
    return pa.table(
        {
            "resident_no": rows["nonresident_no"],
            "tax_year": np.full(len(rows), year, dtype=np.int32),
            "exemption_kind": np.where(base > 0, 0, 1).astype(np.int8),
            "total_income": income,
            "tax_base": base.astype(np.int64),
        }
    )


def support_measures(
    people: People, entered: Register, on: date, rng: np.random.Generator
) -> pa.Table:
    """Return the residents protected together, household by household; an adult has applied.

    Lone parents are far more often among them.
    """
    share = np.full(people.households, _PROTECTED_SHARE)
    share[people.household[is_lone_parent(people)]] *= 12
    is_home = rng.random(people.households) < share
    kind = rng.choice([1, 2, 3, 9], size=people.households, p=[0.6, 0.2, 0.1, 0.1])
    started = days(on) - rng.integers(1, 364, people.households)  # for one year, then anew
    line = np.flatnonzero(entered.person < len(people.born))
    line = line[is_home[people.household[entered.person[line]]]]
    who = entered.person[line]
    home = people.household[who]
    number = entered.resident_no[line]
    eldest = np.lexsort((-people.born[who], home))
    is_first = np.r_[True, home[eldest][1:] != home[eldest][:-1]][: len(home)]
    applicant = np.zeros(people.households, dtype=np.int64)
    applicant[home[eldest][is_first]] = number[eldest][is_first]
    start = np.maximum(started[home], entered.since_day[line])
    return pa.table(
        {
            "resident_no": number,
            "kind": kind[home].astype(np.int8),
            "home": home,
            "role": np.where(applicant[home] == number, 1, 2).astype(np.int8),
            "support_from": _dates(start),
            "support_to": _dates(started[home] + 365),
        }
    )


def _dates(day: NDArray[np.generic]) -> pa.Array:
    return pa.array(day.astype(np.int32), pa.date32())
