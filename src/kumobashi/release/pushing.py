"""A release rule pushed down: the source joins, filters and coarsens, and only who leaves is read.

For data too large to move. The rule's columns become one query (through Ibis, in the dialect of the
source) whose rows stand in the working database as table ``pushed``; ``release`` goes on from there
with ``is_pushed``. What needs a key or is checked row by row is never computed in the source:
tokens, masks, areas and limits of numbers. The source gives what they are made from, and no key of
ours reaches its text, its plan cache or its log.

Needs the optional packages of ``kumobashi[pushdown]``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from kumobashi.release.columns import (
    AnyColumn,
    Area,
    BaseDate,
    Constant,
    Flag,
    HasMember,
    HasSpouse,
    HouseholdAges,
    HouseholdBirthMonths,
    HouseholdCounts,
    Keep,
    Mask,
    Prefix,
    Suppress,
    Token,
    TopBottom,
    Truncate,
)
from kumobashi.release.errors import LedgerNotPushed, PushDownMissing
from kumobashi.release.rules import ReleaseRule
from kumobashi.release.staging import flag_stage
from kumobashi.release.values import HEAD, SPOUSES, pushed_name

Dialect = Literal["postgres", "duckdb", "pyspark"]
Kind = Literal["string", "int64", "date"]
# Made in the gateway: of a key, or row by row with findings.
IN_GATEWAY = Token | Mask | Area | TopBottom
_SPOUSES = [code.strip("' ") for code in SPOUSES.strip("()").split(",")]
_HEAD = HEAD.strip("'")


@dataclass(frozen=True, slots=True)
class SourceTable:
    """A dataset at the source: its table, and what its columns hold."""

    name: str
    kinds: Mapping[str, Kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class PushedDown:
    """Queries in the source's dialect; none holds a key."""

    rows: str  # gives table ``pushed``
    subjects: str  # counts whom the rule is about, before consent
    doubtful: Mapping[str, str]  # by working table: rows of flags whose code is unknown


def push_down(
    rule: ReleaseRule,
    tables: Mapping[str, SourceTable],
    *,
    purpose: str,
    on: date,
    dialect: Dialect = "postgres",
) -> PushedDown:
    """Return the queries for ``rule``; ``tables`` are its datasets by their keys in the rule.

    Raises:
        PushDownMissing: Ibis is not installed.
    """
    push = _Push(rule, tables, purpose, on, _ibis())
    eligible = push.eligible()
    key = rule.subject.key
    wanted = {key: eligible[key]}
    for column in rule.released:
        if isinstance(column, IN_GATEWAY):
            of = "head" if column.of == "household_head" else column.of
            wanted[of] = eligible[of]
        else:
            wanted[pushed_name(column)] = push.value(eligible, column)
    sql = push.ibis.to_sql
    return PushedDown(
        rows=str(sql(eligible.select(**wanted), dialect=dialect)),
        subjects=str(sql(push.subjects().count(), dialect=dialect)),
        doubtful={
            flag_stage(column): str(sql(push.doubtful(eligible, column), dialect=dialect))
            for column in rule.released
            if isinstance(column, Flag)
        },
    )


def _ibis() -> Any:  # noqa: ANN401 - optional, and without annotations of its own
    try:
        import ibis  # noqa: PLC0415 - optional
    except ImportError:
        raise PushDownMissing from None
    return ibis


def _as_number(claim: Any) -> Any:  # noqa: ANN401 - Ibis
    """Return 1 or 0, also where nothing is known; PostgreSQL casts no claim to a small number."""
    return claim.ifelse(1, 0).cast("int16")


@dataclass(frozen=True, slots=True)
class _Push:
    """The expressions of one rule."""

    rule: ReleaseRule
    tables: Mapping[str, SourceTable]
    purpose: str
    on: date
    ibis: Any

    def table(self, dataset: str, only: Mapping[str, Sequence[str | int]]) -> Any:  # noqa: ANN401 - Ibis
        held = self.tables[dataset]
        rows = self.ibis.table(dict(held.kinds), name=held.name)
        for name, codes in only.items():
            rows = rows.filter(rows[name].isin(self.codes(dataset, name, codes)))
        return rows

    def codes(self, dataset: str, column: str, codes: Sequence[str | int]) -> list[str | int]:
        """Return codes as the column holds them."""
        is_text = self.tables[dataset].kinds[column] == "string"
        return [str(code) if is_text else int(code) for code in codes]

    def subjects(self) -> Any:  # noqa: ANN401 - Ibis
        return self.table(self.rule.subject.dataset, self.rule.subject.only)

    def eligible(self) -> Any:  # noqa: ANN401 - Ibis
        rule, subject = self.rule, self.rule.subject
        rows = self.subjects()
        if rule.needs_household:
            rows = rows.join(self.households(rows), subject.household)
        if subject.age:
            age = self.age(rows[subject.birth_date])
            rows = rows.filter(age.between(subject.age.from_, subject.age.to))
        if subject.without:
            these = self.table(subject.without.dataset, subject.without.where)
            these = these.filter(these[subject.key].notnull())
            rows = rows.filter(rows[subject.key].notin(these[subject.key]))
        if rule.consent:
            if rule.consent.dataset is None:
                raise LedgerNotPushed
            given = self.table(rule.consent.dataset, {"purpose": [self.purpose]})
            given = given.filter(
                given.granted_on <= self.ibis.literal(self.on),
                given.withdrawn_on.isnull() | (given.withdrawn_on > self.ibis.literal(self.on)),
            )
            who = rows[subject.key] if rule.consent.by == "subject" else rows["head"]
            rows = rows.filter(who.isin(given[subject.key]))
        return rows

    def households(self, rows: Any) -> Any:  # noqa: ANN401 - Ibis
        subject = self.rule.subject
        facts: dict[str, Any] = {}
        if self.rule.needs_head:
            is_head = rows[subject.relationship] == _HEAD
            facts["head"] = rows[subject.key].max(where=is_head)
        for column in self.rule.released:
            facts |= self.facts(rows, column)
        return rows.group_by(subject.household).aggregate(**facts)

    def facts(self, rows: Any, column: AnyColumn) -> dict[str, Any]:  # noqa: ANN401 - Ibis
        """Return what a column needs to know of its household."""
        match column:
            case HasSpouse():
                code = rows[self.rule.subject.relationship]
                is_chained = (code.length() > 2) & code.right(2).isin(_SPOUSES)  # noqa: PLR2004 - a code
                # Never a negative length, which PostgreSQL refuses even where nobody asks for it.
                partner = code.left(self.ibis.greatest(code.length() - 3, 0))
                return {
                    "head_has_spouse": code.isin(_SPOUSES).any(),
                    "partners": partner.collect(where=is_chained),
                }
            case HouseholdAges(name=name, of=birth, top=top):
                years = self.ibis.least(self.age(rows[birth]), top).cast("int16")
                return {f"hh_{name}": years.collect(where=rows[birth].notnull()).sort()}
            case HouseholdCounts(name=name, of=birth):
                counts = [
                    rows[birth].count(where=self.within(rows[birth], band.first, band.last))
                    for band in column.read
                ]
                return {f"hh_{name}": self.ibis.array([count.cast("int16") for count in counts])}
            case HasMember(name=name, of=birth, from_=low, to=high):
                return {f"hh_{name}": self.within(rows[birth], low, high).any()}
            case HouseholdBirthMonths(name=name, of=birth, under=under, to=to):
                born = rows[birth].year()
                born = born * 100 + rows[birth].month() if to == "month" else born
                is_young = self.age(rows[birth]) < under
                return {f"hh_{name}": born.cast("int32").collect(where=is_young).sort()}
            case _:
                return {}

    def value(self, rows: Any, column: AnyColumn) -> Any:  # noqa: ANN401, PLR0911 - Ibis; by operation
        match column:
            case BaseDate():
                return self.ibis.literal(self.on)
            case Constant(value=same) | Suppress(mark=same):
                return self.ibis.literal(same)
            case Keep(of=of):
                return rows[of]
            case Prefix(of=of, length=length):
                return rows[of].left(length)
            case Truncate():
                return self.truncated(rows[column.of], column.to)
            case HasSpouse(of=of):
                code = rows[of]
                spouse = (
                    code.right(2).isin(_SPOUSES)
                    | ((code == _HEAD) & rows["head_has_spouse"])
                    | rows["partners"].contains(code)
                )
                return _as_number(spouse)
            case HasMember(name=name):
                return _as_number(rows[f"hh_{name}"])
            case HouseholdAges() | HouseholdCounts() | HouseholdBirthMonths():
                return rows[f"hh_{column.name}"]
            case Flag():
                return self.flag(rows, column)
            case _:
                raise AssertionError(f"{column.op} is made in the gateway")

    def flag(self, rows: Any, column: Flag) -> Any:  # noqa: ANN401 - Ibis
        key = self.rule.subject.key
        is_one = rows[key].isin(self.having(column, column.one))
        if column.absent == 0:
            return _as_number(is_one)
        if not column.zero:
            return self.ibis.literal(1).cast("int16")
        return _as_number(is_one | ~rows[key].isin(self.having(column, column.zero)))

    def having(self, column: Flag, codes: Sequence[str | int]) -> Any:  # noqa: ANN401 - Ibis
        """Return the keys of a flag's rows that have one of the codes."""
        held = self.table(column.dataset, column.only)
        listed = held[column.of].isin(self.codes(column.dataset, column.of, codes))
        key = self.rule.subject.key
        return held.filter(listed, held[key].notnull())[key]

    def doubtful(self, eligible: Any, column: Flag) -> Any:  # noqa: ANN401 - Ibis
        key = self.rule.subject.key
        held = self.table(column.dataset, column.only)
        known = self.codes(column.dataset, column.of, [*column.one, *column.zero])
        code = held[column.of]
        rows = held.filter(code.isnull() | code.notin(known), held[key].isin(eligible[key]))
        return rows.select(key, column.of)

    def age(self, birth: Any) -> Any:  # noqa: ANN401 - Ibis
        number = birth.year() * 10_000 + birth.month() * 100 + birth.day()
        today = self.on.year * 10_000 + self.on.month * 100 + self.on.day
        passed = self.ibis.literal(today) - number
        return (passed < 0).ifelse(0, passed // 10_000)

    def within(self, birth: Any, first: int, last: int | None) -> Any:  # noqa: ANN401 - Ibis
        years = self.age(birth)
        inside = birth.notnull() & (years >= first)
        return inside if last is None else inside & (years <= last)

    def truncated(self, born: Any, to: str) -> Any:  # noqa: ANN401 - Ibis
        match to:
            case "month":
                return (born.year() * 100 + born.month()).cast("int32")
            case "year":
                return born.year().cast("int16")
            case "five_years":
                return (born.year() // 5 * 5).cast("int16")
            case _:  # school years; 1 April belongs to the earlier one
                is_early = born.month() * 100 + born.day() < 402  # noqa: PLR2004 - 2 April
                return (born.year() - _as_number(is_early)).cast("int16")
