"""A release rule as SQL for the working database (DuckDB), one statement a step.

They read the stages of ``staging`` and the tables ``unclear`` (residents with a value that cannot
be worked out, by column) and ``faulty`` (residents held back for it), and leave ``released``, which
is what leaves. They can be run again in the same database, for the same rule at other levels.
"""

from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from kumobashi.release.area_columns import AREA_LEVELS
from kumobashi.release.columns import (
    Area,
    BaseDate,
    Constant,
    Flag,
    Suppress,
    Token,
    TopBottom,
)
from kumobashi.release.gates import Gate
from kumobashi.release.rules import ReleaseRule
from kumobashi.release.staging import SUBJECTS, TIED, area_stage, flag_stage
from kumobashi.release.values import HEAD, age, doubt, household_facts, pushed_value, value
from kumobashi.storage.tables import literal, quoted


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """What cannot be worked out of a column: a query of key and value, and whose item it is."""

    column: str
    item: str  # "tax.exemption_kind"
    query: str  # key, code
    finding: str  # code of the finding
    expected: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Climb:
    """A query for the areas of a mapping that lie in two areas of the next level: none may."""

    dataset: str
    level: str
    above: str
    query: str  # one number


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """The statements of a rule, in the order they run."""

    mappings: tuple[str, ...]  # make tables ``area_<column>_keys``
    climbs: tuple[Climb, ...]
    household: str | None  # makes table ``households``
    eligible: str  # makes table ``eligible``: key and what the columns need
    doubts: tuple[Doubt, ...]
    classes: str | None  # query: smallest class, rows in classes below five, number of classes
    columns: tuple[str, ...]


def compile_rule(rule: ReleaseRule, *, on: date) -> Compiled:
    """Return the statements for ``rule`` at the base date ``on``.

    >>> rule = ReleaseRule.model_validate(
    ...     {
    ...         "kumobashi": 1,
    ...         "release": "r",
    ...         "version": 1,
    ...         "name": "例",
    ...         "datasets": {"residents": "integrated-db.residents"},
    ...         "subject": {"dataset": "residents", "key": "resident_no"},
    ...         "columns": [{"name": "ym", "op": "truncate", "of": "birth_date", "to": "year"}],
    ...     }
    ... )
    >>> compile_rule(rule, on=date(2026, 11, 1)).eligible
    'create or replace temp view eligible as select * from subjects'
    """
    areas = [column for column in rule.columns if isinstance(column, Area) and column.mapping]
    return Compiled(
        mappings=tuple(map(_keys, areas)),
        climbs=tuple(climb for column in areas for climb in _climbs(column)),
        household=compile_households(rule, on=on),
        eligible=_eligible(rule, on),
        doubts=_doubts(rule),
        classes=_classes(rule)
        if any(isinstance(c, Token) for c in rule.columns) and not isinstance(rule.gate, Gate)
        else None,  # the gate counts them once it has done what it does
        columns=tuple(column.name for column in rule.released),
    )


def compile_released(
    rule: ReleaseRule, *, on: date, unclear: frozenset[str], is_pushed: bool = False
) -> str:
    """Return the statement that makes ``released`` from ``eligible`` less ``faulty``.

    ``unclear`` names the columns that have rows in table ``unclear``: these become null there.
    """
    key = quoted(rule.subject.key)
    values = []
    for column in rule.released:
        made = (pushed_value if is_pushed else value)(rule.subject.key, column, on)
        if column.name in unclear:
            those = f"select key from unclear where item = {literal(column.name)}"
            made = f"case when {key} not in ({those}) then {made} end"
        values.append(f"{made} as {quoted(column.name)}")
    kept = f" where {key} not in (select key from faulty)" if unclear else ""
    return (
        f"create or replace temp table released as select {', '.join(values)} from eligible{kept}"
    )


def households_of(stage: str) -> str:
    """Return the table of the households of a stage's people."""
    return "households" if stage == SUBJECTS else f"households_of_{stage}"


def compile_households(rule: ReleaseRule, *, on: date, stage: str = SUBJECTS) -> str | None:
    """Return the statement that makes what is known of households; None: nothing is needed."""
    if not rule.needs_household:
        return None
    subject = rule.subject
    relationship, key = quoted(subject.relationship), quoted(subject.key)
    household = quoted(subject.household or "")
    facts = [household]
    if rule.needs_head:
        facts.append(f"max(case when {relationship} = {HEAD} then {key} end) as head")
    for column in rule.columns:
        facts += household_facts(column, relationship, on)
    return (
        f"create or replace temp table {households_of(stage)} as"
        f" select {', '.join(dict.fromkeys(facts))} from {stage} group by {household}"
    )


def _eligible(rule: ReleaseRule, on: date) -> str:
    subject = rule.subject
    key = quoted(subject.key)
    joins, where = "", []
    if rule.needs_household:
        joins = f" join households using ({quoted(subject.household or '')})"
    if subject.age:
        years = age(subject.birth_date, on)
        where.append(f"{years} between {subject.age.from_} and {subject.age.to}")
    if subject.without:
        where.append(f"{key} not in (select {key} from without_these where {key} is not null)")
    if rule.consent:
        who = key if rule.consent.by == "subject" else "head"
        where.append(f"{who} in (select {key} from consents)")
    if rule.ties:
        where.append(f"{key} in (select {key} from {TIED})")
    conditions = f" where {' and '.join(where)}" if where else ""
    return f"create or replace temp view eligible as select * from subjects{joins}{conditions}"


def _doubts(rule: ReleaseRule) -> tuple[Doubt, ...]:
    key, found = quoted(rule.subject.key), []
    for column in rule.released:
        if isinstance(column, Flag):
            known = ", ".join(literal(code) for code in [*column.one, *column.zero])
            name = quoted(column.of)
            found.append(
                Doubt(
                    column=column.name,
                    item=f"{column.dataset}.{column.of}",
                    query=f"select {key} as key, {name}::varchar as code from {flag_stage(column)}"
                    f" where {name} is null or {name} not in ({known})",
                    finding="finding.unknown_code",
                    expected="コード表にある値",
                )
            )
        elif isinstance(column, Area | TopBottom):
            is_area, name = isinstance(column, Area), quoted(column.of)
            # A code of a town is no person's; a number that is none may be anything: not repeated.
            got = f"{name}::varchar" if is_area else "'(数ではない値)'"
            found.append(
                Doubt(
                    column=column.name,
                    item=f"{rule.subject.dataset}.{column.of}",
                    query=f"select {key} as key, {got} as code from eligible where {doubt(column)}",
                    finding="finding.area_unknown" if is_area else "finding.not_a_number",
                    expected="地域が決まる住所コード" if is_area else "整数",
                )
            )
    return tuple(found)


def _keys(column: Area) -> str:
    """Return the statement for the distinct rows of a mapping, by the key that is looked up."""
    mapping = column.mapping
    if mapping is None:
        raise AssertionError("no mapping")
    named = ", ".join(f"{quoted(name)}::varchar as {quoted(name)}" for name in mapping.to.values())
    key, stage = f"{quoted(mapping.key)}::varchar", area_stage(column)
    return (
        f"create or replace temp table {stage}_keys as select distinct {key} as key, {named}"
        f" from {stage} where {key} is not null"
    )


def _climbs(column: Area) -> list[Climb]:
    """Return what must hold of a mapping: a code is in one area, an area in one of the next."""
    mapping = column.mapping
    if mapping is None:
        return []
    levels = [("key", "key")]
    for level in AREA_LEVELS:
        if level in mapping.to:
            levels.append((level, quoted(mapping.to[level])))
        elif level in column.lengths and column.is_above_mapped(level):
            levels.append((level, f"left(key, {column.lengths[level]})"))
    stage = f"{area_stage(column)}_keys"
    return [
        Climb(
            dataset=mapping.dataset,
            level=mapping.key if level == "key" else level,
            above=above,
            query=f"select count(*) from (select {area} from {stage} where {area} is not null"
            f" group by {area} having count(distinct {wider}) > 1)",
        )
        for (level, area), (above, wider) in pairwise(levels)
    ]


def _classes(rule: ReleaseRule) -> str:
    told = [
        quoted(column.name)
        for column in rule.released
        if not isinstance(column, Token | BaseDate | Constant | Suppress)
    ]
    group = f" group by {', '.join(told)}" if told else ""
    return (
        "select coalesce(min(n), 0), coalesce(sum(n) filter (n < 5), 0)::bigint, count(*)"
        f" from (select count(*) as n from released{group}) where n > 0"
    )
