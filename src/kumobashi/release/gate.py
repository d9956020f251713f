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
from typing import Any

import duckdb

from kumobashi.release.columns import AnyColumn, Drop
from kumobashi.release.compiling import compile_rule
from kumobashi.release.errors import GateRefused
from kumobashi.release.gates import Gate
from kumobashi.release.ladders import steps
from kumobashi.release.releasing import Released
from kumobashi.release.rules import ReleaseRule
from kumobashi.release.values import value
from kumobashi.risk.counting import read_base
from kumobashi.risk.keeping import keep_classes
from kumobashi.risk.lattice import Base, Ladder
from kumobashi.risk.measures import Measures
from kumobashi.risk.measuring import Population, Sensitive, measure
from kumobashi.risk.searching import Found, search
from kumobashi.risk.thresholds import Thresholds
from kumobashi.storage.counting import count
from kumobashi.storage.tables import quoted

_EVERYBODY = "everybody"
_KEPT = "kept_classes"
_LEVELS = "levels_of_everybody"


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """What the gate let through: the rows are in table ``released``."""

    rule: ReleaseRule  # as coarse as it became
    released: Released
    before: Measures | None  # as the rule says; none: there is nothing to tell people apart by
    after: Measures | None
    levels: Mapping[str, int]  # of the columns that climbed
    suppressed: int  # rows left out because their class was too small

    def told(self) -> dict[str, Any]:
        """Return what people look at afterwards; empty where nothing was measured."""
        if self.before is None:
            return {}
        return {
            "before": _figures(self.before),
            "after": _figures(self.after) if self.after else {},
            "levels": dict(self.levels),
            "suppressed": self.suppressed,
        }


def pass_gate(
    rule: ReleaseRule,
    work: duckdb.DuckDBPyConnection,
    make: Callable[[ReleaseRule], Released],
    *,
    on: date,
) -> Passed:
    """Measure what a rule releases, and make it pass the rule's gate as the gate says.

    ``make`` makes table ``released`` by a rule, with all that is held back already left out: a
    class may become small only by that.

    Raises:
        GateRefused: it reveals more than the gate allows, and may not be made coarser, or cannot.
    """
    released = make(rule)
    gate, names = rule.gate, tuple(column.name for column in rule.having("quasi"))
    if not isinstance(gate, Gate) or released.rows == 0:
        return _unchanged(rule, released, None)
    if not names:
        _require_one_class(gate, released)
        return _unchanged(rule, released, None)
    sensitive = [Sensitive(column=column.name) for column in rule.having("sensitive")]
    thresholds = thresholds_of(gate, [one.column for one in sensitive])
    people = _population(rule, work, gate, on=on)
    before = measure(work, "released", names, sensitive, population=people)
    broken = thresholds.broken(before)
    if not broken:
        return _unchanged(rule, released, before)
    levels: Mapping[str, int] = {}
    if gate.on_fail == "climb":
        found = search(_base(rule, work, sensitive, people, on=on), thresholds)
        if not isinstance(found, Found):
            raise GateRefused(threshold=broken[0].name, limit=broken[0].limit, got=broken[0].got)
        levels = {name: level for name, level in found.levels.items() if level}
        rule = rule.at_levels(levels)
        released = make(rule)
        names = tuple(column.name for column in rule.having("quasi"))
        if not names:
            _require_one_class(gate, released)
            return replace(_unchanged(rule, released, before), after=None, levels=levels)
        people = _population(rule, work, gate, on=on)
    after, suppressed = _leave_out(work, names, thresholds, sensitive, people)
    left = thresholds.broken(after) if after else broken
    if left:
        raise GateRefused(threshold=left[0].name, limit=left[0].limit, got=left[0].got)
    return Passed(
        rule=rule,
        released=replace(released, rows=released.rows - suppressed),
        before=before,
        after=after,
        levels=levels,
        suppressed=suppressed,
    )


def leave_out_again(passed: Passed, work: duckdb.DuckDBPyConnection) -> Passed:
    """Measure what is left after rows were taken from ``released``, and leave small classes out.

    How many rows may be left out in all is for the caller to say.

    Raises:
        GateRefused: what is left tells more than the gate allows.
    """
    gate, rule = gate_of(passed.rule), passed.rule
    sensitive = [Sensitive(column=column.name) for column in rule.having("sensitive")]
    names = tuple(column.name for column in rule.having("quasi"))
    limits = replace(thresholds_of(gate, [one.column for one in sensitive]), max_suppressed=1.0)
    people = Population(relation=_EVERYBODY) if gate.population else None
    after, gone = _leave_out(work, names, limits, sensitive, people)
    if after and (left := limits.broken(after)):
        raise GateRefused(threshold=left[0].name, limit=left[0].limit, got=left[0].got)
    rows = count(work, "select count(*) from released")
    released = replace(passed.released, rows=rows)
    return replace(passed, released=released, after=after, suppressed=passed.suppressed + gone)


def gate_of(rule: ReleaseRule) -> Gate:
    """Return the gate of a rule that has one."""
    if not isinstance(rule.gate, Gate):
        raise TypeError(f"the rule {rule.release} has no gate")
    return rule.gate


def _require_one_class(gate: Gate, released: Released) -> None:
    """Refuse too few rows that nothing tells apart; everybody is in their class, so k is enough."""
    if gate.k is not None and released.rows < gate.k:
        raise GateRefused(threshold="k", limit=gate.k, got=released.rows)


def _figures(found: Measures) -> dict[str, Any]:
    named = ("rows", "classes", "k", "k_map", "unique_share", "prosecutor_max", "journalist_max")
    said = {name: getattr(found, name) for name in named}
    return said | {"l": {column: one.l for column, one in found.sensitive.items()}}


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


def _unchanged(rule: ReleaseRule, released: Released, measures: Measures | None) -> Passed:
    return Passed(
        rule=rule, released=released, before=measures, after=measures, levels={}, suppressed=0
    )


def _leave_out(
    work: duckdb.DuckDBPyConnection,
    names: tuple[str, ...],
    thresholds: Thresholds,
    sensitive: list[Sensitive],
    people: Population | None,
) -> tuple[Measures | None, int]:
    """Leave the rows of small classes out of ``released``; return what is then measured."""
    work.execute(f"drop table if exists {_KEPT}")
    after = keep_classes(
        work, "released", names, thresholds, sensitive, population=people, into=_KEPT
    )
    same = " and ".join(f"k.{quoted(n)} is not distinct from r.{quoted(n)}" for n in names)
    gone = count(
        work,
        f"delete from released as r where not exists (select 1 from {_KEPT} as k where {same})",
    )
    return after, gone


def _population(
    rule: ReleaseRule, work: duckdb.DuckDBPyConnection, gate: Gate, *, on: date
) -> Population | None:
    """Make the view of everybody, as coarse as the rule."""
    if gate.population is None:
        return None
    values = _values(rule, rule.having("quasi"), on)
    work.execute(
        f"create or replace temp view {_EVERYBODY} as select {values} from {_people(rule)}"
    )
    return Population(relation=_EVERYBODY)


def _people(rule: ReleaseRule) -> str:
    """Return the relation of all subjects, chosen or not, with what their columns need."""
    household = quoted(rule.subject.household or "")
    return f"subjects join households using ({household})" if rule.needs_household else "subjects"


def _values(rule: ReleaseRule, columns: tuple[AnyColumn, ...], on: date, suffix: str = "") -> str:
    return ", ".join(
        f"{'null' if isinstance(column, Drop) else value(rule.subject.key, column, on)}"
        f" as {quoted(column.name + suffix)}"
        for column in columns
    )


def _base(
    rule: ReleaseRule,
    work: duckdb.DuckDBPyConnection,
    sensitive: list[Sensitive],
    people: Population | None,
    *,
    on: date,
) -> Base:
    """Count everybody's values at every level of every ladder, once, for the search."""
    key = quoted(rule.subject.key)
    chosen = f"select {key} as key from eligible where {key} not in (select key from faulty)"
    work.execute(f"create or replace temp table chosen as {chosen}")
    ladders = {column.name: steps(column) for column in rule.having("quasi")}
    parts = []
    for level in range(max(map(len, ladders.values()))):
        climbed = rule.at_levels({n: min(level, len(held) - 1) for n, held in ladders.items()})
        made = compile_rule(climbed, on=on)
        for mapping in made.mappings:
            work.execute(mapping)
        if made.household:
            work.execute(made.household)
        new = tuple(held[level] for held in ladders.values() if level < len(held))
        values = _values(rule, new, on, suffix=f"·{level}")
        if level == 0 and sensitive:
            values += ", " + _values(rule, rule.having("sensitive"), on)
        work.execute(
            f"create or replace temp table levels_{level} as"
            f" select {key} as key, {values} from {_people(rule)}"
        )
        parts.append(f"levels_{level}")
    joined = " join ".join([parts[0], *(f"{part} using (key)" for part in parts[1:])])
    work.execute(f"create or replace temp table {_LEVELS} as select * from {joined}")
    work.execute(
        f"create or replace temp view levels_of_chosen as select * from {_LEVELS}"
        " where key in (select key from chosen)"
    )
    try:
        return read_base(
            work,
            "levels_of_chosen",
            [
                Ladder(
                    column=name,
                    levels=tuple(quoted(f"{name}·{level}") for level in range(len(held))),
                )
                for name, held in ladders.items()
            ],
            sensitive,
            population=Population(relation=_LEVELS) if people else None,
        )
    finally:
        work.execute("drop view levels_of_chosen")
        for table in (_LEVELS, *parts, "chosen"):
            work.execute(f"drop table if exists {table}")
