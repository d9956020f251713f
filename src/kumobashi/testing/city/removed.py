"""Those who left the register: households that moved out, and the dead spouses of some who live on.

A dead spouse keeps the household number, and the relationship held in life. Whoever counts the
members of a household must look at the status first; the city is honest about that.
"""

import numpy as np

from kumobashi.testing.city.households import FIRST, PARTNER, RELATIONSHIPS, People, compose

_WIDOWED_FROM = 68.0


def moved_out(wanted: int, rng: np.random.Generator) -> People:
    """Return households that left the city, all members together."""
    return compose(max(2, wanted), rng)


def dead(living: People, wanted: int, rng: np.random.Generator) -> People:
    """Return so many late husbands and wives of people who now live alone."""
    sizes = np.bincount(living.household, minlength=living.households)
    alone = (sizes[living.household] == 1) & (living.born >= _WIDOWED_FROM)
    candidates = np.flatnonzero(alone & (living.seat == FIRST))
    wanted = min(len(candidates), max(1, wanted))
    chosen = np.sort(rng.choice(candidates, size=wanted, replace=False))
    was_husband = living.sex[chosen] == 2  # noqa: PLR2004 - the code of the register
    late = RELATIONSHIPS.index("02"), RELATIONSHIPS.index("12")
    return People(
        household=living.household[chosen],
        households=living.households,
        seat=np.full(wanted, PARTNER, dtype=np.int8),
        sex=np.where(was_husband, 1, 2).astype(np.int8),
        relationship=np.where(was_husband, *late).astype(np.int8),
        born=np.minimum(living.born[chosen] + np.where(was_husband, 2.2, -2.2), 104.0),
    )
