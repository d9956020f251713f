"""How long to wait before the next try: growing, with jitter, never beyond half a minute."""

import random
from collections.abc import Iterator

_FIRST_SECONDS = 0.5
_LONGEST_SECONDS = 30.0


def waits(seed: int | None = None) -> Iterator[float]:
    """Yield seconds to wait, each about twice the one before.

    >>> import itertools
    >>> all(0 < wait <= 30 for wait in itertools.islice(waits(1), 20))
    True
    """
    chance = random.Random(seed)  # noqa: S311 - spreads load; nothing secret depends on it
    wait = _FIRST_SECONDS
    while True:
        yield wait * chance.uniform(0.5, 1.0)
        wait = min(wait * 2, _LONGEST_SECONDS)
