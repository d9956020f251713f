"""How many questions the rules decide in a second, beside a bare dict and other people's engines.

The table is the fictional linkage sample: 555 answers, each a row of its own. All ways decide the
same questions in turns, and the benchmark fails when they disagree. The floor is a dict that holds
yes for each permitted key: no rows, no reason, no dates. pycasbin and cedarpy take part where they
can be imported, on fewer questions, because they need longer.
"""

import gc
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from importlib.util import find_spec
from statistics import median
from typing import Any

from kumobashi.policy.linkage import answers, load_linkage
from kumobashi.policy.who_may import Ask, MayRow, WhoMay
from kumobashi.testing.bench.errors import ValuesDiffer
from kumobashi.testing.bench.machine import describe, load
from kumobashi.testing.bench.policy_peers import by_casbin, by_cedar

ON = date(2026, 11, 22)
_SEED = 42
Decide = Callable[[Sequence[Ask]], Sequence[bool]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyWish:
    """How much to measure."""

    questions: int = 2_000
    rounds: int = 3
    decisions: int = 1_000_000  # of each way in a round: with few the clock says little
    peer_questions: int = 500


def bench_policy(
    wish: PolicyWish, tell: Callable[[str], None] = lambda _what: None
) -> dict[str, Any]:
    """Decide the same questions in all ways, in turns.

    Raises:
        ValuesDiffer: two ways disagree.
    """
    rows = table()
    asked = questions(rows, wish.questions)
    found: dict[str, Any] = {
        "rows": len(rows),
        "questions": len(asked),
        "rounds": wish.rounds,
        "load_before": load(),
    }
    permitted = frozenset(row.key for row in rows)
    expected = [ask in permitted for ask in asked]
    found["permitted"] = sum(expected)
    times: dict[str, list[float]] = {}
    for _ in range(wish.rounds + 1):  # the first warms up
        for name, (per_round, run) in _ways(rows).items():
            tell(name)
            seconds, decided = run(asked, max(1, wish.decisions // (len(asked) * per_round)))
            if decided != expected:
                raise ValuesDiffer(what=name)
            times.setdefault(name, []).append(seconds)
    found["ways"] = {
        name: {
            "per_second": round(1 / median(held[1:])),
            "fastest_per_second": round(1 / min(held[1:])),
            "nanoseconds": round(median(held[1:]) * 1e9),
        }
        for name, held in times.items()
    }
    floor = found["ways"]["floor"]["per_second"]
    for one in found["ways"].values():
        one["floor_to_this"] = round(floor / one["per_second"], 2)
    found["peers"] = _peers(rows, asked[: wish.peer_questions], expected, tell)
    return {**found, "load_after": load(), "machine": asdict(describe(""))}


def table() -> tuple[MayRow, ...]:
    """Return the 555 rows, all of them in force."""
    return tuple(
        replace(row, origin=replace(row.origin, valid_from=date(2016, 1, 1), valid_to=None))
        for row in answers(load_linkage())
    )


def questions(rows: Sequence[MayRow], count: int) -> list[Ask]:
    """Return questions of which a little more than half are permitted, each its own object."""
    chosen = random.Random(_SEED)
    permitted = {row.key for row in rows}
    made = []
    for _ in range(count):
        ask = Ask(*chosen.choice(rows).key)
        if chosen.random() > 0.56:  # noqa: PLR2004 - as in the facts the figure comes from
            other = chosen.choice(rows).key
            swapped = ask._replace(from_unit=other[0], kind=other[2])
            ask = ask._replace(purpose="affair-of-nobody") if swapped in permitted else swapped
        made.append(Ask(*("".join(list(part)) for part in ask)))  # no string shared with the table
    return made


Way = tuple[int, Callable[[Sequence[Ask], int], tuple[float, list[bool]]]]


def _ways(rows: tuple[MayRow, ...]) -> dict[str, Way]:
    """Return what is measured: how often the questions are one of a round's parts, and the loop."""
    who_may = WhoMay(rows)

    def known(asked: Sequence[Ask], times: int) -> tuple[float, list[bool]]:
        decide = who_may.on(ON).decide
        return _timed(lambda: [(r := decide(a)).is_permitted and bool(r.rows) for a in asked],
                      times, len(asked))  # fmt: skip

    def by_day(asked: Sequence[Ask], times: int) -> tuple[float, list[bool]]:
        on = who_may.on
        return _timed(lambda: [on(ON).decide(a).is_permitted for a in asked], times, len(asked))

    def first(asked: Sequence[Ask], times: int) -> tuple[float, list[bool]]:
        """Decide each question as if it were asked for the first time."""
        look_up = who_may.on(ON).look_up
        return _timed(lambda: [look_up(a).is_permitted for a in asked], times, len(asked))

    def in_words(asked: Sequence[Ask], times: int) -> tuple[float, list[bool]]:
        look_up = who_may.on(ON).look_up
        return _timed(lambda: [bool(r.ja and r.en) and r.is_permitted for r in map(look_up, asked)],
                      times, len(asked))  # fmt: skip

    held = {row.key: True for row in rows}

    def floor(asked: Sequence[Ask], times: int) -> tuple[float, list[bool]]:
        get = held.get
        return _timed(lambda: [get(a, False) for a in asked], times, len(asked))

    return {
        "floor": (1, floor),
        "known": (1, known),
        "by_day": (1, by_day),
        "first": (1, first),
        "in_words": (10, in_words),
    }


def _timed(run: Callable[[], list[bool]], times: int, count: int) -> tuple[float, list[bool]]:
    """Return the processor seconds of one decision, and what was decided."""
    gc.collect()
    gc.disable()
    try:
        began = time.process_time()
        for _ in range(times):
            decided = run()
        passed = time.process_time() - began
    finally:
        gc.enable()
    return passed / (times * count), decided


def _peers(
    rows: Sequence[MayRow],
    asked: Sequence[Ask],
    expected: Sequence[bool],
    tell: Callable[[str], None],
) -> dict[str, Any]:
    """Let other engines decide; one that is not installed is said to be absent."""
    found: dict[str, Any] = {}
    for name, module, make in (
        ("pycasbin", "casbin", by_casbin),
        ("cedarpy", "cedarpy", by_cedar),
    ):
        if find_spec(module) is None:
            found[name] = {"absent": True}
            continue
        tell(name)
        decide: Decide = make(rows)
        decide(asked[:20])
        began = time.process_time()
        decided = decide(asked)
        passed = time.process_time() - began
        if list(decided) != list(expected[: len(asked)]):
            raise ValuesDiffer(what=name)
        found[name] = {"questions": len(asked), "per_second": round(len(asked) / passed)}
    return found
