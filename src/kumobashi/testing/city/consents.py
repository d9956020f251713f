"""Consents given at the desk: a household decides for all its members, purpose by purpose."""

from collections.abc import Sequence
from datetime import date

import numpy as np
import pyarrow as pa

from kumobashi.testing.city.households import People
from kumobashi.testing.city.register import Register, days

_WITHDRAWN_SHARE = 0.03
_DESK_OPENED = 900  # days before the day of the city


def consents(
    people: People,
    entered: Register,
    on: date,
    *,
    share: float,
    purposes: Sequence[str],
    rng: np.random.Generator,
) -> pa.Table:
    """Return one row per member and purpose; with a share of 1 all consent and none withdraws."""
    line = np.flatnonzero(entered.person < len(people.born))
    home = people.household[entered.person[line]]
    granted_day = np.maximum(
        days(on) - rng.integers(1, _DESK_OPENED, people.households)[home], entered.birth_day[line]
    )
    numbers, codes, granted, withdrawn = [], [], [], []
    for code in range(len(purposes)):
        chosen = (rng.random(people.households) < share)[home]
        left = rng.random(people.households) < (_WITHDRAWN_SHARE if share < 1 else 0.0)
        numbers.append(entered.resident_no[line][chosen])
        codes.append(np.full(int(chosen.sum()), code, dtype=np.int8))
        granted.append(granted_day[chosen])
        withdrawn.append(left[home][chosen])
    order = np.lexsort((np.concatenate(codes), np.concatenate(numbers)))
    day = np.concatenate(granted)[order].astype(np.int32)
    has_left = np.concatenate(withdrawn)[order]
    left_day = day + (days(on) - day) // 2
    return pa.table(
        {
            "resident_no": np.concatenate(numbers)[order],
            "purpose": pa.array(list(purposes)).take(pa.array(np.concatenate(codes)[order])),
            "granted_on": pa.array(day, pa.date32()),
            "withdrawn_on": pa.array(left_day, pa.date32(), mask=~has_left),
        }
    )
