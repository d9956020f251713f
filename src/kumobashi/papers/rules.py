"""The rules behind the papers: dated rows with their source, and whether they were verified."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import TypeVar

from kumobashi.papers.errors import PaperRulesMissing
from kumobashi.policy.reading import Dated, Origin, Row, Shelf

OURS = "papers/tables"
REPORTS = ("prompt", "final")
VERDICTS = ("yes", "no", "ask")
D = TypeVar("D", bound=Dated)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockRow:
    """How many days a report may take."""

    report: str
    improper: str  # yes, no, any: whether an improper purpose is feared
    days: int
    warn_days: int  # from this day on it is yellow
    counts_first_day: bool
    ja: str
    en: str
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class ThresholdRow:
    """From how many persons on an incident of a kind must be reported."""

    code: str
    at_least: int
    ja: str
    en: str
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeRow:
    """What is asked for from so many persons on; ``heavy``: many handle it, or it leaked."""

    paper: str
    code: str
    at_least: int
    ordinary_ja: str
    ordinary_en: str
    heavy_ja: str
    heavy_en: str
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportantRow:
    """Whether a kind of change is important, and why."""

    aspect: str
    verdict: str
    ja: str
    en: str
    origin: Origin


def clock_for(report: str, *, improper: str, on: date) -> ClockRow:
    """Return the clock of a report; while nobody knows the purpose, the shorter one runs.

    Raises:
        PaperRulesMissing: no row holds on that day.
    """
    wanted = {"any", "yes" if improper == "yes" else "no"}
    rows = [row for row in _clocks() if row.report == report and row.improper in wanted]
    return _first(rows, on, what=report, table="report_clocks.csv")


def thresholds(on: date) -> tuple[ThresholdRow, ...]:
    """Return the thresholds that hold on a day; raise ``PaperRulesMissing`` when none does."""
    rows = tuple(row for row in _thresholds() if row.origin.holds(on))
    if not rows:
        raise _missing(on, what="thresholds", table="report_thresholds.csv")
    return rows


def size_row(paper: str, persons: int, *, on: date) -> SizeRow:
    """Return what is asked for a number of persons; raise ``PaperRulesMissing``."""
    rows = [row for row in _sizes() if row.paper == paper and row.at_least <= persons]
    rows.sort(key=lambda row: -row.at_least)
    return _first(rows, on, what=paper, table="file_sizes.csv")


def important_row(aspect: str, *, on: date) -> ImportantRow:
    """Return whether a kind of change is important; what no row names is for people to judge."""
    rows = [row for row in _important() if row.aspect == aspect and row.origin.holds(on)]
    rows += [row for row in _important() if row.aspect == "other" and row.origin.holds(on)]
    return _first(rows, on, what=aspect, table="important_changes.csv")


def all_rows() -> dict[str, tuple[Dated, ...]]:
    """Return every table by its file, for those who verify rows."""
    return {
        "report_clocks.csv": _clocks(),
        "report_thresholds.csv": _thresholds(),
        "file_sizes.csv": _sizes(),
        "important_changes.csv": _important(),
    }


def _first(rows: Sequence[D], on: date, *, what: str, table: str) -> D:
    found = next((row for row in rows if row.origin.holds(on)), None)
    if found is None:
        raise _missing(on, what=what, table=table)
    return found


def _missing(on: date, *, what: str, table: str) -> PaperRulesMissing:
    return PaperRulesMissing(day=on.isoformat(), what=what, table=f"{OURS}/{table}")


def _read(file: str, make: Callable[[Row], D]) -> tuple[D, ...]:
    return Shelf(files("kumobashi.papers") / "tables", OURS).rows(file, make)


@cache
def _clocks() -> tuple[ClockRow, ...]:
    return _read(
        "report_clocks.csv",
        lambda row: ClockRow(
            report=row.text("report", REPORTS),
            improper=row.text("improper", ("yes", "no", "any")),
            days=row.count("days"),
            warn_days=row.count("warn_days"),
            counts_first_day=row.says_yes("counts_first_day"),
            ja=row.name("ja"),
            en=row.name("en"),
            origin=row.origin(),
        ),
    )


@cache
def _thresholds() -> tuple[ThresholdRow, ...]:
    return _read(
        "report_thresholds.csv",
        lambda row: ThresholdRow(
            code=row.ident("code"),
            at_least=row.count("at_least"),
            ja=row.name("ja"),
            en=row.name("en"),
            origin=row.origin(),
        ),
    )


@cache
def _sizes() -> tuple[SizeRow, ...]:
    return _read(
        "file_sizes.csv",
        lambda row: SizeRow(
            paper=row.ident("paper"),
            code=row.ident("code"),
            at_least=0 if row.text("at_least") == "0" else row.count("at_least"),
            ordinary_ja=row.name("ordinary_ja"),
            ordinary_en=row.name("ordinary_en"),
            heavy_ja=row.name("heavy_ja"),
            heavy_en=row.name("heavy_en"),
            origin=row.origin(),
        ),
    )


@cache
def _important() -> tuple[ImportantRow, ...]:
    return _read(
        "important_changes.csv",
        lambda row: ImportantRow(
            aspect=row.ident("aspect"),
            verdict=row.text("verdict", VERDICTS),
            ja=row.name("ja"),
            en=row.name("en"),
            origin=row.origin(),
        ),
    )
