"""What a notice may be sent for, judged by how far its coarsened condition is off.

Report 001, verification item (8), calls the outcomes 誤差なし, 許容できない誤差 (only a general
notice of the scheme is fit) and 大きな誤差. Pure: counts in, a verdict out.

>>> judge(Counts(people=400, exact=19, coarsened=31, both=12), min_precision=0.95, min_recall=0.99)
<Verdict.GENERAL: 'general'>
"""

from dataclasses import dataclass
from enum import StrEnum

# 制度案内: at most five people are told for one who is meant, and at least half of those who are
# meant are told. Beyond that it is no notice to a group any more, and a public announcement serves.
GENERAL_PRECISION, GENERAL_RECALL = 0.2, 0.5


class Verdict(StrEnum):
    """判定: what may be sent from coarsened data."""

    PINPOINT = "pinpoint"  # ピンポイント可
    GENERAL = "general"  # 制度案内のみ可
    UNFIT = "unfit"  # 不可


class Error(StrEnum):
    """誤差: how far a coarsened condition is off, in the words of the report."""

    NONE = "none"  # 誤差なし
    SMALL = "small"  # 許容範囲
    UNACCEPTABLE = "unacceptable"  # 許容できない誤差
    LARGE = "large"  # 大きな誤差
    NOBODY = "nobody"  # 対象者が 0 人: an empty list is more often a fault than a fact


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Persons: chosen from, meant, told, and both."""

    people: int
    exact: int
    coarsened: int
    both: int

    @property
    def wrong(self) -> int:
        """Told but not meant (false positives)."""
        return self.coarsened - self.both

    @property
    def missed(self) -> int:
        """Meant but not told (false negatives)."""
        return self.exact - self.both

    @property
    def precision(self) -> float | None:
        """The share of those told who are meant; none when nobody is told."""
        return self.both / self.coarsened if self.coarsened else None

    @property
    def recall(self) -> float | None:
        """The share of those meant who are told; none when nobody is meant."""
        return self.both / self.exact if self.exact else None


def error_of(counts: Counts, *, min_precision: float, min_recall: float) -> Error:
    """Return how far off a coarsened condition is."""
    if counts.precision is None or counts.recall is None:
        # Nobody is meant, or nobody told; where only one of these holds, that is a large error too.
        return Error.NOBODY if counts.exact == 0 else Error.LARGE
    if counts.wrong == counts.missed == 0:
        return Error.NONE
    if counts.precision >= min_precision and counts.recall >= min_recall:
        return Error.SMALL
    if counts.precision >= GENERAL_PRECISION and counts.recall >= GENERAL_RECALL:
        return Error.UNACCEPTABLE
    return Error.LARGE


_VERDICTS = {
    Error.NONE: Verdict.PINPOINT,
    Error.SMALL: Verdict.PINPOINT,
    Error.UNACCEPTABLE: Verdict.GENERAL,
    Error.LARGE: Verdict.UNFIT,
    Error.NOBODY: Verdict.UNFIT,
}


def judge(counts: Counts, *, min_precision: float, min_recall: float) -> Verdict:
    """Return what may be sent."""
    return _VERDICTS[error_of(counts, min_precision=min_precision, min_recall=min_recall)]
