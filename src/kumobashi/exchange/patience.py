"""How long to wait before the next try: growing, with jitter, never beyond a longest wait.

>>> import random
>>> chance = random.Random(1)
>>> all(0 < wait_after(tries, chance) <= 30 for tries in range(1, 40))
True
>>> 0.25 <= wait_after(1, chance) <= 0.5
True
"""

import random

_FIRST_SECONDS = 0.5
LONGEST_SECONDS = 30.0
LONGEST_AFTER_A_NO_SECONDS = 300.0  # a person there must act first
_DOUBLED_AT_MOST = 20  # times; beyond any longest wait


def new_chance() -> random.Random:
    """Return what spreads the tries of one gateway away from those of others."""
    return random.Random()  # noqa: S311 - nothing secret depends on it


def wait_after(tries: int, chance: random.Random, *, is_no: bool = False) -> float:
    """Return seconds to wait after the ``tries``-th failure, about twice those after the last.

    ``is_no``: the other side has said that trying again alone will not help.
    """
    longest = LONGEST_AFTER_A_NO_SECONDS if is_no else LONGEST_SECONDS
    grown = _FIRST_SECONDS * 2.0 ** min(max(tries, 1) - 1, _DOUBLED_AT_MOST)
    return min(grown, longest) * chance.uniform(0.5, 1.0)
