"""The tables that the gate measures: everybody as coarse as the rule, and every level at once."""

from collections.abc import Sequence
from datetime import date

import duckdb

from kumobashi.release.columns import (
    AnyColumn,
    Area,
    HouseholdAges,
    HouseholdBirthMonths,
    HouseholdCounts,
)
from kumobashi.release.compiling import compile_households, households_of
from kumobashi.release.gates import Gate
from kumobashi.release.ladders import at_level, plain, steps
from kumobashi.release.rules import ReleaseRule
from kumobashi.release.staging import SUBJECTS, area_stage, population_stage
from kumobashi.release.values import value
from kumobashi.risk.counting import read_base
from kumobashi.risk.lattice import Base, Ladder
from kumobashi.risk.measuring import Population, Sensitive
from kumobashi.storage.tables import quoted

EVERYBODY = "everybody"
ALIKE = "·alike"  # a column that is the same in every row: nothing tells people apart


def everybody(
    rule: ReleaseRule, work: duckdb.DuckDBPyConnection, gate: Gate, *, on: date
) -> Population | None:
    """Make the view of everybody, as coarse as the rule, which has just been released.

    So what is known of the subjects' households is at hand.
    """
    if gate.population is None:
        return None
    people = population_stage(rule)
    if people != SUBJECTS:
        _households(rule, work, people, on)
    values = _values(rule, rule.having("quasi"), on) or f"0 as {quoted(ALIKE)}"
    work.execute(
        f"create or replace temp view {EVERYBODY} as select {values} from {_people(rule, people)}"
    )
    return Population(relation=EVERYBODY)


def levels_of(
    rule: ReleaseRule,
    work: duckdb.DuckDBPyConnection,
    sensitive: list[Sensitive],
    *,
    on: date,
    with_people: bool,
) -> Base:
    """Count everybody's values at every level of every ladder, once, for the search.

    Uses ``eligible`` and ``faulty``, which ``releasing.prepare`` makes.
    """
    columns = rule.having("quasi")
    people = population_stage(rule) if with_people else SUBJECTS
    places = dict.fromkeys((SUBJECTS, people))
    ladders, made = [], []
    for number, column in enumerate(columns):
        held, name = steps(column), quoted(column.name)
        leaves = f"leaves_of_{number}" if len(held) > 1 else None
        if leaves:
            _make_leaves(rule, work, held, tuple(places), into=leaves, on=on)
            made.append(leaves)
        # That a step follows from the one before is what ladders are checked for.
        ladders.append(
            Ladder(
                column=column.name, levels=(name,), is_told=True, leaves=leaves, height=len(held)
            )
        )
    for stage in places:
        _households(rule, work, stage, on)
        values = [quoted(rule.subject.key), _values(rule, columns, on)]
        values += [_values(rule, rule.having("sensitive"), on)] if stage == SUBJECTS else []
        work.execute(
            f"create or replace temp table finest_of_{stage} as"
            f" select {', '.join(filter(None, values))} from {_people(rule, stage)}"
        )
        made.append(f"finest_of_{stage}")
    key = quoted(rule.subject.key)
    work.execute(
        f"create or replace temp view finest_of_chosen as select * from finest_of_{SUBJECTS}"
        f" where {key} in (select {key} from eligible)"
        f" and {key} not in (select key from faulty where key is not null)"
    )
    try:
        return read_base(
            work,
            "finest_of_chosen",
            ladders,
            sensitive,
            population=Population(relation=f"finest_of_{people}") if with_people else None,
        )
    finally:
        work.execute("drop view finest_of_chosen")
        for table in made:
            work.execute(f"drop table {table}")


def _make_leaves(
    rule: ReleaseRule,
    work: duckdb.DuckDBPyConnection,
    held: Sequence[AnyColumn],
    stages: Sequence[str],
    *,
    into: str,
    on: date,
) -> None:
    """Make a table of a column's finest values, each with what it becomes at every level.

    By a rule that has each level as a column of its own, so that households are formed once, and
    one column after the other, so that no more lists are held than one column needs.
    """
    told = [at_level(held, level) for level in range(len(held))]
    levels = [step for step in told if step is not None]
    alias_mappings(levels, work)
    wide = rule.model_copy(update={"columns": levels, "consent": None})
    sources = []
    for number, stage in enumerate(stages):
        _households(wide, work, stage, on)
        values = ", ".join(
            f"{hashed(step, value(rule.subject.key, step, on)) if step else 'null::varchar'}"
            f" as v{level}"
            for level, step in enumerate(told)
        )
        above = "".join(f", any_value(v{level}) as v{level}" for level in range(1, len(told)))
        source = f"select {values} from {_people(wide, stage)}"
        work.execute(
            f"create or replace temp table {into}_{number} as"
            f" select v0{above} from ({source}) group by v0"
        )
        sources.append(f"{into}_{number}")
    above = "".join(f", any_value(v{level}) as v{level}" for level in range(1, len(told)))
    rows = " union all ".join(f"from {source}" for source in sources)
    work.execute(
        f"create or replace temp table {into} as select v0{above} from ({rows}) group by v0"
    )
    for source in sources:
        work.execute(f"drop table {source}")


def alias_mappings(columns: Sequence[AnyColumn], work: duckdb.DuckDBPyConnection) -> None:
    """Let renamed columns find the mapping that their column has at level 0."""
    for column in columns:
        own = plain(column.name)
        if own != column.name and isinstance(column, Area) and column.mapping:
            first = column.model_copy(update={"name": own})
            work.execute(
                f"create or replace temp view {quoted(area_stage(column) + '_keys')} as"
                f" select * from {quoted(area_stage(first) + '_keys')}"
            )


def _households(rule: ReleaseRule, work: duckdb.DuckDBPyConnection, stage: str, on: date) -> None:
    if made := compile_households(rule, on=on, stage=stage):
        work.execute(made)


def _people(rule: ReleaseRule, stage: str) -> str:
    """Return the relation of all people, chosen or not, with what their columns need."""
    if not rule.needs_household:
        return stage
    household = quoted(rule.subject.household or "")
    return f"{stage} join {households_of(stage)} using ({household})"


def _values(rule: ReleaseRule, columns: tuple[AnyColumn, ...], on: date) -> str:
    return ", ".join(
        f"{hashed(column, value(rule.subject.key, column, on))} as {quoted(column.name)}"
        for column in columns
    )


def hashed(column: AnyColumn, value: str) -> str:
    """Return a value as it is compared: a list as a number, which costs a fraction of the list.

    Of 10^5 different lists two have the same 64 bits with a chance of 10^-10. The hash of an empty
    list is that of NULL, so the length goes into it.
    """
    if isinstance(column, HouseholdAges | HouseholdCounts | HouseholdBirthMonths):
        return f"hash({value}, len({value}))"
    return value
