"""Timings, and what is made of them: medians, extrapolations, ratios. Pure.

>>> slow = Timing(way="soap_row", seconds=2.0, rows=1_000)
>>> fast = Timing(way="ours", seconds=1.0, rows=5_000)
>>> report = figures([slow, fast], residents=5_000)
>>> report["ratio_soap_row"], report["extrapolated"]
(10.0, ['soap_row'])
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

OURS = "ours"
SMALLER_IS_BETTER = {  # ours ÷ theirs
    "same_work": "ratio_same_work",
    "same_work_measured": "ratio_same_work_measured",
    "moving": "ratio_moving",
}
LARGER_IS_BETTER = {  # theirs ÷ ours
    "soap_row": "ratio_soap_row",
    "soap_200": "ratio_soap_200",
    "soap_row_four_at_once": "ratio_soap_row_four_at_once",
    "soap_200_four_at_once": "ratio_soap_200_four_at_once",
    "dlt": "ratio_dlt",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """One run of one way."""

    way: str
    seconds: float
    rows: int  # that it carried
    round: int = 1
    seconds_recorded: float | None = None  # ours: between the times the gateway itself keeps
    stages: Mapping[str, float] = field(default_factory=dict)
    cpu_seconds: Mapping[str, float] = field(default_factory=dict)  # by process
    peak_mib: Mapping[str, float] = field(default_factory=dict)  # ours: by gateway
    load: float = 0.0  # load average when it ended


def seconds_for(timing: Timing, rows: int, preparing: Mapping[int, float] | None = None) -> float:
    """Return what a way would have taken for so many rows, in proportion.

    ``preparing`` are seconds by round: a peer that carries prepared rows must have them first.
    """
    before = (preparing or {}).get(timing.round, 0.0) if timing.way in LARGER_IS_BETTER else 0.0
    return before + timing.seconds * rows / timing.rows


def figures(timings: Sequence[Timing], residents: int) -> dict[str, Any]:
    """Return medians and ratios for the rows that our own way carried."""
    mine = [timing for timing in timings if timing.way == OURS]
    rows = mine[-1].rows
    ours = median(timing.seconds for timing in mine)
    ways = dict.fromkeys(timing.way for timing in timings)
    preparing = {t.round: t.stages["made"] for t in timings if t.way == "same_work" and t.stages}
    medians, fastest, extrapolated = {}, {}, []
    for way in ways:
        runs = [timing for timing in timings if timing.way == way]
        for_all = [seconds_for(timing, rows, preparing) for timing in runs]
        medians[way], fastest[way] = median(for_all), min(for_all)
        if any(timing.rows != rows for timing in runs):
            extrapolated.append(way)
    ratios = {name: ours / medians[way] for way, name in SMALLER_IS_BETTER.items() if way in ways}
    ratios |= {name: medians[way] / ours for way, name in LARGER_IS_BETTER.items() if way in ways}
    return {
        "residents": residents,
        "rows": rows,
        "seconds": _rounded(ours),
        "stages": _median_of(timing.stages for timing in mine),
        **{name: _rounded(ratio) for name, ratio in ratios.items()},
        "median_seconds": _rounded(medians),
        "fastest_seconds": _rounded(fastest),
        "extrapolated": extrapolated,
        "peak_mib": _largest_of(timing.peak_mib for timing in mine),
        "cpu_seconds": {
            way: _median_of(timing.cpu_seconds for timing in timings if timing.way == way)
            for way in ways
        },
        "load": {
            "lowest": min(timing.load for timing in timings),
            "highest": max(timing.load for timing in timings),
        },
        "rounds": [_rounded(asdict(timing)) for timing in timings],
    }


def _median_of(maps: Any) -> dict[str, float]:  # noqa: ANN401 - a generator of mappings
    held = list(maps)
    names = dict.fromkeys(name for one in held for name in one)
    return {name: _rounded(median(one[name] for one in held if name in one)) for name in names}


def _largest_of(maps: Any) -> dict[str, float]:  # noqa: ANN401 - a generator of mappings
    held = list(maps)
    names = dict.fromkeys(name for one in held for name in one)
    return {name: _rounded(max(one[name] for one in held if name in one)) for name in names}


def _rounded(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, Mapping):
        return {name: _rounded(one) for name, one in value.items()}
    return value
