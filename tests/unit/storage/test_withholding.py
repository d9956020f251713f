"""Whatever is asked of the tables, certain people are not there."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumobashi.storage.duckdb_tables import DuckDBTables
from kumobashi.storage.errors import StoreUnreachable
from kumobashi.storage.tables import Condition, Query, TableReader
from kumobashi.storage.withholding import WithholdingReader, WithholdingTables

NUMBERS = ["0000000001", "0000000002", "0000000012", " 0000000003", "１４", None, "9"]
ROWS = st.lists(
    st.tuples(st.sampled_from(NUMBERS), st.sampled_from(NUMBERS), st.integers(0, 3)), max_size=30
)
COLUMNS = st.lists(
    st.sampled_from(["no", "guardian", "area"]), min_size=1, max_size=3, unique=True
).map(tuple)
WRITTEN = {"1": {"0000000001"}, "002": {"0000000002"}, "3": {" 0000000003"}, "14": {"１４"}}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tables") / "t.duckdb"


def fill(path: Path, rows: Sequence[tuple[object, ...]]) -> None:
    with duckdb.connect(str(path)) as target:
        target.execute("create or replace table people (no varchar, guardian varchar, area int)")
        target.execute("create or replace table areas (area int)")
        target.execute("insert into areas values (0), (1)")
        if rows:
            target.executemany("insert into people values (?, ?, ?)", rows)


@contextmanager
def reading(
    path: Path, people: Sequence[str], keys: tuple[str, ...] = ("no",)
) -> Iterator[TableReader]:
    tables = DuckDBTables("s", path, name="架空のシステム")
    withholding = WithholdingTables(
        tables, keys={"people": keys}, people=lambda _on: pa.array(people, pa.string())
    )
    with withholding.reading(date(2026, 11, 22)) as reader:
        yield reader


def rows_of(reader: TableReader, query: Query) -> list[tuple[object, ...]]:
    with reader.stream(query) as batches:
        table = batches.read_all()
    assert tuple(table.column_names) == query.columns
    return sorted(zip(*(c.to_pylist() for c in table.columns), strict=True), key=str)


@given(
    rows=ROWS,
    columns=COLUMNS,
    areas=st.sets(st.integers(0, 3), min_size=1),
    people=st.sets(st.sampled_from(sorted(WRITTEN))),
    both=st.booleans(),
)
def test_no_query_gives_a_row_of_theirs_and_none_loses_another(
    path: Path,
    rows: list[tuple[str | None, str | None, int]],
    columns: tuple[str, ...],
    areas: set[int],
    people: set[str],
    *,
    both: bool,
) -> None:
    fill(path, rows)
    gone = set().union(*(WRITTEN[one] for one in people))
    keys = ("no", "guardian") if both else ("no",)
    left = [
        row
        for row in rows
        if row[2] in areas and row[0] not in gone and not (both and row[1] in gone)
    ]
    at = {"no": 0, "guardian": 1, "area": 2}
    wanted = sorted((tuple(row[at[c]] for c in columns) for row in left), key=str)
    query = Query("people", columns, (Condition("area", "in", tuple(sorted(areas))),))

    with reading(path, sorted(people), keys) as reader:
        counted = reader.count(query)  # before anything is read
        found = rows_of(reader, query)
        again = reader.count(query)

    assert found == wanted
    assert counted == again == len(wanted)


def test_who_was_left_out_of_a_query_is_told(path: Path) -> None:
    fill(path, [("0000000001", None, 0), ("0000000001", None, 1), ("0000000002", None, 1)])
    query = Query("people", ("area",), (Condition("area", "in", (1,)),))

    with reading(path, ["1"]) as reader:
        assert isinstance(reader, WithholdingReader)
        assert rows_of(reader, query) == [(1,)]
        assert reader.withheld(query).to_pylist() == ["0000000001"]
        assert reader.withheld(Query("areas", ("area",))).to_pylist() == []


def test_tables_without_people_are_given_whole(path: Path) -> None:
    fill(path, [])

    with reading(path, ["1", "0"]) as reader:
        assert rows_of(reader, Query("areas", ("area",))) == [(0,), (1,)]
        assert reader.count(Query("areas", ("area",))) == 2


def test_with_nobody_to_withhold_the_reader_is_the_source_s_own(path: Path) -> None:
    fill(path, [("0000000001", None, 0)])

    with reading(path, []) as reader:
        assert not isinstance(reader, WithholdingReader)


def test_while_it_cannot_be_said_who_they_are_nothing_is_read(path: Path) -> None:
    def away(_on: date | None) -> pa.Array:
        raise StoreUnreachable(system="register", name="x", reason="x", reason_ja="x")

    tables = WithholdingTables(
        DuckDBTables("s", path, name="架空のシステム"), keys={"people": ("no",)}, people=away
    )

    with pytest.raises(StoreUnreachable), tables.reading():
        pytest.fail("it was read")


def test_who_is_only_left_out_is_in_no_list_of_people_to_see_to(path: Path) -> None:
    tables = DuckDBTables("s", path, name="架空のシステム")
    fill(path, [("1", None, 0), ("2", None, 0), ("3", None, 0)])
    left_out = WithholdingTables(
        tables,
        keys={"people": ("no",)},
        people=lambda _on: pa.array(["1", "2"]),
        is_for_people=False,
    )
    both = WithholdingTables(
        left_out, keys={"people": ("no",)}, people=lambda _on: pa.array(["2", "3"])
    )
    query = Query("people", ("no",))

    with both.reading() as reader:
        assert isinstance(reader, WithholdingReader)
        assert rows_of(reader, query) == []
        assert reader.withheld(query).to_pylist() == ["3"]  # of both, the one who may be told of
        assert reader.is_for_people
    with left_out.reading() as reader:
        assert isinstance(reader, WithholdingReader)
        assert reader.count(query) == 1
        assert not reader.is_for_people
