"""How long a run will take: as long as the last ones did, or by a stated rate when none has run.

>>> expected([Past(seconds=3.0, rows=100), Past(seconds=5.0, rows=100)], subjects=None, size=None)
Expected(seconds=4.0, runs=2)
>>> expected([], subjects=400_000, size=0)
Expected(seconds=12.0, runs=0)
>>> expected([], subjects=None, size=None) is None
True
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

# What one gateway on two cores does of ``docs/performance.md``: 400,000 residents in 6 to 11 s with
# everything on one machine. The line is our assumption; no real one has been measured.
SUBJECTS_PER_SECOND = 40_000
FIXED_SECONDS = 2.0
LINE_BYTES_PER_SECOND = 10_000_000 // 8  # 10 Mbit/s
_MOST_RUNS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """One run that came to its end."""

    seconds: float
    rows: int  # that left


@dataclass(frozen=True, slots=True)
class Expected:
    """How long a run should take, and how many runs say so; none: by the stated rate."""

    seconds: float
    runs: int

    @property
    def source_ja(self) -> str:
        """Where the time comes from."""
        if self.runs:
            return f"過去 {self.runs} 回の中央値"
        return f"実績がないため目安: 毎秒 {SUBJECTS_PER_SECOND:,} 人＋回線 10 Mbit/s"

    @property
    def source_en(self) -> str:
        """The same in English."""
        if self.runs:
            return f"median of the last {self.runs} runs"
        return f"no run yet; by {SUBJECTS_PER_SECOND:,} persons a second and a line of 10 Mbit/s"

    @property
    def said_ja(self) -> str:
        """The time and where it comes from."""
        return f"{_spent(self.seconds, ' 秒', ' 分')}（{self.source_ja}）"

    @property
    def said_en(self) -> str:
        """The same in English."""
        return f"{_spent(self.seconds, ' s', ' min')} ({self.source_en})"


def expected(past: Sequence[Past], *, subjects: int | None, size: int | None) -> Expected | None:
    """Return the time to expect; ``None`` when nothing ran and nothing was counted.

    ``subjects`` are persons read at the source, ``size`` the sealed bytes that pass the line.
    """
    if past:
        newest = past[:_MOST_RUNS]
        return Expected(round(median(run.seconds for run in newest), 1), len(newest))
    if subjects is None:
        return None
    seconds = FIXED_SECONDS + subjects / SUBJECTS_PER_SECOND + (size or 0) / LINE_BYTES_PER_SECOND
    return Expected(round(seconds, 1), 0)


def _spent(seconds: float, short: str, long: str) -> str:
    if seconds < 100:  # noqa: PLR2004 - beyond, minutes are read faster
        return f"{seconds:.0f}{short}" if seconds >= 10 else f"{seconds:.1f}{short}"  # noqa: PLR2004
    return f"{seconds / 60:.0f}{long}"
