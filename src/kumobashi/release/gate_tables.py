"""The tables that the gate measures: everybody as coarse as the rule, and every level at once."""

from collections.abc import Mapping, Sequence
from datetime import date

import duckdb

from kumobashi.release.columns import (
    AnyColumn,
    Area,
    Drop,
    HouseholdAges,
    HouseholdBirthMonths,
    HouseholdCounts,
)
from kumobashi.release.compiling import compile_households, households_of
from kumobashi.release.gates import Gate
from kumobashi.release.ladders import at, at_level, plain, steps
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
    ladders = {column.name: steps(column) for column in rule.having("quasi")}
    people = population_stage(rule) if with_people else SUBJECTS
    for stage in dict.fromkeys((SUBJECTS, people)):
        _every_level(rule, work, ladders, stage, on=on)
    key = quoted(rule.subject.key)
    work.execute(
        f"create or replace temp view levels_of_chosen as select * from levels_of_{SUBJECTS}"
        f" where key in (select {key} from eligible)"
        " and key not in (select key from faulty where key is not null)"
    )
    try:
        return read_base(
            work,
            "levels_of_chosen",
            [
                Ladder(
                    column=name,
                    levels=tuple(
                        "null::varchar" if isinstance(step, Drop) else quoted(at(name, level))
                        for level, step in enumerate(held)
                    ),
                    is_told=True,  # that is what ladders are checked for when a rule is read
                )
                for name, held in ladders.items()
            ],
            sensitive,
            population=Population(relation=f"levels_of_{people}", is_everybody=people == SUBJECTS)
            if with_people
            else None,
        )
    finally:
        work.execute("drop view levels_of_chosen")
        for table in dict.fromkeys((f"levels_of_{SUBJECTS}", f"levels_of_{people}")):
            work.execute(f"drop table if exists {table}")


def _every_level(
    rule: ReleaseRule,
    work: duckdb.DuckDBPyConnection,
    ladders: Mapping[str, tuple[AnyColumn, ...]],
    stage: str,
    *,
    on: date,
) -> None:
    """Make table ``levels_of_<stage>``: a row a person, a column for each level of each column.

    One rule that has every level as a column of its own, so that households are formed once.
    """
    columns = [
        renamed
        for name, held in ladders.items()
        for level in range(len(held))
        if (renamed := at_level(held, level)) is not None
    ]
    if stage == SUBJECTS:
        columns += rule.having("sensitive")
    alias_mappings(columns, work)
    wide = rule.model_copy(update={"columns": columns})
    _households(wide, work, stage, on)
    values = [
        f"{hashed(column, value(rule.subject.key, column, on))} as {quoted(column.name)}"
        for column in columns
    ]
    key = f"{quoted(rule.subject.key)} as key"
    work.execute(
        f"create or replace temp table levels_of_{stage} as"
        f" select {', '.join([key, *values])} from {_people(wide, stage)}"
    )


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
