"""The published definitions once more, as plainly as can be: slow, for tests only."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

Rows = Sequence[tuple[Any, ...]]


def classes_of(rows: Rows, width: int) -> dict[tuple[Any, ...], list[tuple[Any, ...]]]:
    """Return the rows by their first ``width`` columns."""
    found: dict[tuple[Any, ...], list[tuple[Any, ...]]] = {}
    for row in rows:
        found.setdefault(row[:width], []).append(row)
    return found


def sizes_of(rows: Rows, width: int, population: Rows | None = None) -> dict[str, Any]:
    """Return k, risks and shares."""
    held = {key: len(group) for key, group in classes_of(rows, width).items()}
    total = len(rows)
    said: dict[str, Any] = {
        "rows": total,
        "classes": len(held),
        "k": min(held.values()),
        "unique_share": sum(n for n in held.values() if n == 1) / total,
        "prosecutor_max": max(1 / n for n in held.values()),
        "prosecutor_average": math.fsum(1 / held[row[:width]] for row in rows) / total,
    }
    said["marketer"] = said["prosecutor_average"]
    if population is not None:
        people = {key: len(group) for key, group in classes_of(population, width).items()}
        said |= {
            "k_map": min(people[key] for key in held),
            "journalist_max": max(1 / people[key] for key in held),
            "journalist_average": math.fsum(1 / people[row[:width]] for row in rows) / total,
            "population_unique_share": sum(people[row[:width]] == 1 for row in rows) / total,
        }
        said["marketer"] = said["journalist_average"]
    return said


def sensitive_of(rows: Rows, width: int, place: int, *, is_ordered: bool) -> dict[str, float]:
    """Return l, entropy l, t and delta of the column at ``place``."""
    values = sorted({row[place] for row in rows}, key=lambda v: (v is None, v))
    overall = Counter(row[place] for row in rows)
    p = [overall[value] / len(rows) for value in values]
    least_l, least_entropy, most_t, most_delta = len(values), math.inf, 0.0, 0.0
    for group in classes_of(rows, width).values():
        counted = Counter(row[place] for row in group)
        q = [counted[value] / len(group) for value in values]
        least_l = min(least_l, sum(share > 0 for share in q))
        least_entropy = min(least_entropy, -math.fsum(s * math.log(s) for s in q if s))
        most_t = max(most_t, _ordered(q, p) if is_ordered else _equal(q, p))
        logs = [abs(math.log(a / b)) for a, b in zip(q, p, strict=True) if a]
        most_delta = max([most_delta, *logs])
    return {
        "l": least_l,
        "entropy_l": math.exp(least_entropy),
        "t": most_t,
        "delta": most_delta,
    }


def _equal(q: Sequence[float], p: Sequence[float]) -> float:
    return math.fsum(abs(a - b) for a, b in zip(q, p, strict=True)) / 2


def _ordered(q: Sequence[float], p: Sequence[float]) -> float:
    if len(q) == 1:
        return 0.0
    sums = [math.fsum(q[: i + 1]) - math.fsum(p[: i + 1]) for i in range(len(q))]
    return math.fsum(map(abs, sums)) / (len(q) - 1)
