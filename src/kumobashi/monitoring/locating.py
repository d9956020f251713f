"""Which parts have failed, judged from what was reached and what was not. Pure.

A probe goes over several parts, the nearest first. What a probe that came back went over is well;
what is left of one that did not must hold the fault. Of all sets of parts that explain every
failure the smallest is taken, and of equal ones the parts that are nearest to who looks: behind a
part that has failed nothing can be said to have failed too, unless another probe says so.

>>> from kumobashi.monitoring.points import PartKind
>>> probes = [
...     Seen(over=("router",), reached=True),
...     Seen(over=("router", "line"), reached=False),
...     Seen(over=("router", "line", "core"), reached=False),
...     Seen(over=("mobile", "core"), reached=True),
... ]
>>> sorted(failed_parts(probes))
['line']
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

_MOST_AT_ONCE = 8  # parts that are looked at together; beyond it, step by step


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one probe met."""

    over: tuple[str, ...]  # parts, the nearest to who looks first
    reached: bool


def failed_parts(seen: Iterable[Seen]) -> frozenset[str]:
    """Return the fewest parts that explain what was not reached; none if all was.

    A failure over parts that are all known to be well explains nothing (it is the probe's target
    that is odd) and is left out.
    """
    found = list(seen)
    well = {part for one in found if one.reached for part in one.over}
    left = {tuple(p for p in one.over if p not in well) for one in found if not one.reached}
    left.discard(())
    needed = [paths for paths in left if not any(set(o) < set(paths) for o in left)]
    if not needed:
        return frozenset()
    near = _nearness(needed)
    ranked = sorted(near, key=lambda part: (near[part], part))
    return _smallest(needed, ranked)


def _nearness(paths: Sequence[Sequence[str]]) -> dict[str, int]:
    """Return how near each part is: its place in the path where it comes first."""
    near: dict[str, int] = {}
    for path in paths:
        for place, part in enumerate(path):
            near[part] = min(place, near.get(part, place))
    return near


def _smallest(paths: Sequence[Sequence[str]], ranked: Sequence[str]) -> frozenset[str]:
    """Return the smallest set that has a part of every path; the nearest of equal ones."""
    if len(ranked) <= _MOST_AT_ONCE:
        for size in range(1, len(ranked) + 1):
            for chosen in combinations(ranked, size):
                if all(set(chosen) & set(path) for path in paths):
                    return frozenset(chosen)
    chosen_parts: set[str] = set()
    left = list(paths)
    while left:  # many parts: the one that explains most, the nearest of equal ones
        best = max(ranked, key=lambda part: (sum(part in p for p in left), -ranked.index(part)))
        chosen_parts.add(best)
        left = [path for path in left if best not in path]
    return frozenset(chosen_parts)
