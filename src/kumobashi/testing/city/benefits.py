"""Tax, insurance and benefits: one table of numbers per dataset, in the order of ``resident_no``."""

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


def benefits(
    people: People, work: Work, entered: Register, on: date, rng: np.random.Generator
) -> dict[str, pa.Table]:
    """Return the tables of the integrated database beside the register itself."""
    # Entries of the register that are residents; `people` and `work` know only these.
    line = np.flatnonzero(entered.person < len(people.born))
    who = entered.person[line]
    number, today = entered.resident_no[line], days(on)
    ago = rng.random(len(who))
    return {
        "resident_tax": _tax(number, who, people, work, on, rng),
        "national_health_insurance": _insurance(
            number, who, people, work, entered.since_day[line], today, ago
        ),
        "child_allowance": _child_allowance(number, who, people, work, today, ago),
        "child_support_allowance": _child_support(number, who, people, work, today, ago),
        "public_assistance": _assistance(
            number, entered.household_no[line], who, people, work, today
        ),
    }


def _tax(
    number: NDArray[np.int64],
    who: NDArray[np.int64],
    people: People,
    work: Work,
    on: date,
    rng: np.random.Generator,
) -> pa.Table:
    """Rows for everyone of 15 and more, but for half of the dependants who declared nothing."""
    occupation = work.occupation[who]
    silent = ((occupation == STUDENT) | (occupation == HOMEMAKER)) & (rng.random(len(who)) < 0.5)  # noqa: PLR2004
    chosen = (people.born[who] >= _TAXABLE_AGE) & ~silent
    whose = who[chosen]
    return pa.table(
        {
            "resident_no": number[chosen],
            "tax_year": np.full(len(whose), on.year, dtype=np.int32),
            "exemption_kind": work.is_exempt[whose].astype(np.int8),
            "total_income": work.income[whose],
            "tax_base": work.tax_base[whose],
        }
    )


def _insurance(
    number: NDArray[np.int64],
    who: NDArray[np.int64],
    people: People,
    work: Work,
    since: NDArray[np.int32],
    today: int,
    ago: NDArray[np.float64],
) -> pa.Table:
    """Rows for the insured, and for a few who found work and lost the qualification."""
    insured = work.is_insured[who]
    lost = ~insured & (work.occupation[who] == EMPLOYEE) & (ago < 0.012)  # noqa: PLR2004
    chosen = insured | lost
    age, is_lost = people.born[who][chosen], lost[chosen]
    lost_day = (today - 30 - ago[chosen] * 20_000).astype(np.int32)
    gained = since[chosen] + ((today - since[chosen]) * ago[chosen] * 0.8).astype(np.int32)
    gained = np.minimum(np.where(is_lost, lost_day - 200, gained), today).astype(np.int32)
    household = people.household[who][chosen].astype(np.int64)
    return pa.table(
        {
            "resident_no": number[chosen],
            # The symbol of the household is not its number in the register.
            "symbol": (household * 7919 + 104_729) % 90_000_000 + 10_000_000,
            "qualification_kind": np.where(is_lost, 0, np.where(age >= _SENIOR_AGE, 3, 1)).astype(
                np.int8
            ),
            "gained_on": pa.array(gained, pa.date32()),
            "lost_on": pa.array(lost_day, pa.date32(), mask=~is_lost),
        }
    )


def _child_allowance(
    number: NDArray[np.int64],
    who: NDArray[np.int64],
    people: People,
    work: Work,
    today: int,
    ago: NDArray[np.float64],
) -> pa.Table:
    """One recipient per household with children under 19: the parent who earns more."""
    parents = np.flatnonzero(is_parent(people))
    order = np.lexsort((people.seat[parents], -work.income[parents], people.household[parents]))
    homes = people.household[parents][order]
    recipients = np.zeros(len(people.born), dtype=bool)
    recipients[parents[order][np.r_[True, homes[1:] != homes[:-1]]]] = True
    chosen = recipients[who]
    whose = who[chosen]
    serves = work.occupation[whose] == PUBLIC_SERVANT  # paid by the employer
    kind = np.where(serves, 9, np.where(ago[chosen] < 0.03, 2, 1))  # noqa: PLR2004
    return pa.table(
        {
            "resident_no": number[chosen],
            "payment_kind": kind.astype(np.int8),
            "children": children_at_home(people)[people.household[whose]].astype(np.int32),
            "decided_on": _decided(today, ago[chosen], 3),
        }
    )


def _child_support(
    number: NDArray[np.int64],
    who: NDArray[np.int64],
    people: People,
    work: Work,
    today: int,
    ago: NDArray[np.float64],
) -> pa.Table:
    """Rows for lone parents who applied; those who earn too much are suspended."""
    income = work.income[who]
    applied = ago < np.where(income <= _PARTIAL_SUPPORT, 0.92, 0.4)
    chosen = is_lone_parent(people)[who] & applied
    kind = np.select(
        [income[chosen] <= _FULL_SUPPORT, income[chosen] <= _PARTIAL_SUPPORT], [1, 2], 0
    )
    return pa.table(
        {
            "resident_no": number[chosen],
            "payment_kind": kind.astype(np.int8),
            "decided_on": _decided(today, ago[chosen], 1),
        }
    )


def _assistance(
    number: NDArray[np.int64],
    household_no: NDArray[np.int64],
    who: NDArray[np.int64],
    people: People,
    work: Work,
    today: int,
) -> pa.Table:
    """Rows for each member of an assisted household, with the kind that weighs most for it."""
    chosen = work.is_assisted[who]
    household = people.household[who][chosen].astype(np.int64)
    drawn = household * 2_654_435_761 % 1000 / 1000  # the same for all members
    age = people.born[who][chosen]
    at_school = (age >= 6) & (age < 15) & (drawn < 0.5)  # noqa: PLR2004
    kind = np.select(
        [at_school, drawn < 0.86, drawn < 0.91, drawn < 0.97, drawn < 0.985],  # noqa: PLR2004
        [2, 1, 3, 4, 5],
        7,
    )
    return pa.table(
        {
            "resident_no": number[chosen],
            "household_no": household_no[chosen],
            "assistance_kind": kind.astype(np.int8),
            "started_on": _decided(today, drawn, 9),
        }
    )


def _decided(today: int, ago: NDArray[np.float64], years: int) -> pa.Array:
    """Return days within so many years before today."""
    return pa.array((today - 1 - ago * years * DAYS_IN_YEAR).astype(np.int32), pa.date32())
