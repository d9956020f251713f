"""A release rule as SQL for the working database (DuckDB), one statement a step.

They read the stages of ``staging`` and the tables ``unclear`` (residents whose code is unknown, by
flag) and ``faulty`` (residents held back for it), and leave ``released``, which is what leaves.
Keys of tokens come as parameters, never in the text.
"""

from dataclasses import dataclass
from datetime import date

from kumobashi.release.rules import (
    BaseDate,
    CampaignCode,
    Column,
    Constant,
    Flag,
    HasSpouse,
    HouseholdAges,
    HouseholdBirthMonths,
    Keep,
    Prefix,
    ReleaseRule,
    Token,
    Truncate,
)
from kumobashi.release.staging import flag_stage
from kumobashi.storage.tables import literal, quoted

# 続柄 11 husband, 12 wife, 13 and 14 the same without registration; chained behind a comma.
_SPOUSES = "('11', '12', '13', '14')"
_HEAD = "'02'"
CAMPAIGN = "campaign_code"  # column of ``eligible`` in a predicate-only release


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """The statements of a rule, in the order they run."""

    household: str | None  # makes table ``households``
    eligible: str  # makes table ``eligible``: key and what the columns need
    unknown_codes: tuple[tuple[Flag, str], ...]  # a flag, and the query giving key and code
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
    'create temp view eligible as select * from subjects'
    """
    return Compiled(
        household=_household(rule, on) if rule.needs_household else None,
        eligible=_eligible(rule, on),
        unknown_codes=tuple(
            (column, _unknown(rule, column)) for column in rule.columns if isinstance(column, Flag)
        ),
        classes=_classes(rule) if any(isinstance(c, Token) for c in rule.columns) else None,
        columns=tuple(column.name for column in rule.columns),
    )


def _age(birth: str, on: date) -> str:
    """Full years at ``on``: whole birthdays passed."""
    name = quoted(birth)
    number = f"(year({name}) * 10000 + month({name}) * 100 + day({name}))"
    return f"(({on:%Y%m%d} - {number}) // 10000)"


def _months(birth: str) -> str:
    return f"(year({quoted(birth)}) * 100 + month({quoted(birth)}))"


def _household(rule: ReleaseRule, on: date) -> str:
    subject = rule.subject
    relationship, key = quoted(subject.relationship), quoted(subject.key)
    household = quoted(subject.household or "")
    facts = [household]
    if rule.needs_head:
        facts.append(f"max(case when {relationship} = {_HEAD} then {key} end) as head")
    for column in rule.columns:
        match column:
            case HasSpouse():
                # Nearly every couple holds the head: a flag costs a fraction of a list of codes.
                facts.append(f"bool_or({relationship} in {_SPOUSES}) as head_has_spouse")
                chained = f"length({relationship}) > 2 and right({relationship}, 2) in {_SPOUSES}"
                facts.append(
                    f"list(left({relationship}, length({relationship}) - 3)) filter ({chained})"
                    " as partners"
                )
            case HouseholdAges(name=name, of=birth, top=top):
                age = f"least({_age(birth, on)}, {top})::utinyint"
                facts.append(
                    f"list_sort(list({age}) filter ({quoted(birth)} is not null))"
                    f" as {quoted('hh_' + name)}"
                )
            case HouseholdBirthMonths(name=name, of=birth, under=under):
                young = f"{_age(birth, on)} < {under}"
                facts.append(
                    f"list_sort(list({_months(birth)}::integer) filter ({young}))"
                    f" as {quoted('hh_' + name)}"
                )
            case _:
                pass
    return (
        f"create temp table households as select {', '.join(dict.fromkeys(facts))}"
        f" from subjects group by {household}"
    )


def _eligible(rule: ReleaseRule, on: date) -> str:
    subject = rule.subject
    key = quoted(subject.key)
    joins, where = "", []
    if rule.needs_household:
        joins = f" join households using ({quoted(subject.household or '')})"
    if subject.age:
        age = _age(subject.birth_date, on)
        where.append(f"{age} between {subject.age.from_} and {subject.age.to}")
    if subject.without:
        where.append(f"{key} not in (select {key} from without_these where {key} is not null)")
    if rule.consent:
        who = key if rule.consent.by == "subject" else "head"
        where.append(f"{who} in (select {key} from consents)")
    conditions = f" where {' and '.join(where)}" if where else ""
    return f"create temp view eligible as select * from subjects{joins}{conditions}"


def _unknown(rule: ReleaseRule, column: Flag) -> str:
    known = ", ".join(literal(code) for code in [*column.one, *column.zero])
    name = quoted(column.of)
    return (
        f"select {quoted(rule.subject.key)} as key, {name}::varchar as code"
        f" from {flag_stage(column)} where {name} is null or {name} not in ({known})"
    )


def compile_released(rule: ReleaseRule, *, on: date, unclear: frozenset[str]) -> str:
    """Return the statement that makes ``released`` from ``eligible`` less ``faulty``.

    ``unclear`` names the flags that have rows in table ``unclear``: these become null there.
    """
    key = quoted(rule.subject.key)
    values = []
    for column in rule.columns:
        value = _value(rule, column, on)
        if column.name in unclear:
            those = f"select key from unclear where flag = {literal(column.name)}"
            value = f"case when {key} not in ({those}) then {value} end"
        values.append(f"{value} as {quoted(column.name)}")
    kept = f" where {key} not in (select key from faulty)" if unclear else ""
    return f"create temp table released as select {', '.join(values)} from eligible{kept}"


def _value(  # noqa: C901, PLR0911 - one case for each operation
    rule: ReleaseRule, column: Column, on: date
) -> str:
    match column:
        case Token(of=source):
            plain = "head" if source == "household_head" else quoted(source)
            inner = f"unhex(sha256($inner || encode({plain})))"
            return f"left(sha256($outer || {inner}), 32)"  # RFC 2104, cut to 128 bits
        case BaseDate():
            return literal(on)
        case Keep(of=source):
            return quoted(source)
        case CampaignCode():
            return CAMPAIGN
        case Constant(value=value):
            return literal(value)
        case Truncate(of=source, to="month"):
            return f"{_months(source)}::integer"
        case Truncate(of=source):
            return f"year({quoted(source)})::smallint"
        case Prefix(of=source, length=length):
            return f"left({quoted(source)}, {length})"
        case HasSpouse(of=source):
            name = quoted(source)
            spouse = (
                f"right({name}, 2) in {_SPOUSES} or ({name} = {_HEAD} and head_has_spouse)"
                f" or list_contains(partners, {name})"
            )
            return f"coalesce({spouse}, false)::smallint"
        case HouseholdAges(name=name):
            return f"coalesce({quoted('hh_' + name)}, [])::smallint[]"
        case HouseholdBirthMonths(name=name):
            return f"coalesce({quoted('hh_' + name)}, []::integer[])"
        case Flag():
            return _flag(rule, column)


def _flag(rule: ReleaseRule, column: Flag) -> str:
    key, stage = quoted(rule.subject.key), flag_stage(column)
    one = ", ".join(map(literal, column.one))
    is_one = f"{key} in (select {key} from {stage} where {quoted(column.of)} in ({one}))"
    if column.absent == 0:
        return f"({is_one})::smallint"
    zero = ", ".join(map(literal, column.zero)) or "null"
    is_zero = f"{key} in (select {key} from {stage} where {quoted(column.of)} in ({zero}))"
    return f"(({is_one}) or not ({is_zero}))::smallint"


def _classes(rule: ReleaseRule) -> str:
    told = [
        quoted(column.name)
        for column in rule.columns
        if not isinstance(column, Token | BaseDate | Constant)
    ]
    group = f" group by {', '.join(told)}" if told else ""
    return (
        "select coalesce(min(n), 0), coalesce(sum(n) filter (n < 5), 0)::bigint, count(*)"
        f" from (select count(*) as n from released{group}) where n > 0"
    )
