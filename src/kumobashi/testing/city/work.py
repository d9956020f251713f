"""What people do and earn, who pays tax, who is insured with the city, who lives on assistance.

All shares here are assumptions; they were chosen so that about 27 in 100 adults pay no resident
tax, 17 in 100 are in the national health insurance and 1.7 % of the households live on assistance.
"""

# ruff: noqa: PLR2004 - shares and ages of a fictional city

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kumobashi.testing.city.households import CHILDREN, FIRST, PARTNER, People

PUPIL, STUDENT, EMPLOYEE, SELF_EMPLOYED, PUBLIC_SERVANT, HOMEMAKER, PENSIONER, JOBLESS = range(8)

_WORKING_AGE, _ADULT, _RETIRES, _ELDERLY_CARE = 15, 18, 65, 75
_ALONE_EXEMPT = 450_000  # yen of income in a year, the limit of a first-class area
_PER_DEPENDANT, _WITH_DEPENDANTS, _LONE_EXEMPT = 350_000, 310_000, 1_350_000
_BASIC_DEDUCTION, _DEPENDANT_DEDUCTION = 430_000, 330_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One entry per person, in the order of the people."""

    occupation: NDArray[np.int8]
    income: NDArray[np.int64]  # 合計所得金額, yen
    tax_base: NDArray[np.int64]
    is_exempt: NDArray[np.bool_]
    is_assisted: NDArray[np.bool_]  # 生活保護, by household
    is_insured: NDArray[np.bool_]  # 国民健康保険


def employ(people: People, rng: np.random.Generator) -> Work:
    """Give everyone an occupation, an income and what follows from them."""
    assisted_home = _assisted(people, rng)
    is_assisted = assisted_home[people.household]
    occupation = _occupations(people, is_assisted, rng)
    income = _incomes(people, occupation, is_assisted, rng)
    is_exempt, tax_base = _tax(people, income, is_assisted)
    return Work(
        occupation=occupation,
        income=income,
        tax_base=tax_base,
        is_exempt=is_exempt,
        is_assisted=is_assisted,
        is_insured=_insured(people, occupation, is_assisted),
    )


def is_lone_parent(people: People) -> NDArray[np.bool_]:
    """Say of each person whether they raise children under 19 at home without a partner."""
    has_partner = _homes(people, people.seat == PARTNER)
    has_children = _homes(people, _is_child(people))
    chosen: NDArray[np.bool_] = (people.seat == FIRST) & (has_children & ~has_partner)[
        people.household
    ]
    return chosen


def is_parent(people: People) -> NDArray[np.bool_]:
    """Say of each person whether they are a parent of children under 19 at home."""
    return (people.seat <= PARTNER) & _homes(people, _is_child(people))[people.household]


def children_at_home(people: People) -> NDArray[np.int64]:
    """Count the children under 19 of each household."""
    return np.bincount(people.household[_is_child(people)], minlength=people.households)


def _is_child(people: People) -> NDArray[np.bool_]:
    is_seated = (people.seat >= CHILDREN.start) & (people.seat < CHILDREN.stop)
    chosen: NDArray[np.bool_] = is_seated & (people.born < _ADULT + 1)
    return chosen


def _homes(people: People, chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = (
        np.bincount(people.household[chosen], minlength=people.households) > 0
    )
    return found


def _assisted(people: People, rng: np.random.Generator) -> NDArray[np.bool_]:
    sizes = np.bincount(people.household, minlength=people.households)
    head_age = np.zeros(people.households)
    at_head = people.seat == FIRST
    head_age[people.household[at_head]] = people.born[at_head]
    is_lone = np.zeros(people.households, dtype=bool)
    is_lone[people.household[is_lone_parent(people)]] = True
    lives_alone = sizes == 1
    share = np.select(
        [is_lone, lives_alone & (head_age >= _RETIRES), lives_alone], [0.070, 0.050, 0.018], 0.008
    )
    return rng.random(people.households) < share


def _occupations(
    people: People, is_assisted: NDArray[np.bool_], rng: np.random.Generator
) -> NDArray[np.int8]:
    age, is_woman = people.born, people.sex == 2
    drawn = rng.random(len(age))
    cares = is_woman & (people.seat == PARTNER) & (age < _RETIRES)
    studies = drawn < np.select([age < _ADULT, age < 20, age < 23], [0.99, 0.68, 0.42], 0.0)
    again = rng.random(len(age))
    working = np.select(
        [again < np.where(cares, 0.27, 0.0), again < 0.11, again < 0.185, again < 0.235],
        [HOMEMAKER, SELF_EMPLOYED, JOBLESS, PUBLIC_SERVANT],
        EMPLOYEE,
    )
    elderly_works = again < np.where(age < 70, 0.46, np.where(age < _ELDERLY_CARE, 0.26, 0.07))
    elderly = np.where(elderly_works, np.where(again < 0.05, SELF_EMPLOYED, EMPLOYEE), PENSIONER)
    occupation = np.select(
        [age < _WORKING_AGE, studies, age >= _RETIRES], [PUPIL, STUDENT, elderly], working
    )
    stopped = is_assisted & (occupation != PUPIL) & (occupation != STUDENT)
    return np.where(stopped & (age < _RETIRES), JOBLESS, occupation).astype(np.int8)


def _incomes(
    people: People,
    occupation: NDArray[np.int8],
    is_assisted: NDArray[np.bool_],
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Draw yearly income after the deductions for wages and pensions, in yen."""
    age, is_woman = people.born, people.sex == 2
    rises = 1.0 - ((np.clip(age, 20, 65) - 52) / 60) ** 2
    part_time = is_woman & (people.seat == PARTNER) & (rng.random(len(age)) < 0.38)
    median = np.select(
        [
            (occupation == EMPLOYEE) & part_time,
            (occupation == EMPLOYEE) & (age >= _RETIRES),
            occupation == EMPLOYEE,
            occupation == PUBLIC_SERVANT,
            occupation == SELF_EMPLOYED,
            occupation == PENSIONER,
            occupation == STUDENT,
        ],
        [
            450_000.0,
            1_500_000.0,
            np.where(is_woman, 2_050_000, 2_900_000) * rises,
            3_600_000 * rises,
            2_000_000.0,
            np.where(is_woman, 430_000, 980_000),
            60_000.0,
        ],
        0.0,
    )
    spread = np.where(occupation == SELF_EMPLOYED, 0.85, 0.5)
    income = median * np.exp(spread * rng.standard_normal(len(age)))
    income = np.where(is_assisted, np.minimum(income, 300_000 * rng.random(len(age))), income)
    return (income // 1000 * 1000).astype(np.int64)


def _tax(
    people: People, income: NDArray[np.int64], is_assisted: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Return who is exempt and what is left to tax; the first adult claims the dependants."""
    dependant = (income <= _ALONE_EXEMPT) & (people.seat != FIRST)
    claimed = np.bincount(people.household[dependant], minlength=people.households)
    dependants = np.where(people.seat == FIRST, claimed[people.household], 0)
    limit = np.where(
        dependants > 0, _PER_DEPENDANT * (dependants + 1) + _WITH_DEPENDANTS, _ALONE_EXEMPT
    )
    limit = np.where(is_lone_parent(people), np.maximum(limit, _LONE_EXEMPT), limit)
    is_exempt = (income <= limit) | is_assisted
    base = np.maximum(income - _BASIC_DEDUCTION - _DEPENDANT_DEDUCTION * dependants, 0)
    return is_exempt, np.where(is_exempt, 0, base // 1000 * 1000)


def _insured(
    people: People, occupation: NDArray[np.int8], is_assisted: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Insure the self-employed, the jobless and pensioners under 75, and who lives from them."""
    is_waged = (occupation == EMPLOYEE) | (occupation == PUBLIC_SERVANT)
    covered = _homes(people, is_waged & (people.seat <= PARTNER))[people.household]
    depends = (occupation == PUPIL) | (occupation == STUDENT) | (occupation == HOMEMAKER)
    own = (occupation == SELF_EMPLOYED) | (occupation == JOBLESS) | (occupation == PENSIONER)
    insured = (own | (depends & ~covered)) & (people.born < _ELDERLY_CARE) & ~is_assisted
    # A jobless wife or child of an employee is a dependant of the employees' insurance.
    is_family = (occupation == JOBLESS) & covered
    chosen: NDArray[np.bool_] = insured & ~is_family
    return chosen
