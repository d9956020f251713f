"""People by how many look like them, before the gate and behind it: what bars are drawn of.

>>> from kumobashi.release.gate_report import Bar
>>> [pair.label[0] for pair in paired((Bar(least=1, most=1, classes=9, rows=9),), None)]
['1人だけ']
"""

from collections.abc import Iterable
from dataclasses import dataclass

from kumobashi.release.gate_report import FEW, Bar, GateReport
from kumobashi.release.gate_words import Said


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """People in groups of ``least`` to ``most``; no ``most``: of ``least`` and more."""

    least: int
    most: int | None
    before: int  # people, not groups
    after: int | None  # none: nothing leaves

    @property
    def is_few(self) -> bool:
        """Whether people in these groups stand out."""
        return self.most is not None and self.most < FEW

    @property
    def label(self) -> Said:
        """How many look alike, themselves among them."""
        if self.most is None:
            return f"{self.least:,}人以上", f"{self.least:,} or more"
        if self.most == 1:
            return "1人だけ", "alone"
        if self.most == self.least:
            return f"{self.least:,}人", f"{self.least:,}"
        return f"{self.least:,}〜{self.most:,}人", f"{self.least:,} to {self.most:,}"


def pairs(report: GateReport) -> tuple[Pair, ...]:
    """Return the pairs of bars that hold anybody, the smallest groups first."""
    return paired(report.before.bars, report.after.bars if report.after else None)


def paired(before: Iterable[Bar], after: Iterable[Bar] | None) -> tuple[Pair, ...]:
    """Put the bars of two measurements beside each other."""
    first = {(bar.least, bar.most): bar.rows for bar in before}
    then = None if after is None else {(bar.least, bar.most): bar.rows for bar in after}
    ends = sorted({*first, *(then or ())}, key=lambda end: end[0])
    return tuple(
        Pair(
            least=least,
            most=most,
            before=first.get((least, most), 0),
            after=None if then is None else then.get((least, most), 0),
        )
        for least, most in ends
    )


def width(rows: int | None, found: Iterable[Pair]) -> int:
    """Return how long a bar is, of 1000 for the longest; whoever is there is seen.

    >>> pair = (Pair(least=1, most=1, before=8000, after=0),)
    >>> width(8000, pair), width(1, pair), width(0, pair), width(None, pair)
    (1000, 4, 0, 0)
    """
    longest = max((max(pair.before, pair.after or 0) for pair in found), default=0)
    if not rows or not longest:
        return 0
    return max(round(1000 * rows / longest), 4)
