"""Conditions as SQL against the same conditions in plain Python, unknown values included."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from kumobashi.release.campaign_days import Before, day_of, month_number
from kumobashi.release.compiling_conditions import Compiling, Values
from kumobashi.release.conditions import Condition, places
from kumobashi.storage.mistakes import Said

ON = date(2026, 11, 22)
READ: TypeAdapter[Any] = TypeAdapter(Condition)
COLUMNS = {
    "born": "date",
    "kind": "varchar",
    "amount": "integer",
    "flag": "smallint",
    "ym": "integer",
    "yms": "integer[]",
    "ages": "smallint[]",
    "town": "varchar",
    "number": "varchar",
}
Row = dict[str, Any]
Answer = bool | None


@pytest.fixture(scope="module")
def work() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect()
    connection.execute(f"create table rows ({', '.join(f'{c} {t}' for c, t in COLUMNS.items())})")
    yield connection
    connection.close()


def answer(
    work: duckdb.DuckDBPyConnection, said: dict[str, Any], row: Row, *, on: date = ON
) -> Answer:
    values = Values()
    sql = Compiling(on=on, values=values, fact=lambda _: "null").sql(READ.validate_python(said))
    work.execute("delete from rows")
    marks = ", ".join("?" * len(COLUMNS))
    work.execute(f"insert into rows values ({marks})", [row.get(c) for c in COLUMNS])
    found = work.execute(f"select {sql} from rows", values.bound).fetchall()[0][0]
    assert found in {True, False, None}
    return None if found is None else bool(found)


# -- one comparison at a time ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "row", "expected"),
    [
        ({"op": "code", "column": "kind", "one_of": ["1", 2]}, {"kind": "2"}, True),
        ({"op": "code", "column": "kind", "one_of": ["1"]}, {"kind": "9"}, False),
        ({"op": "code", "column": "kind", "one_of": ["1"]}, {"kind": ""}, False),
        ({"op": "code", "column": "kind", "one_of": ["1"]}, {"kind": None}, None),
        ({"op": "code", "column": "amount", "one_of": ["7"]}, {"amount": 7}, True),
        (
            {"op": "code", "column": "kind", "one_of": ["1"], "none_of": ["0"]},
            {"kind": "0"},
            False,
        ),
        ({"op": "code", "column": "kind", "one_of": ["1"], "none_of": ["0"]}, {"kind": "?"}, None),
        ({"op": "code", "column": "kind", "one_of": ["1"], "none_of": ["0"]}, {"kind": ""}, None),
        ({"op": "starts", "column": "town", "one_of": ["9999", "12"]}, {"town": "99990"}, True),
        ({"op": "starts", "column": "town", "one_of": ["%"]}, {"town": "99990"}, False),
        ({"op": "starts", "column": "town", "one_of": ["9"]}, {"town": None}, None),
        ({"op": "flag", "column": "flag", "is": 1}, {"flag": 1}, True),
        ({"op": "flag", "column": "flag", "is": 0}, {"flag": 1}, False),
        ({"op": "flag", "column": "flag", "is": 0}, {"flag": None}, None),
        ({"op": "number", "column": "amount", "from": 3}, {"amount": 3}, True),
        ({"op": "number", "column": "amount", "from": 3, "to": 4}, {"amount": 5}, False),
        ({"op": "days", "column": "born", "to": "2026-11-22"}, {"born": ON}, True),
        ({"op": "days", "column": "born", "to": {"days": 1}}, {"born": ON}, False),
        ({"op": "months", "column": "ym", "to": {"years": 40}}, {"ym": 198611}, True),
        ({"op": "months", "column": "ym", "to": {"years": 40}}, {"ym": 198612}, False),
        (
            {"op": "has_month", "column": "yms", "from": {"years": 9}, "to": {"years": 9}},
            {"yms": [201001, 201711]},
            True,
        ),
        (
            {"op": "has_month", "column": "yms", "from": {"years": 9}, "to": {"years": 9}},
            {"yms": []},
            False,
        ),
        (
            {"op": "has_month", "column": "yms", "from": {"years": 9}, "to": {"years": 9}},
            {"yms": None},
            None,
        ),
        ({"op": "has_age", "column": "ages", "from": 0, "to": 2}, {"ages": [40, 2]}, True),
        ({"op": "has_age", "column": "ages", "from": 0, "to": 2}, {"ages": [40, 3]}, False),
    ],
)
def test_a_comparison_is_true_false_or_unknown(
    work: duckdb.DuckDBPyConnection, said: dict[str, Any], row: Row, expected: Answer
) -> None:
    assert answer(work, said, row) is expected


@pytest.mark.parametrize(
    ("town", "number", "expected"),
    [
        ("9999970001001", "３番１２号", True),
        ("9999970001001", "3番12号", True),
        ("9999970001001", "７番地", True),
        ("9999970001001", "3-12", True),
        ("9999970001001", "３１番１号", False),
        ("9999970001001", "１番３号", False),
        ("9999970001002", "３番１号", False),
        ("9999970001002", None, False),  # another 町丁目, whatever the number
        ("9999970001001", "字山下", None),
        ("9999970001001", None, None),
        (None, "３番１号", None),
        ("9999970002000", "20", True),
    ],
)
def test_parcels_are_found_by_the_number_before_ban(
    work: duckdb.DuckDBPyConnection, town: str | None, number: str | None, expected: Answer
) -> None:
    said = {
        "op": "parcels",
        "town": "town",
        "number": "number",
        "of": {"9999970001001": [3, 7], "9999970002000": [20]},
    }

    assert answer(work, said, {"town": town, "number": number}) is expected


def test_values_of_a_file_never_stand_in_the_text_of_a_statement() -> None:
    nasty = "1') or true --"
    said = {
        "op": "all",
        "of": [
            {"op": "code", "column": "kind", "one_of": [nasty], "none_of": [nasty + "x"]},
            {"op": "starts", "column": "town", "one_of": [nasty]},
        ],
    }
    values = Values()

    sql = Compiling(on=ON, values=values, fact=lambda _: "null").sql(READ.validate_python(said))

    assert nasty not in sql
    assert nasty in values.bound.values()


# -- ages and days ---------------------------------------------------------------------------------

DAYS = st.dates(date(1900, 1, 1), date(2030, 12, 31))


def _age(born: date, on: date) -> int:
    """Whole birthdays passed, by numbers, as release rules count."""
    return (int(f"{on:%Y%m%d}") - int(f"{born:%Y%m%d}")) // 10000


@settings(max_examples=150)
@given(born=DAYS, on=st.dates(date(2020, 1, 1), date(2030, 12, 31)), low=st.integers(0, 110))
@example(born=date(1988, 2, 29), on=date(2028, 2, 28), low=40)
@example(born=date(1988, 2, 29), on=date(2027, 2, 28), low=39)
@example(born=date(1988, 2, 28), on=date(2028, 2, 29), low=40)
def test_ages_are_whole_birthdays_passed(
    work: duckdb.DuckDBPyConnection, born: date, on: date, low: int
) -> None:
    row, age = {"born": born}, _age(born, on)
    at_least = answer(work, {"op": "age", "column": "born", "from": low}, row, on=on)
    at_most = answer(work, {"op": "age", "column": "born", "to": low}, row, on=on)

    assert at_least is (age >= low)
    assert at_most is (age <= low)


def test_by_the_law_a_year_is_full_the_day_before_the_birthday(
    work: duckdb.DuckDBPyConnection,
) -> None:
    said = {"op": "age", "column": "born", "from": 6, "at": "2026-03-31"}
    born = {"born": date(2020, 4, 1)}

    assert answer(work, said, born) is False
    assert answer(work, {**said, "reached": "day_before"}, born) is True
    assert answer(work, {**said, "reached": "day_before"}, {"born": date(2020, 4, 2)}) is False


@pytest.mark.parametrize(
    ("said", "on", "expected"),
    [
        ({}, ON, ON),
        ({"years": 9, "at": "month_start"}, ON, date(2017, 11, 1)),
        ({"years": 9, "at": "month_end"}, date(2029, 2, 10), date(2020, 2, 29)),
        ({"years": 1, "months": 6, "at": "month_start", "days": 7}, ON, date(2025, 4, 24)),
        ({"years": 1, "months": 6, "at": "month_start", "days": -11}, ON, date(2025, 5, 12)),
        ({"months": 1}, date(2026, 3, 31), date(2026, 2, 28)),
        ({"at": "fiscal_year_start"}, date(2027, 3, 31), date(2026, 4, 1)),
        ({"years": 40, "at": "fiscal_year_end"}, ON, date(1987, 3, 31)),
    ],
)
def test_days_before_the_base_date(said: dict[str, Any], on: date, expected: date) -> None:
    assert day_of(Before.model_validate(said), on) == expected


# -- trees against plain Python --------------------------------------------------------------------

_LEAVES = [
    {"op": "code", "column": "kind", "one_of": ["1", "2"], "none_of": ["0"]},
    {"op": "flag", "column": "flag", "is": 1},
    {"op": "number", "column": "amount", "from": 2, "to": 5},
    {"op": "days", "column": "born", "from": "2017-11-01", "to": {"years": 9, "at": "month_end"}},
    {"op": "months", "column": "ym", "from": {"years": 9}, "to": {"years": 9}},
]
TREES = st.recursive(
    st.sampled_from(_LEAVES),
    lambda inner: st.one_of(
        st.builds(
            lambda op, of: {"op": op, "of": of},
            st.sampled_from(["all", "any"]),
            st.lists(inner, min_size=1, max_size=3),
        ),
        st.builds(lambda of: {"op": "not", "of": of}, inner),
    ),
    max_leaves=8,
)
ROWS = st.fixed_dictionaries(
    {
        "kind": st.sampled_from([None, "", "0", "1", "2", "x"]),
        "flag": st.sampled_from([None, 0, 1]),
        "amount": st.sampled_from([None, 1, 2, 5, 6]),
        "born": st.sampled_from([None, date(2017, 10, 31), date(2017, 11, 1), date(2017, 12, 1)]),
        "ym": st.sampled_from([None, 201710, 201711, 201712]),
    }
)


def _in_python(said: dict[str, Any], row: Row) -> Answer:
    match said["op"]:
        case "all":
            parts = [_in_python(part, row) for part in said["of"]]
            return False if False in parts else (None if None in parts else True)
        case "any":
            parts = [_in_python(part, row) for part in said["of"]]
            return True if True in parts else (None if None in parts else False)
        case "not":
            inner = _in_python(said["of"], row)
            return None if inner is None else not inner
        case _:
            value = row[said["column"]]
            return None if value is None else _compared(said, value)


def _compared(said: dict[str, Any], value: Any) -> Answer:
    match said["op"]:
        case "code":
            known: dict[str, bool] = {"1": True, "2": True, "0": False}
            return known.get(value)
        case "flag":
            return bool(value == said["is"])
        case "number":
            return value in range(2, 6)
        case "days":
            return bool(date(2017, 11, 1) <= value <= date(2017, 11, 30))
        case _:
            return bool(value == month_number(ON) - 900)


@settings(max_examples=300)
@given(said=TREES, row=ROWS)
def test_trees_answer_as_kleene_does(
    work: duckdb.DuckDBPyConnection, said: dict[str, Any], row: Row
) -> None:
    assert answer(work, said, row) is _in_python(said, row)


def test_the_places_of_a_tree_name_its_rows() -> None:
    tree = READ.validate_python(
        {
            "op": "any",
            "of": [
                {"op": "has_row", "dataset": "nhi", "where": _LEAVES[0]},
                {"op": "household_has", "where": {"op": "not", "of": _LEAVES[1]}},
            ],
        }
    )

    found = [(place.path, place.dataset, place.leaf.op) for place in places(tree)]

    assert found == [
        (("of", 0, "where"), "nhi", "code"),
        (("of", 1, "where", "of"), None, "flag"),
    ]


# -- what cannot be said ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said",
    [
        {"op": "all", "of": []},
        {"op": "any", "of": []},
        {"op": "code", "column": "kind", "one_of": []},
        {"op": "age", "column": "born"},
        {"op": "age", "column": "born", "from": 10, "to": 9},
        {"op": "days", "column": "born", "from": "2026-01-02", "to": "2026-01-01"},
        {"op": "number", "column": "amount"},
        {"op": "code", "column": "kind", "one_of": ["1"], "none_of": ["1"]},
        {"op": "sql", "text": "1 = 1"},
        {"op": "code", "column": "kind; drop table x", "one_of": ["1"]},
        {"op": "has_row", "dataset": "a", "where": {"op": "has_row", "dataset": "b"}},
        {"op": "flag", "column": "flag", "is": 2},
    ],
)
def test_what_means_everybody_nobody_or_too_much_is_refused(said: dict[str, Any]) -> None:
    with pytest.raises((ValidationError, Said)):
        READ.validate_python(said)


def test_a_range_that_is_empty_on_this_base_date_means_nobody(
    work: duckdb.DuckDBPyConnection,
) -> None:
    said = {"op": "days", "column": "born", "from": {"days": 0}, "to": {"days": 1}}

    assert answer(work, said, {"born": ON}) is False
    assert answer(work, said, {"born": ON - timedelta(days=1)}) is False
