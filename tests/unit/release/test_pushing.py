"""A rule computed at the source gives what the gateway gives; no key reaches the source."""

from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kumobashi.release.columns import Drop
from kumobashi.release.ladders import steps
from kumobashi.release.pushing import Kind, PushedDown, SourceTable, push_down
from kumobashi.release.releasing import OnFindings, release
from kumobashi.release.rules import TIES, ReleaseRule
from tests.unit.release.staged import KEY, ON, rule, staged
from tests.unit.release.test_ladders import AREA, AREAS, TALL, people

pytest.importorskip("ibis")
KINDS: Mapping[str, Mapping[str, Kind]] = {
    "residents": {
        "resident_no": "string",
        "household_no": "string",
        "relationship": "string",
        "birth_date": "date",
        "town_code": "string",
        "family_name": "string",
        "income": "int64",
    },
    "tax": {"resident_no": "string", "kind": "string"},
    "areas": {"town_code": "string", "ward": "string", "city": "string"},
    "consents": {
        "resident_no": "string",
        "purpose": "string",
        "granted_on": "date",
        "withdrawn_on": "date",
    },
    "given": {"resident_no": "string", "vaccine": "string"},
}
FLAG: dict[str, Any] = {
    "name": "tax",
    "op": "flag",
    "dataset": "tax",
    "of": "kind",
    "one": ["1"],
    "zero": ["0"],
}
ALL: list[dict[str, Any]] = [
    *TALL,
    FLAG,
    {**FLAG, "name": "untaxed", "absent": 1},
    {"name": "head", "op": "token", "of": "household_head"},
    {"name": "today", "op": "base_date"},
    {"name": "same", "op": "constant", "value": "it's"},
    {"name": "hidden", "op": "suppress", "of": "family_name"},
    {"name": "gone", "op": "drop", "of": "family_name"},
]
WHO: dict[str, Any] = {
    "datasets": {name: f"db.{name}" for name in KINDS},
    "subject": {
        "dataset": "residents",
        "key": "resident_no",
        "household": "household_no",
        "age": {"from": 0, "to": 99},
        "without": {"dataset": "given", "where": {"vaccine": ["je-2"]}},
    },
    "consent": {"dataset": "consents", "by": "subject"},
    "ties": {"service": "s", "channel": "portal"},  # asked in the gateway, whatever is pushed
}
numbers = st.integers(0, 15).map(str)
Rows = dict[str, list[dict[str, Any]]]


def climbed_to(level: int) -> ReleaseRule:
    """Return the rule with every operation, its columns as high as they go undropped."""
    whole = rule(*ALL, **WHO)
    highest = {
        column.name: sum(not isinstance(step, Drop) for step in steps(column)) - 1
        for column in whole.released
    }
    return whole.at_levels({name: min(level, high) for name, high in highest.items()})


@st.composite
def cities(draw: st.DrawFn) -> Rows:
    days = st.sampled_from([date(2020, 1, 1), ON, date(2026, 12, 1)])
    tax = st.fixed_dictionaries(
        {
            "resident_no": st.one_of(numbers, st.none()),
            "kind": st.sampled_from(["0", "1", "1", "0", "?", None]),
        }
    )
    consent = st.fixed_dictionaries(
        {
            "resident_no": numbers,
            "purpose": st.sampled_from(["p", "p", "p", "q"]),
            "granted_on": days,
            "withdrawn_on": st.one_of(st.none(), days),
        }
    )
    given_to = st.fixed_dictionaries(
        {"resident_no": st.one_of(numbers, st.none()), "vaccine": st.sampled_from(["je-1", "je-2"])}
    )
    return {
        "residents": draw(people),
        "tax": draw(st.lists(tax, max_size=12)),
        "areas": AREAS,
        "consents": draw(st.lists(consent, min_size=30, max_size=50)),
        "given": draw(st.lists(given_to, max_size=4)),
        TIES: [
            {"resident_no": number, "high": "0", "low": "0", "reason": "item"}
            for number in sorted(draw(st.sets(numbers, min_size=8)))
        ],
    }


def tables() -> dict[str, SourceTable]:
    return {name: SourceTable(name, kinds) for name, kinds in KINDS.items()}


def expected(said: ReleaseRule, rows: Rows, how: OnFindings) -> tuple[Any, list[tuple[Any, ...]]]:
    """Release in the gateway alone, from what the conditions of the stages let through."""
    consents = [
        row
        for row in rows["consents"]
        if row["purpose"] == "p"
        and row["granted_on"] <= ON
        and (row["withdrawn_on"] is None or row["withdrawn_on"] > ON)
    ]
    given_to = [row for row in rows["given"] if row["vaccine"] == "je-2"]
    with staged(said, **{**rows, "consents": consents, "given": given_to}) as held:
        counts = held.release(on_findings=how)
        return counts, held.work.execute("select * from released").fetchall()


def test_no_key_and_no_token_stands_in_what_the_source_is_asked() -> None:
    made = push_down(rule(*ALL, **WHO), tables(), purpose="p", on=ON)

    text = " ".join([made.rows, made.subjects, *made.doubtful.values()]).lower()
    assert "sha256" not in text
    assert "hmac" not in text
    for pad in (*KEY.hmac_pads(), KEY.secret):
        assert pad.hex() not in text


def run_pushed(
    said: ReleaseRule, made: PushedDown, source: Any, rows: Rows, how: OnFindings
) -> tuple[Any, list[tuple[Any, ...]]]:
    """Let ``source(sql)`` answer with Arrow tables, and finish in the gateway."""
    with duckdb.connect(config={"threads": 1}) as work:
        work.register("arrived", source(made.rows))
        work.execute("create table pushed as select * from arrived")
        for stage, sql in made.doubtful.items():
            work.register("arrived", source(sql))
            work.execute(f"create table {stage} as select * from arrived")
        mapping = [tuple(row.values()) for row in rows["areas"]]
        work.execute("create table area_area (town_code varchar, ward varchar, city varchar)")
        work.executemany("insert into area_area values (?, ?, ?)", mapping)
        work.execute("create table tied (resident_no varchar)")
        tied = [(row["resident_no"],) for row in rows[TIES]]
        work.executemany("insert into tied values (?)", tied)
        (subjects,) = source(made.subjects).column(0).to_pylist()
        counts = release(
            said,
            work,
            {"residents": subjects},
            on=ON,
            pads=KEY.hmac_pads(),
            on_findings=how,
            is_pushed=True,
        )
        return counts, work.execute("select * from released").fetchall()


def same(one: tuple[Any, list[tuple[Any, ...]]], other: tuple[Any, list[tuple[Any, ...]]]) -> None:
    (left, left_rows), (right, right_rows) = one, other
    assert sorted(map(repr, left_rows)) == sorted(map(repr, right_rows))
    assert left.columns == right.columns
    assert set(left.findings) == set(right.findings)
    assert (left.extracted, left.rows, left.quarantined, left.smallest_class) == (
        right.extracted,
        right.rows,
        right.quarantined,
        right.smallest_class,
    )


def sql_types(kind: Kind) -> str:
    return {"string": "varchar", "int64": "bigint", "date": "date"}[kind]


@cache
def pushed_into_duckdb() -> tuple[ReleaseRule, PushedDown]:
    said = rule(*ALL, **WHO)
    return said, push_down(said, tables(), purpose="p", on=ON, dialect="duckdb")


@settings(max_examples=4, deadline=None)
@given(rows=cities(), how=st.sampled_from(["go_on", "quarantine"]))
def test_pushed_into_duckdb_it_is_the_same(rows: Rows, how: OnFindings) -> None:
    said, made = pushed_into_duckdb()
    with duckdb.connect(config={"threads": 1}) as source:
        for name, kinds in KINDS.items():
            columns = ", ".join(f"{column} {sql_types(kind)}" for column, kind in kinds.items())
            source.execute(f"create table {name} ({columns})")
            for row in rows[name]:
                values = [row[column] for column in kinds]
                source.execute(
                    f"insert into {name} values ({', '.join('?' for _ in kinds)})", values
                )
        got = run_pushed(said, made, lambda sql: source.sql(sql).to_arrow_table(), rows, how)

    same(got, expected(said, rows, how))


@pytest.mark.parametrize("dialect", ["postgres", "duckdb", "pyspark"])
def test_every_operation_compiles_for_every_dialect_at_every_level(dialect: Any) -> None:
    said = rule(*ALL, **WHO)

    for level in (0, 2):
        levels = {c["name"]: min(level, len(c.get("ladder", ()))) for c in TALL}
        made = push_down(said.at_levels(levels), tables(), purpose="p", on=ON, dialect=dialect)
        assert made.rows.count("residents") >= 1
    assert AREA in ALL
