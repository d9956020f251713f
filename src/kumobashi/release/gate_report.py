"""What the gate measured, what it did about it, and what became of the release: figures alone.

It goes into the facts of a transfer and into the plan, so it holds no row and loads no database.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kumobashi.release.rules import ReleaseRule
    from kumobashi.risk.measures import Measures
    from kumobashi.risk.thresholds import Thresholds

FEW = 5  # who is in a class of fewer rows stands out


class Outcome(StrEnum):
    """What the gate did."""

    PASSED = "passed"  # as the rule says
    LEFT_OUT = "left_out"  # without the rows of small classes
    CLIMBED = "climbed"  # made coarser, and perhaps without some rows
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """Classes of ``least`` to ``most`` rows; no ``most``: of ``least`` and more."""

    least: int
    most: int | None
    classes: int
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What was measured of some rows; shares and risks are between 0 and 1."""

    rows: int
    classes: int
    k: int
    k_map: int | None
    below_five: int  # rows in classes smaller than five
    unique_share: float
    prosecutor_max: float
    prosecutor_average: float
    journalist_max: float | None
    journalist_average: float | None
    marketer: float
    l: Mapping[str, int]  # noqa: E741 - its name in every publication
    t: Mapping[str, float]
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One threshold of the gate, what the rule as written came to, and what leaves comes to."""

    name: str  # "k", "max_journalist", "l: tax_exempt"
    limit: float
    before: float
    is_kept_before: bool
    after: float | None = None  # none: refused, or nothing is left that tells people apart


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What a column says at one level of its ladder."""

    ja: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Climb:
    """A column with a ladder: how high it went."""

    column: str
    level: int
    steps: tuple[Step, ...]  # level 0 is what the rule says


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What a release shows beside earlier ones to the same destination, in rows."""

    against: tuple[str, ...]  # links
    k: int  # that a joint class needs
    smallest: int | None  # joint class of what leaves; none: nobody in it was told of before
    too_small: int  # before anything was left out
    left_out: int
    appeared: int  # that stand out as new since a release of another day
    gone: int  # the same the other way round


@dataclass(frozen=True, slots=True, kw_only=True)
class GateReport:
    """The gate's figures for one release."""

    outcome: Outcome
    columns: tuple[str, ...]  # that a neighbour may know: what classes are made of
    limits: tuple[Limit, ...]
    before: Figures  # as the rule says
    after: Figures | None  # what leaves; none: refused, or nobody is told apart any more
    climbs: tuple[Climb, ...]  # every column with a ladder, climbed or not
    suppressed: int  # rows left out because their class was too small
    names: Mapping[str, str]  # of these columns and the limits', in Japanese
    chosen_on: str  # base date, ISO 8601, of which ``before`` is and on which the levels were found
    differencing: Beside | None = None  # none: there is nothing that it could be laid beside

    @property
    def levels(self) -> dict[str, int]:
        """The levels of the columns that became coarser."""
        return {climb.column: climb.level for climb in self.climbs if climb.level}

    def facts(self) -> dict[str, Any]:
        """Return the report as JSON, for the facts of a transfer."""
        return asdict(self) | {"outcome": self.outcome.value}


def report_of(facts: Mapping[str, Any]) -> GateReport:
    """Return the report that :meth:`GateReport.facts` made."""
    return GateReport(
        outcome=Outcome(facts["outcome"]),
        columns=tuple(facts["columns"]),
        limits=tuple(Limit(**one) for one in facts["limits"]),
        before=_figures_from(facts["before"]),
        after=_figures_from(facts["after"]) if facts["after"] else None,
        climbs=tuple(
            Climb(
                column=one["column"],
                level=one["level"],
                steps=tuple(Step(**step) for step in one["steps"]),
            )
            for one in facts["climbs"]
        ),
        suppressed=facts["suppressed"],
        names=facts["names"],
        chosen_on=facts["chosen_on"],
        differencing=_beside_from(facts.get("differencing")),
    )


def _beside_from(held: Mapping[str, Any] | None) -> Beside | None:
    return Beside(**{**held, "against": tuple(held["against"])}) if held else None


def _figures_from(held: Mapping[str, Any]) -> Figures:
    return Figures(**{**held, "bars": tuple(Bar(**bar) for bar in held["bars"])})


def figures_of(found: "Measures") -> Figures:
    """Return what people look at, of all that was measured."""
    return Figures(
        rows=found.rows,
        classes=found.classes,
        k=found.k,
        k_map=found.k_map,
        below_five=found.rows_below(FEW),
        unique_share=found.unique_share,
        prosecutor_max=found.prosecutor_max,
        prosecutor_average=found.prosecutor_average,
        journalist_max=found.journalist_max,
        journalist_average=found.journalist_average,
        marketer=found.marketer,
        l={column: one.l for column, one in found.sensitive.items()},
        t={column: one.t for column, one in found.sensitive.items()},
        bars=tuple(
            Bar(least=one.least, most=one.most, classes=one.classes, rows=one.rows)
            for one in found.histogram()
            if one.classes
        ),
    )


def limits_of(
    thresholds: "Thresholds", before: "Measures", after: "Measures | None"
) -> tuple[Limit, ...]:
    """Return every threshold with what was measured before the gate and behind it."""
    later = {one.name: one.got for one in thresholds.held(after)} if after else {}
    return tuple(
        Limit(
            name=one.name,
            limit=one.limit,
            before=one.got,
            is_kept_before=one.is_kept,
            after=later.get(one.name),
        )
        for one in thresholds.held(before)
    )


def again(
    earlier: GateReport, thresholds: "Thresholds", after: "Measures", suppressed: int
) -> GateReport:
    """Return the report of what leaves as coarse as it left before."""
    got = {one.name: one.got for one in thresholds.held(after)}
    return replace(
        earlier,
        outcome=Outcome.CLIMBED,
        limits=tuple(replace(one, after=got.get(one.name)) for one in earlier.limits),
        after=figures_of(after),
        suppressed=suppressed,
        differencing=None,
    )


def refused(report: GateReport) -> GateReport:
    """Return the report of what had passed, and does not leave after all."""
    limits = tuple(replace(one, after=None) for one in report.limits)
    return replace(report, outcome=Outcome.REFUSED, limits=limits, after=None)


def climbs_of(rule: "ReleaseRule", levels: Mapping[str, int]) -> tuple[Climb, ...]:
    """Return every column that has a ladder, with the words of each step."""
    from kumobashi.release.ladders import steps  # noqa: PLC0415 - only who measures needs rules
    from kumobashi.release.saying import said  # noqa: PLC0415 - the same

    found = []
    for column in rule.having("quasi"):
        held = steps(column)
        if len(held) > 1:
            words: Sequence[tuple[str, str]] = [said(step) for step in held]
            found.append(
                Climb(
                    column=column.name,
                    level=levels.get(column.name, 0),
                    steps=tuple(Step(ja=ja, en=en) for ja, en in words),
                )
            )
    return tuple(found)
