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
_DOUBLED_AT_MOST = 20  # times; beyond any longest wait


def wait_after(tries: int, chance: random.Random, *, longest: float = LONGEST_SECONDS) -> float:
    """Return seconds to wait after the ``tries``-th failure, about twice those after the last."""
    grown = _FIRST_SECONDS * 2.0 ** min(max(tries, 1) - 1, _DOUBLED_AT_MOST)
    return min(grown, longest) * chance.uniform(0.5, 1.0)
