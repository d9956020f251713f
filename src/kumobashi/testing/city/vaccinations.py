"""Vaccinations that fit the age: who was due, who came, and when."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa

from kumobashi.testing.city.households import People
from kumobashi.testing.city.register import DAYS_IN_YEAR, Register, days

_RECORDED_UNTIL = 20.0  # years of age; older records lie on paper


@dataclass(frozen=True, slots=True, kw_only=True)
class _Due:
    """One dose: from which age, within how many years most come, and the share who ever do."""

    vaccine: str
    dose: int
    age: float
    within: float
    share: float


_SCHEDULE = (
    _Due(vaccine="bcg", dose=1, age=0.45, within=0.4, share=0.975),
    _Due(vaccine="mr-1", dose=1, age=1.02, within=0.7, share=0.955),
    _Due(vaccine="var-1", dose=1, age=1.02, within=0.8, share=0.945),
    _Due(vaccine="var-1", dose=2, age=1.6, within=1.2, share=0.90),
    _Due(vaccine="je-1", dose=1, age=3.02, within=1.5, share=0.93),
    _Due(vaccine="je-1", dose=2, age=3.1, within=1.6, share=0.92),
    _Due(vaccine="je-1", dose=3, age=4.1, within=2.2, share=0.86),
    _Due(vaccine="mr-2", dose=1, age=5.2, within=1.6, share=0.925),
    _Due(vaccine="je-2", dose=1, age=9.02, within=3.6, share=0.80),
    _Due(vaccine="dt-2", dose=1, age=11.02, within=1.8, share=0.83),
)


def vaccinations(people: People, entered: Register, on: date, rng: np.random.Generator) -> pa.Table:
    """Return one row per dose given to those under twenty, in the order of ``resident_no``."""
    resident = entered.person < len(people.born)
    recorded = np.zeros(len(people.born), dtype=bool)
    recorded[people.born < _RECORDED_UNTIL] = True
    line = np.flatnonzero(resident)
    line = line[recorded[entered.person[line]]]
    number, birth_day = entered.resident_no[line], entered.birth_day[line]
    willing = rng.random(len(line))  # who skips one tends to skip others
    numbers, codes, doses, given = [], [], [], []
    for code, due in enumerate(_SCHEDULE):
        delay = due.within * rng.beta(1.1, 1.6, len(line))
        day = birth_day + np.ceil((due.age + delay) * DAYS_IN_YEAR).astype(np.int32)
        refuses = 0.5 * willing + 0.5 * rng.random(len(line)) > _quantile(due.share)
        came = ~refuses & (day <= days(on))
        numbers.append(number[came])
        codes.append(np.full(int(came.sum()), code, dtype=np.int8))
        doses.append(np.full(int(came.sum()), due.dose, dtype=np.int32))
        given.append(day[came])
    order = np.lexsort((np.concatenate(codes), np.concatenate(numbers)))
    names = pa.array([due.vaccine for due in _SCHEDULE])
    return pa.table(
        {
            "resident_no": np.concatenate(numbers)[order],
            "vaccine_code": names.take(pa.array(np.concatenate(codes)[order])),
            "dose": np.concatenate(doses)[order],
            "vaccinated_on": pa.array(np.concatenate(given)[order].astype(np.int32), pa.date32()),
        }
    )


def _quantile(share: float) -> float:
    """Return below which value so many of the means of two uniform draws lie."""
    half = 0.5
    return float(np.sqrt(share / 2)) if share <= half else float(1 - np.sqrt((1 - share) / 2))
