"""A release rule, run on tables small enough to work out by hand, and against plain Python."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kumobashi.exchange.tokens import destination_key, destination_pads
from kumobashi.release.errors import FindingsRefused, NothingToRelease
from kumobashi.release.releasing import OnFindings, Released, Source, extract, release
from kumobashi.release.rules import ReleaseRule
from kumobashi.storage.duckdb_tables import DuckDBSnapshot
from kumobashi.storage.errors import ColumnMissing, TableMissing

if TYPE_CHECKING:
    import pyarrow as pa

ON = date(2026, 11, 21)
SECRET = bytes(range(32))
TYPES = {
    "residents": "resident_no varchar, household_no varchar, sex varchar, birth_date date,"
    " relationship varchar, town_code varchar, resident_status varchar",
    "tax": "resident_no varchar, exemption_kind varchar",
    "consents": "resident_no varchar, purpose varchar, granted_on date, withdrawn_on date",
    "vaccinations": "resident_no varchar, vaccine_code varchar",
}
COLUMNS: list[dict[str, Any]] = [
    {"name": "token", "op": "token", "of": "resident_no"},
    {"name": "base_date", "op": "base_date"},
    {"name": "sex", "op": "keep", "of": "sex"},
    {"name": "birth_ym", "op": "truncate", "of": "birth_date", "to": "month"},
    {"name": "town_code", "op": "prefix", "of": "town_code", "length": 3},
    {"name": "has_spouse", "op": "has_spouse", "of": "relationship"},
    {"name": "household_ages", "op": "household_ages", "of": "birth_date", "top": 100},
    {"name": "child_yms", "op": "household_birth_months", "of": "birth_date", "under": 18},
    {
        "name": "tax_exempt",
        "op": "flag",
        "dataset": "tax",
        "of": "exemption_kind",
        "one": ["1"],
        "zero": ["0"],
        "absent": 0,
    },
]
Rows = Mapping[str, list[tuple[Any, ...]]]


def rule(**changes: Any) -> ReleaseRule:
    said = {
        "kumobashi": 1,
        "release": "r",
        "version": 1,
        "name": "例",
        "datasets": {name: f"s.{name}" for name in TYPES},
        "subject": {
            "dataset": "residents",
            "key": "resident_no",
            "household": "household_no",
            "only": {"resident_status": ["1"]},
        },
        "consent": {"dataset": "consents", "by": "subject"},
        "columns": COLUMNS,
        "allow_empty": True,
    }
    return ReleaseRule.model_validate({**said, **changes})


@pytest.fixture
def work() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect()
    yield connection
    connection.close()


def run(
    rows: Rows,
    said: ReleaseRule,
    *,
    on: date = ON,
    on_findings: OnFindings = "quarantine",
    secret: bytes | None = SECRET,
) -> tuple[Released, list[dict[str, Any]]]:
    """Release ``rows`` and return what came out with the released rows."""
    source, work = duckdb.connect(), duckdb.connect()
    try:
        for name, types in TYPES.items():
            source.execute(f"create table {name} ({types})")
            if rows.get(name):
                marks = ", ".join("?" * (types.count(",") + 1))
                source.executemany(f"insert into {name} values ({marks})", rows[name])
        reader = DuckDBSnapshot("s", source)
        sources = {name: Source(reader, name) for name in said.datasets}
        read = extract(said, sources, work, purpose="p", on=on)
        pads = destination_pads(secret, "999997", "there")
        released = release(said, work, read, on=on, pads=pads, on_findings=on_findings)
        table: pa.Table = work.sql("from released").to_arrow_table()
        return released, table.to_pylist()
    finally:
        source.close()
        work.close()


def person(
    number: str,
    household: str = "h",
    *,
    sex: str = "1",
    born: date | None = date(1990, 4, 1),
    as_: str = "02",
    town: str = "town1",
    status: str = "1",
) -> tuple[Any, ...]:
    return (number, household, sex, born, as_, town, status)


def consent(number: str, *, withdrawn: date | None = None, given: date = ON) -> tuple[Any, ...]:
    return (number, "p", given, withdrawn)


def all_consent(*numbers: str) -> list[tuple[Any, ...]]:
    return [consent(number) for number in numbers]


def by_token(rows: list[dict[str, Any]], number: str) -> dict[str, Any]:
    token = destination_key(SECRET, "999997", "there").token(number)
    (found,) = [row for row in rows if row["token"] == token]
    return found


# -- one thing at a time ---------------------------------------------------------------------------


def test_tokens_are_those_of_the_destinations_key() -> None:
    rows = {"residents": [person("1"), person("2", "g")], "consents": all_consent("1", "2")}

    _, released = run(rows, rule())

    key = destination_key(SECRET, "999997", "there")
    assert {row["token"] for row in released} == {key.token("1"), key.token("2")}
    assert all(len(row["token"]) == 32 for row in released)
    assert key.token("1") != destination_key(SECRET, "999997", "elsewhere").token("1")
    assert key.token("1") != destination_key(SECRET, "131016", "there").token("1")
    assert key.token("1") != destination_key(bytes(32), "999997", "there").token("1")


@pytest.mark.parametrize(
    ("born", "age"),
    [
        (date(2016, 11, 21), 10),
        (date(2016, 11, 22), 9),
        (date(2016, 11, 20), 10),
        (date(2026, 11, 21), 0),
        (date(2024, 2, 29), 2),
        (date(1926, 11, 21), 100),
        (date(1900, 1, 1), 100),
    ],
)
def test_ages_change_at_the_birthday(born: date, age: int) -> None:
    rows = {"residents": [person("1", born=born)], "consents": all_consent("1")}

    (row,) = run(rows, rule())[1]

    assert row["household_ages"] == [age]
    assert row["birth_ym"] == born.year * 100 + born.month


def test_who_is_eighteen_today_is_no_child_any_more() -> None:
    born = {"1": date(2008, 11, 21), "2": date(2008, 11, 22)}
    rows = {
        "residents": [person(number, born=day, as_="20") for number, day in born.items()],
        "consents": all_consent("1", "2"),
    }

    assert [row["child_yms"] for row in run(rows, rule())[1]] == [[200811], [200811]]
    older = run(rows, rule(), on=ON + timedelta(days=1))[1]
    assert [row["child_yms"] for row in older] == [[], []]


def test_spouses_also_of_those_who_are_no_heads() -> None:
    rows = {
        "residents": [
            person("head", as_="02"),
            person("wife", as_="12"),
            person("son", as_="20"),
            person("his wife", as_="20,12"),
            person("daughter", as_="21"),
            person("mother", as_="52"),
            person("alone", "other", as_="02"),
        ],
        "consents": all_consent("head", "wife", "son", "his wife", "daughter", "mother", "alone"),
    }

    released = run(rows, rule())[1]

    has = {
        number: by_token(released, number)["has_spouse"]
        for number in ("head", "wife", "son", "his wife", "daughter", "mother", "alone")
    }
    assert has == {
        "head": 1,
        "wife": 1,
        "son": 1,
        "his wife": 1,
        "daughter": 0,
        "mother": 0,
        "alone": 0,
    }


def test_flags_of_rows_that_are_there_absent_zero_or_unknown() -> None:
    rows = {
        "residents": [person(number) for number in "abcde"],
        "consents": all_consent(*"abcde"),
        "tax": [("a", "1"), ("b", "0"), ("d", "?"), ("e", None)],
    }

    released, told = run(rows, rule(), on_findings="go_on")
    flags = {number: by_token(told, number)["tax_exempt"] for number in "abcde"}
    assert flags == {"a": 1, "b": 0, "c": 0, "d": None, "e": None}
    assert {(finding.got, finding.rows) for finding in released.findings} == {
        ("?", 1),
        ("(なし)", 1),
    }

    held, told = run(rows, rule(), on_findings="quarantine")
    assert (held.rows, held.quarantined, len(told)) == (3, 2, 3)

    with pytest.raises(FindingsRefused) as refusal:
        run(rows, rule(), on_findings="refuse")
    assert len(refusal.value.findings) == 2


@pytest.mark.parametrize("absent", [0, 1])
def test_a_row_of_nobody_changes_nothing_for_anybody(absent: int) -> None:
    columns = [COLUMNS[0], {**COLUMNS[-1], "absent": absent}]
    rows = {
        "residents": [person(number) for number in "abc"],
        "consents": all_consent(*"abc"),
        "tax": [("a", "1"), ("b", "0"), (None, "1"), (None, "0"), (None, "?"), (None, None)],
    }

    released, told = run(rows, rule(columns=columns), on_findings="quarantine")

    flags = {number: by_token(told, number)["tax_exempt"] for number in "abc"}
    assert flags == {"a": 1, "b": 0, "c": absent}
    assert (released.findings, released.quarantined) == ((), 0)


def test_absent_means_one_where_the_rule_says_so() -> None:
    columns = [COLUMNS[0], {**COLUMNS[-1], "absent": 1}]
    rows = {
        "residents": [person(number) for number in "abc"],
        "consents": all_consent(*"abc"),
        "tax": [("a", "1"), ("b", "0")],
    }

    released = run(rows, rule(columns=columns))[1]

    flags = {number: by_token(released, number)["tax_exempt"] for number in "abc"}
    assert flags == {"a": 1, "b": 0, "c": 1}


@pytest.mark.parametrize(
    ("given_on", "withdrawn", "counts"),
    [
        (ON, None, True),
        (ON + timedelta(days=1), None, False),
        (date(2020, 1, 1), ON, False),
        (date(2020, 1, 1), ON + timedelta(days=1), True),
    ],
)
def test_a_consent_counts_from_its_day_until_it_is_withdrawn(
    given_on: date, withdrawn: date | None, counts: bool
) -> None:
    rows = {
        "residents": [person("1")],
        "consents": [consent("1", given=given_on, withdrawn=withdrawn)],
    }

    released, told = run(rows, rule())

    assert len(told) == int(counts)
    assert released.without_consent == 1 - int(counts)


def test_the_heads_consent_counts_for_the_household() -> None:
    rows = {
        "residents": [
            person("h1", "one", as_="02"),
            person("c1", "one", as_="20"),
            person("h2", "two", as_="02"),
            person("c2", "two", as_="20"),
            person("lost", "three", as_="20"),
        ],
        "consents": all_consent("h1", "c2", "lost"),
    }
    said = rule(consent={"dataset": "consents", "by": "household_head"}, columns=COLUMNS[:1])

    released, told = run(rows, said)

    key = destination_key(SECRET, "999997", "there")
    assert {row["token"] for row in told} == {key.token("h1"), key.token("c1")}
    assert (released.extracted, released.without_consent, released.rows) == (5, 3, 2)


def test_those_who_have_it_already_are_left_out_and_ages_are_a_range() -> None:
    nine, ten = date(2017, 11, 21), date(2016, 11, 21)
    rows = {
        "residents": [
            person("a", born=nine),
            person("b", born=nine),
            person("c", born=ten),
            person("d", born=date(2017, 11, 22)),
            person("e", born=nine, status="2"),
        ],
        "consents": all_consent(*"abcde"),
        "vaccinations": [("b", "je-2"), ("a", "je-1"), (None, "je-2")],
    }
    said = rule(
        columns=COLUMNS[:1],
        subject={
            "dataset": "residents",
            "key": "resident_no",
            "household": "household_no",
            "only": {"resident_status": ["1"]},
            "age": {"from": 9, "to": 9},
            "without": {"dataset": "vaccinations", "where": {"vaccine_code": ["je-2"]}},
        },
    )

    told = run(rows, said)[1]

    assert [row["token"] for row in told] == [destination_key(SECRET, "999997", "there").token("a")]


def test_k_is_counted_over_all_released_columns_but_the_token() -> None:
    columns = [COLUMNS[0], COLUMNS[1], COLUMNS[2], COLUMNS[4]]
    rows = {
        "residents": [
            *(person(f"a{n}", sex="1", town="aaaX") for n in range(7)),
            *(person(f"b{n}", sex="2", town="aaaY") for n in range(4)),
            person("c", sex="2", town="bbb"),
        ],
        "consents": all_consent(*(f"a{n}" for n in range(7)), *(f"b{n}" for n in range(4)), "c"),
    }

    released, _ = run(rows, rule(columns=columns))

    assert (released.smallest_class, released.rows_below_five, released.classes) == (1, 5, 3)


def test_an_empty_extraction_is_refused_unless_it_is_allowed() -> None:
    released, told = run({}, rule())
    assert (released.rows, told) == (0, [])

    with pytest.raises(NothingToRelease):
        run({"residents": [person("1")]}, rule(allow_empty=False))


def test_a_table_or_column_that_is_not_there_is_named(
    work: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    source = duckdb.connect()
    reader = DuckDBSnapshot("s", source)
    sources = {name: Source(reader, name) for name in TYPES}

    with pytest.raises(TableMissing):
        extract(rule(), sources, work, purpose="p", on=ON)
    source.execute("create table residents (resident_no varchar)")
    with pytest.raises(ColumnMissing) as failure:
        extract(rule(), sources, work, purpose="p", on=ON)
    assert failure.value.facts["table"] == "residents"
    source.close()


# -- everything at once, against plain Python ------------------------------------------------------

numbers = st.integers(0, 11).map("r{}".format)
people = st.lists(
    st.builds(
        person,
        numbers,
        st.sampled_from(["h1", "h2", "h3"]),
        sex=st.sampled_from("12"),
        born=st.dates(date(1900, 1, 1), ON),
        as_=st.sampled_from(["02", "12", "11", "20", "20,12", "52", "20,20", "99"]),
        town=st.sampled_from(["aaa1", "aaa2", "bbb1"]),
        status=st.sampled_from("1112"),
    ),
    unique_by=lambda row: row[0],
    max_size=12,
)
taxes = st.lists(
    st.tuples(numbers, st.sampled_from(["0", "1", "?", None])),
    unique_by=lambda row: row[0],
    max_size=12,
)
consents = st.lists(
    st.builds(
        consent,
        numbers,
        given=st.sampled_from([ON - timedelta(days=9), ON, ON + timedelta(days=1)]),
        withdrawn=st.sampled_from([None, None, ON, ON + timedelta(days=1)]),
    ),
    max_size=16,
)


@settings(max_examples=60)
@given(residents=people, tax=taxes, said=consents)
def test_every_row_is_what_plain_python_makes_of_it(
    residents: list[tuple[Any, ...]], tax: list[tuple[Any, ...]], said: list[tuple[Any, ...]]
) -> None:
    released, told = run({"residents": residents, "tax": tax, "consents": said}, rule())

    expected, held, without = in_python(residents, dict(tax), said)
    key = lambda row: row["token"]  # noqa: E731 - read once
    assert sorted(told, key=key) == sorted(expected, key=key)
    assert (released.rows, released.quarantined, released.without_consent) == (
        len(expected),
        held,
        without,
    )
    assert released.extracted == released.rows + released.quarantined + released.without_consent
    classes = Counter(
        tuple(str(value) for name, value in row.items() if name not in {"token", "base_date"})
        for row in expected
    )
    assert released.smallest_class == min(classes.values(), default=0)
    assert released.rows_below_five == sum(count for count in classes.values() if count < 5)


def in_python(
    residents: list[tuple[Any, ...]], tax: dict[str, str | None], said: list[tuple[Any, ...]]
) -> tuple[list[dict[str, Any]], int, int]:
    living = [row for row in residents if row[6] == "1"]
    agreed = {row[0] for row in said if row[2] <= ON and (row[3] is None or row[3] > ON)}
    rows, held, without = [], 0, 0
    for number, household, sex, born, as_, town, _ in living:
        if number not in agreed:
            without += 1
            continue
        if number in tax and tax[number] not in {"0", "1"}:
            held += 1
            continue
        members = [row for row in living if row[1] == household]
        rows.append(
            {
                "token": token_of(number),
                "base_date": ON,
                "sex": sex,
                "birth_ym": born.year * 100 + born.month,
                "town_code": town[:3],
                "has_spouse": int(has_spouse(as_, [row[4] for row in members])),
                "household_ages": sorted(min(age(row[3]), 100) for row in members),
                "child_yms": sorted(
                    row[3].year * 100 + row[3].month for row in members if age(row[3]) < 18
                ),
                "tax_exempt": int(tax.get(number) == "1"),
            }
        )
    return rows, held, without


def age(born: date) -> int:
    return ON.year - born.year - ((ON.month, ON.day) < (born.month, born.day))


def has_spouse(as_: str, household: list[str]) -> bool:
    spouses = {"11", "12", "13", "14"}
    if as_[-2:] in spouses:
        return True
    partners = {
        "02" if len(other) == 2 else other[:-3] for other in household if other[-2:] in spouses
    }
    return as_ in partners


def token_of(number: str) -> str:
    """HMAC by hand, as RFC 2104 has it."""
    key = destination_key(SECRET, "999997", "there").secret.ljust(64, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in key) + number.encode()).digest()
    return hashlib.sha256(bytes(byte ^ 0x5C for byte in key) + inner).hexdigest()[:32]
