"""The gate: what a release reveals is measured before it leaves, and made coarser or refused.

    release → measure → passes?  ─ yes ─→ leaves
                           └ no ─→ leave small classes out, as far as allowed ─→ passes?
                           └ no ─→ climb the ladders, the least that helps   ─→ release again
                           └ no ─→ refuse

Rows are held against all released rows and against the whole population: everybody whom the rule's
subjects are chosen from, with consent or without (``risk``).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from types import MappingProxyType

import duckdb

from kumobashi.release.errors import GateRefused
from kumobashi.release.gate_report import (
    FEW,
    GateReport,
    Outcome,
    again,
    climbs_of,
    figures_of,
    limits_of,
    refused,
)
from kumobashi.release.gate_tables import ALIKE, everybody, hashed, levels_of
from kumobashi.release.gates import Gate
from kumobashi.release.releasing import Released
from kumobashi.release.rules import ReleaseRule
from kumobashi.risk.keeping import keep_classes
from kumobashi.risk.measures import Measures
from kumobashi.risk.measuring import Population, Sensitive, measure
from kumobashi.risk.searching import Found, search
from kumobashi.risk.thresholds import Thresholds
from kumobashi.storage.counting import count
from kumobashi.storage.tables import quoted

_KEPT = "kept_classes"
_MEASURED = "released_to_measure"
_ROW = "·row"


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """What the gate let through: the rows are in table ``released``."""

    rule: ReleaseRule  # as coarse as it became
    released: Released
    report: GateReport | None  # none: the rule has no gate, or nobody is sent


def pass_gate(
    rule: ReleaseRule,
    work: duckdb.DuckDBPyConnection,
    make: Callable[[ReleaseRule], Released],
    *,
    on: date,
    names: Mapping[str, str] = MappingProxyType({}),
    earlier: GateReport | None = None,
) -> Passed:
    """Measure what a rule releases, and make it pass the rule's gate as the gate says.

    ``make`` makes table ``released`` by a rule, with all that is held back already left out: a
    class may become small only by that. ``earlier`` is what the same decision led to before: as
    long as it is enough, the same levels leave again, so that receivers meet no other columns every
    morning and nobody can lay two coarsenings beside each other. ``names`` are the columns in
    Japanese.

    Raises:
        GateRefused: it reveals more than the gate allows, and may not be made coarser, or cannot.
        PopulationSmaller: the population does not hold those who are sent.
    """
    if not isinstance(rule.gate, Gate):
        return Passed(rule=rule, released=make(rule), report=None)
    called = {column.name: names.get(column.name, column.name) for column in rule.released}
    gating = _Gating(rule=rule, gate=rule.gate, work=work, make=make, on=on, names=called)
    return (gating.as_before(earlier) if earlier else None) or gating.passed()


def leave_out_again(
    passed: Passed, work: duckdb.DuckDBPyConnection, *, on: date, taken: int
) -> Passed:
    """Measure what is left after ``taken`` rows were, and leave out what has become small by that.

    How many rows may be left out in all is for the caller to say.

    Raises:
        GateRefused: what is left tells more than the gate allows.
    """
    rule, report = passed.rule, report_in(passed)
    gating = _Gating(
        rule=rule,
        gate=gate_of(rule),
        work=work,
        make=lambda _: passed.released,
        on=on,
        names=report.names,
    )
    return gating.less(passed.released, report, taken)


def gate_of(rule: ReleaseRule) -> Gate:
    """Return the gate of a rule that has one."""
    if not isinstance(rule.gate, Gate):
        raise TypeError(f"the rule {rule.release} has no gate")
    return rule.gate


def report_in(passed: Passed) -> GateReport:
    """Return the report of what was measured."""
    if passed.report is None:
        raise TypeError(f"the rule {passed.rule.release} was not measured")
    return passed.report


@dataclass(frozen=True, slots=True, kw_only=True)
class _Gating:
    """One release at its gate."""

    rule: ReleaseRule
    gate: Gate
    work: duckdb.DuckDBPyConnection
    make: Callable[[ReleaseRule], Released]
    on: date
    names: Mapping[str, str]

    @property
    def sensitive(self) -> list[Sensitive]:
        """What nobody should learn of a person."""
        return [Sensitive(column=column.name) for column in self.rule.having("sensitive")]

    @property
    def thresholds(self) -> Thresholds:
        """The limits of the gate."""
        return thresholds_of(self.gate, [one.column for one in self.sensitive])

    def as_before(self, earlier: GateReport) -> Passed | None:
        """Return what passes at the levels that were chosen before; None: look for others."""
        levels = earlier.levels
        if not levels or climbs_of(self.rule, levels) != earlier.climbs:
            return None
        rule = self.rule.at_levels(levels)
        released = self.make(rule)
        if released.rows == 0:
            return None
        after, suppressed = self._leave_out(*self._look(rule))
        if after is None or self.thresholds.broken(after):
            return None
        return Passed(
            rule=rule,
            released=_counted(replace(released, rows=released.rows - suppressed), after),
            report=again(earlier, self.thresholds, after, suppressed),
        )

    def passed(self) -> Passed:
        """Measure what the rule says, and do what the gate says."""
        released = self.make(self.rule)
        if released.rows == 0:
            return Passed(rule=self.rule, released=released, report=None)
        names, people = self._look(self.rule)
        before = measure(self.work, _MEASURED, names, self.sensitive, population=people)
        if not self.thresholds.broken(before):
            return Passed(
                rule=self.rule,
                released=_counted(released, before),
                report=self._report(before, before),
            )
        levels = self._climb(before, people)
        rule = self.rule.at_levels(levels)
        if levels:
            released = self.make(rule)
            names, people = self._look(rule)
        after, suppressed = self._leave_out(names, people)
        if after is None or self.thresholds.broken(after):
            raise self._refused(before, after)
        return Passed(
            rule=rule,
            released=_counted(replace(released, rows=released.rows - suppressed), after),
            report=self._report(before, after, levels, suppressed),
        )

    def less(self, released: Released, report: GateReport, taken: int) -> Passed:
        """Return what is left of what had passed, without what has become small."""
        after, gone = self._leave_out(*self._look(self.rule))
        rows = count(self.work, "select count(*) from released") if after else 0
        released = replace(released, rows=rows)
        suppressed = report.suppressed + taken + gone
        if after is None:
            return Passed(
                rule=self.rule,
                released=released,
                report=replace(report, after=None, suppressed=suppressed),
            )
        after = replace(after, suppressed=suppressed)
        broken = [one for one in self.thresholds.broken(after) if one.name != "max_suppressed"]
        if broken:
            raise GateRefused(
                threshold=broken[0].name,
                limit=_plain(broken[0].limit),
                got=_plain(broken[0].got),
                report=refused(report),
            )
        outcome = Outcome.LEFT_OUT if report.outcome is Outcome.PASSED else report.outcome
        found = again(report, self.thresholds, after, suppressed)
        return Passed(
            rule=self.rule,
            released=_counted(released, after),
            report=replace(found, outcome=outcome),
        )

    def _climb(self, before: Measures, people: Population | None) -> Mapping[str, int]:
        """Return the levels of the columns that have to climb.

        Raises:
            GateRefused: the top of the ladders is not coarse enough.
        """
        if self.gate.on_fail != "climb":
            return {}
        base = levels_of(
            self.rule, self.work, self.sensitive, on=self.on, with_people=people is not None
        )
        found = search(base, self.thresholds)
        if not isinstance(found, Found):
            raise self._refused(before, None)
        return {name: level for name, level in found.levels.items() if level}

    def _look(self, rule: ReleaseRule) -> tuple[tuple[str, ...], Population | None]:
        """Make what is measured of ``released``; return what tells people apart, and everybody."""
        columns = rule.having("quasi")
        names = tuple(column.name for column in columns)
        told = [f"{hashed(c, quoted(c.name))} as {quoted(c.name)}" for c in columns]
        told += [quoted(one.column) for one in self.sensitive]
        told += [f"rowid as {quoted(_ROW)}", *([] if names else [f"0 as {quoted(ALIKE)}"])]
        self.work.execute(
            f"create or replace temp view {_MEASURED} as select {', '.join(told)} from released"
        )
        return names or (ALIKE,), everybody(rule, self.work, self.gate, on=self.on)

    def _leave_out(
        self, names: tuple[str, ...], people: Population | None
    ) -> tuple[Measures | None, int]:
        """Leave the rows of small classes out of ``released``; return what is then measured."""
        self.work.execute(f"drop table if exists {_KEPT}")
        after = keep_classes(
            self.work,
            _MEASURED,
            names,
            self.thresholds,
            self.sensitive,
            population=people,
            into=_KEPT,
        )
        if after is not None and after.suppressed == 0:
            return after, 0
        if names == (ALIKE,):  # one class, and it is too small
            return None, 0
        same = " and ".join(f"k.{quoted(n)} is not distinct from m.{quoted(n)}" for n in names)
        gone = count(
            self.work,
            f"delete from released where rowid in (select {quoted(_ROW)} from {_MEASURED} as m"
            f" where not exists (select 1 from {_KEPT} as k where {same}))",
        )
        return after, gone

    def _refused(self, before: Measures, after: Measures | None) -> GateRefused:
        """Return the refusal, with the first limit that is not kept."""
        broken = self.thresholds.broken(before)
        if after is not None:
            broken = self.thresholds.broken(after) or broken
        first = broken[0]
        return GateRefused(
            threshold=first.name,
            limit=_plain(first.limit),
            got=_plain(first.got),
            report=self._report(before, None),
        )

    def _report(
        self,
        before: Measures,
        after: Measures | None,
        levels: Mapping[str, int] = MappingProxyType({}),
        suppressed: int = 0,
    ) -> GateReport:
        left_out = Outcome.LEFT_OUT if suppressed else Outcome.PASSED
        outcome = Outcome.CLIMBED if levels else left_out
        return GateReport(
            outcome=outcome if after else Outcome.REFUSED,
            columns=tuple(column.name for column in self.rule.having("quasi")),
            limits=limits_of(self.thresholds, before, after),
            before=figures_of(before),
            after=figures_of(after) if after else None,
            climbs=climbs_of(self.rule, levels),
            suppressed=suppressed,
            names=self.names,
            chosen_on=self.on.isoformat(),
        )


def _counted(released: Released, found: Measures) -> Released:
    """Return the counts with what was measured of those who leave."""
    return replace(
        released,
        smallest_class=found.k,
        rows_below_five=found.rows_below(FEW),
        classes=found.classes,
    )


def _plain(number: float) -> str:
    """Return a number as people write it.

    >>> _plain(5), _plain(5.0), _plain(0.123456), _plain(1 / 3000)
    ('5', '5', '0.123', '0.000333')
    """
    return f"{number:,.0f}" if number == int(number) else f"{number:.3g}"


def thresholds_of(gate: Gate, sensitive: list[str]) -> Thresholds:
    """Return the limits that a gate sets; ``t`` is for every sensitive column."""
    return Thresholds(
        k=gate.k,
        k_map=gate.k_map,
        l=gate.l_diversity,
        t={} if gate.t is None else dict.fromkeys(sensitive, gate.t),
        max_prosecutor=gate.max_prosecutor,
        max_journalist=gate.max_journalist,
        max_marketer=gate.max_marketer,
        max_unique_share=gate.max_unique_share,
        max_suppressed=gate.max_suppressed,
    )
