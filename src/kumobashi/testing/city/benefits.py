"""Tax, insurance and benefits: a table of numbers per dataset, in the order of ``resident_no``."""

# ruff: noqa: PLR2004 - shares and ages of a fictional city

from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kumobashi.testing.city.households import People
from kumobashi.testing.city.register import DAYS_IN_YEAR, Register, days
from kumobashi.testing.city.work import (
    EMPLOYEE,
    HOMEMAKER,
    PUBLIC_SERVANT,
    STUDENT,
    Work,
    children_at_home,
    is_lone_parent,
    is_parent,
)

_TAXABLE_AGE, _SENIOR_AGE = 15, 70
_FULL_SUPPORT, _PARTIAL_SUPPORT = 1_070_000, 2_300_000  # yen, income of a lone parent


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lines:
    """The lines of the register that are residents, and what is known of the people behind them."""

    number: NDArray[np.int64]
    household_no: NDArray[np.int64]
    since: NDArray[np.int32]
    who: NDArray[np.int64]  # of the people
    ago: NDArray[np.float64]  # drawn between 0 and 1
    people: People
    work: Work
    today: int


def tax_year(on: date) -> int:
    """Return the year of the tax that is current: the decision for a year comes on 1 June."""
    return on.year if on.month >= 6 else on.year - 1


def benefits(
    people: People, work: Work, entered: Register, on: date, rng: np.random.Generator
) -> dict[str, pa.Table]:
    """Return the tables of the integrated database beside the register itself."""
    # `people` and `work` know the residents only; the register also holds those who left.
    line = np.flatnonzero(entered.person < len(people.born))
    lines = _Lines(
        number=entered.resident_no[line],
        household_no=entered.household_no[line],
        since=entered.since_day[line],
        who=entered.person[line],
        ago=rng.random(len(line)),
        people=people,
        work=work,
        today=days(on),
    )
    return {
        "resident_tax": _tax(lines, tax_year(on), rng),
        "national_health_insurance": _insurance(lines),
        "child_allowance": _child_allowance(lines),
        "child_support_allowance": _child_support(lines),
        "public_assistance": _assistance(lines),
    }


def _tax(lines: _Lines, year: int, rng: np.random.Generator) -> pa.Table:
    """Rows for everyone of 15 and more, but for half of the dependants who declared nothing."""
    who, work = lines.who, lines.work
    occupation = work.occupation[who]
    depends = (occupation == STUDENT) | (occupation == HOMEMAKER)
    silent = depends & (rng.random(len(who)) < 0.5)
    chosen = (lines.people.born[who] >= _TAXABLE_AGE) & ~silent
    whose = who[chosen]
    return pa.table(
        {
            "resident_no": lines.number[chosen],
            "tax_year": np.full(len(whose), year, dtype=np.int32),
            "exemption_kind": work.is_exempt[whose].astype(np.int8),
            "total_income": work.income[whose],
            "tax_base": work.tax_base[whose],
        }
    )


def _insurance(lines: _Lines) -> pa.Table:
    """Rows for the insured, and for a few who found work and lost the qualification."""
    who, today = lines.who, lines.today
    insured = lines.work.is_insured[who]
    lost = ~insured & (lines.work.occupation[who] == EMPLOYEE) & (lines.ago < 0.012)
    chosen = insured | lost
    age, is_lost = lines.people.born[who][chosen], lost[chosen]
    ago, since = lines.ago[chosen], lines.since[chosen]
    lost_day = np.maximum(today - 30 - ago * 20_000, since).astype(np.int32)
    gained = since + ((today - since) * ago * 0.8).astype(np.int32)
    gained = np.where(is_lost, np.maximum(lost_day - 200, since), gained).astype(np.int32)
    senior_or_not = np.where(age >= _SENIOR_AGE, 3, 1)
    household = lines.people.household[who][chosen].astype(np.int64)
    return pa.table(
        {
            "resident_no": lines.number[chosen],
            # The symbol of the household is not its number in the register.
            "symbol": (household * 7919 + 104_729) % 90_000_000 + 10_000_000,
            "qualification_kind": np.where(is_lost, 0, senior_or_not).astype(np.int8),
            "gained_on": pa.array(gained, pa.date32()),
            "lost_on": pa.array(lost_day, pa.date32(), mask=~is_lost),
        }
    )


def _child_allowance(lines: _Lines) -> pa.Table:
    """One recipient per household with children under 19: the parent who earns more."""
    people, work = lines.people, lines.work
    parents = np.flatnonzero(is_parent(people))
    order = np.lexsort((people.seat[parents], -work.income[parents], people.household[parents]))
    homes = people.household[parents][order]
    recipients = np.zeros(len(people.born), dtype=bool)
    recipients[parents[order][np.r_[True, homes[1:] != homes[:-1]]]] = True
    chosen = recipients[lines.who]
    whose = lines.who[chosen]
    serves = work.occupation[whose] == PUBLIC_SERVANT  # paid by the employer
    kind = np.where(serves, 9, np.where(lines.ago[chosen] < 0.03, 2, 1))
    return pa.table(
        {
            "resident_no": lines.number[chosen],
            "payment_kind": kind.astype(np.int8),
            "children": children_at_home(people)[people.household[whose]].astype(np.int32),
            "decided_on": _decided(lines.today, lines.ago[chosen], 3),
        }
    )


def _child_support(lines: _Lines) -> pa.Table:
    """Rows for lone parents who applied; those who earn too much are suspended."""
    income = lines.work.income[lines.who]
    applied = lines.ago < np.where(income <= _PARTIAL_SUPPORT, 0.92, 0.4)
    chosen = is_lone_parent(lines.people)[lines.who] & applied
    kind = np.select(
        [income[chosen] <= _FULL_SUPPORT, income[chosen] <= _PARTIAL_SUPPORT], [1, 2], 0
    )
    return pa.table(
        {
            "resident_no": lines.number[chosen],
            "payment_kind": kind.astype(np.int8),
            "decided_on": _decided(lines.today, lines.ago[chosen], 1),
        }
    )


def _assistance(lines: _Lines) -> pa.Table:
    """Rows for each member of an assisted household, with the kind that weighs most for it."""
    chosen = lines.work.is_assisted[lines.who]
    household = lines.people.household[lines.who][chosen].astype(np.int64)
    drawn = household * 2_654_435_761 % 1000 / 1000  # the same for all members
    age = lines.people.born[lines.who][chosen]
    at_school = (age >= 6) & (age < 15) & (drawn < 0.5)
    kind = np.select(
        [at_school, drawn < 0.86, drawn < 0.91, drawn < 0.97, drawn < 0.985], [2, 1, 3, 4, 5], 7
    )
    return pa.table(
        {
            "resident_no": lines.number[chosen],
            "household_no": lines.household_no[chosen],
            "assistance_kind": kind.astype(np.int8),
            "started_on": _decided(lines.today, drawn, 9),
        }
    )


def _decided(today: int, ago: NDArray[np.float64], years: int) -> pa.Array:
    """Return days within so many years before today."""
    return pa.array((today - 1 - ago * years * DAYS_IN_YEAR).astype(np.int32), pa.date32())
