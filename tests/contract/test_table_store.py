"""What every store of tables must keep to: embedded file, PostgreSQL, files, a cloud of jobs.

A folder cannot tell an empty text from none, and its file is looked into with Python's own reader.
"""

import csv
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kumobashi.catalogue.fields import Field, Layout
from kumobashi.catalogue.items import FieldType
from kumobashi.conversion.dropping import FileName
from kumobashi.conversion.folder_reading import FileTable
from kumobashi.conversion.folder_tables import FolderTables
from kumobashi.conversion.jobs.jobs_tables import JobsTables
from kumobashi.conversion.remote.places import RemotePlace
from kumobashi.conversion.remote.remote_tables import RemoteTables, Rooms, Rules
from kumobashi.conversion.taking import DropFolder
from kumobashi.kernel import KumobashiError, new_id
from kumobashi.storage.duckdb_tables import DuckDBTables
from kumobashi.storage.errors import (
    BaseMissing,
    LoadIncomplete,
    LoadSuperseded,
    StoreUnreachable,
    TableMissing,
)
from kumobashi.storage.postgresql_tables import PostgreSQLTables
from kumobashi.storage.tables import ColumnSpec, Condition, Load, Query, TableStore
from kumobashi.testing.faults.tables import ask_duckdb, ask_postgresql
from kumobashi.testing.jobs_cloud.running import RunningCloud
from kumobashi.testing.town import run_postgresql
from tests.contract.jobs_target import JobsTarget, cloud_of
from tests.contract.states import States
from tests.peers.file_server import FileServer, file_server
from tests.peers.object_storage import Storage, seaweedfs

pytestmark = [pytest.mark.slow, pytest.mark.postgres]
Ask = Callable[[str], list[tuple[Any, ...]]]
COLUMNS = (
    ColumnSpec("key", "text", 40),
    ColumnSpec("name", "text", 50),
    ColumnSpec("born", "date"),
    ColumnSpec("ym", "integer", 6),
    ColumnSpec("ages", "integers", 3),
)
TYPES = "key varchar, name varchar, born date, ym integer, ages smallint[]"
Row = tuple[str, str | None, date | None, int | None, list[int] | None]
ROW: Row = ("k", "髙橋", date(1990, 2, 28), 199002, [1, 36])
SPECIAL = [
    "",
    None,
    "NULL",
    "\\N",
    "\\.",
    "a\n\\.\nb",
    '"',
    'a"b""c',
    "a,b",
    "a\r\nb",
    "\t",
    " leading and trailing ",
    "\\",
    "𠮷野家",
    "辻\U000e0100",
    "＇",
    "'; drop table t; --",
    "{1,2}",
    "ﾊﾝｶｸ",
    "\x01\x1f\x7f",
]


@pytest.fixture(scope="module")
def dsn(stores: States) -> str:
    return stores.server


_FIELD_TYPES: dict[str, FieldType] = {
    "text": "N",
    "integer": "S9",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "integers": "LIST9",
}


def layout_of(columns: tuple[ColumnSpec, ...]) -> Layout:
    """Return a layout whose columns are these."""
    fields = tuple(
        Field(
            name=column.name,
            ja=f"項目 {column.name}",
            item_id=None,
            type=_FIELD_TYPES[column.kind],
            digits=column.digits,
            code_list=None,
            required=False,
            sensitivity="personal",
        )
        for column in columns
    )
    return Layout(
        layout="some",
        version="1",
        ja="ある形",
        fields=fields,
        key=("key",),
        valid_from=date(2026, 4, 1),
        valid_to=None,
        source="試験",
        own_shape=True,
    )


class Target:
    """One empty store, and a way to look into it that is not the store's own."""

    def __init__(
        self,
        kind: str,
        folder: Path,
        dsn: str,
        place: RemotePlace | None = None,
        cloud: RunningCloud | None = None,
    ) -> None:
        self.store: TableStore
        self.ask: Ask
        self.run: Callable[..., None]
        if kind == "duckdb":
            path = folder / f"{new_id()}.duckdb"
            self.store = DuckDBTables("there", path)
            self.ask = lambda query: ask_duckdb(path, query)
            self.run = lambda *statements: _run(path, *statements)
        elif kind in {"folder", "s3", "sftp"}:
            self.folder, private = folder / new_id(), folder / f"{new_id()}.files"
            self.folder.mkdir()
            private.mkdir()
            self.place = place
            files = files_of(every_table())
            rooms = Rooms(private=private, inbox=private / "inbox", outbox=private / "outbox")

            def local(room: Path) -> FolderTables:
                drop = DropFolder(
                    system="there", name="あちら", folder=room, kept=private / "taken",
                    quiet_seconds=0.2 if place is None else 0.0,
                )  # fmt: skip
                return FolderTables(drop, files, private=private)

            self.store = local(self.folder)
            if place is not None:
                self.store = RemoteTables(
                    place,
                    reader=local(rooms.inbox),
                    writer=local(rooms.outbox),
                    rooms=rooms,
                    rules=Rules(
                        patterns=[FileName(file.pattern) for file in files.values()],
                        quiet_seconds=0.0,
                    ),
                )
            state = private / "applied.duckdb"
            self.ask = lambda query: ask_duckdb(state, query)
            self.run = lambda *statements: _run(state, *statements)
        elif cloud is not None:
            tables = every_table()
            self.jobs = JobsTarget(cloud, folder / f"{new_id()}.jobs", tables, files_of(tables))
            self.store, self.ask, self.run = self.jobs.store, self.jobs.ask, self.jobs.run
        else:
            schema = f"s{new_id().replace('-', '')}"
            run_postgresql(dsn, f"create schema {schema}")
            self.store = PostgreSQLTables("there", dsn, schema)
            front = f"set search_path to {schema}"
            self.ask = lambda query: ask_postgresql(dsn, query, front)
            self.run = lambda *statements: run_postgresql(dsn, front, *statements)

    def rows(self) -> list[tuple[Any, ...]]:
        if isinstance(self.store, FolderTables | RemoteTables):
            self.check_file()
        return sorted(
            (row[0], row[1], row[2], row[3], None if row[4] is None else list(row[4]))
            for row in self.ask("select key, name, born, ym, ages from t")
        )

    def plain(self, rows: list[Any]) -> list[tuple[Any, ...]]:
        """Return rows as this target can hold them: a cloud knows no empty text, no empty list."""
        found = (tuple(row) for row in rows)
        if isinstance(self.store, JobsTables):
            found = (tuple(None if value in ("", []) else value for value in row) for row in found)
        return sorted(found)

    def check_file(self) -> None:
        """Hold the file that people see against what was applied."""
        if self.place is not None:
            with self.place.opened() as there:
                for file in there.listed():
                    there.fetch(file, self.folder / file.name)
        found = sorted(self.folder.glob("t_*.csv"))
        if not found:
            return
        with found[-1].open(encoding="utf-8-sig", newline="") as lines:
            header, *rows = list(csv.reader(lines))
        assert header == [f"項目 {column.name}" for column in COLUMNS]
        applied = self.ask("select key, name, born, ym, ages from t")
        assert sorted(rows) == sorted([_as_written(value) for value in row] for row in applied)
        assert list(self.folder.glob(".kumobashi/*")) == []


def every_table() -> dict[str, tuple[ColumnSpec, ...]]:
    """Return the tables that tests write."""
    kinds = (ColumnSpec("key", "text", 2), *EVERY_KIND)
    return {"t": COLUMNS, "u": COLUMNS, "kinds": kinds}


def files_of(tables: dict[str, tuple[ColumnSpec, ...]]) -> dict[str, FileTable]:
    """Return them with layouts."""
    return {
        name: FileTable(layout=layout_of(columns), pattern=f"{name}_{{date}}.csv")
        for name, columns in tables.items()
    }


def _as_written(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return " ".join(map(str, value))
    text = str(value)
    is_run = text[:1] in set("=+@\t\r") or (text[:1] == "-" and not text[1:2].isdigit())
    return f"'{text}" if isinstance(value, str) and is_run and text != "-" else text


def _run(path: Path, *statements: str) -> None:
    with duckdb.connect(str(path)) as connection:
        for statement in statements:
            connection.execute(statement)


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storage]:
    with seaweedfs(tmp_path_factory.mktemp("seaweedfs")) as running:
        yield running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FileServer]:
    with file_server(tmp_path_factory.mktemp("sftp")) as running:
        yield running


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[RunningCloud]:
    with cloud_of(tmp_path / "cloud", every_table()) as running:
        yield running


@pytest.fixture(
    params=[
        "duckdb", "postgresql", "folder",
        pytest.param("s3", marks=pytest.mark.slow), pytest.param("sftp", marks=pytest.mark.slow),
        pytest.param("jobs", marks=pytest.mark.slow),
    ]
)  # fmt: skip
def target(request: pytest.FixtureRequest, tmp_path: Path, dsn: str) -> Target:
    place: RemotePlace | None = None
    if request.param == "s3":
        place = request.getfixturevalue("storage").below(new_id())
    elif request.param == "sftp":
        place = request.getfixturevalue("server").below(new_id())
    elif request.param == "jobs":
        return Target("jobs", tmp_path, dsn, cloud=request.getfixturevalue("cloud"))
    return Target(request.param, tmp_path, dsn, place)


@pytest.fixture(scope="module")
def work() -> Iterator[duckdb.DuckDBPyConnection]:
    """A working database for properties: opening one takes longer than all that they do in it."""
    with duckdb.connect() as opened:
        yield opened


def load(
    content: list[Row],
    *,
    transfer: str | None = None,
    day: date = date(2026, 11, 21),
    sequence: int = 1,
    gone: list[str] | None = None,
    base: str | None = None,
    **changes: Any,
) -> Load:
    """Return a load whose rows lie in a working database: ``connection``, or one of its own."""
    work = changes.pop("connection", None) or duckdb.connect()
    work.execute(f"create or replace table incoming_rows ({TYPES})")
    if content:
        work.executemany("insert into incoming_rows values (?, ?, ?, ?, ?)", content)
    work.execute("create or replace table incoming_gone (key varchar)")
    if gone:
        work.executemany("insert into incoming_gone values (?)", [(key,) for key in gone])
    made = Load(
        tenant="999997",
        transfer=transfer or new_id(),
        link="a-link",
        business_date=day,
        sequence=sequence,
        mode="difference" if base else "full",
        base_transfer=base,
        table="t",
        columns=COLUMNS,
        key=("key",),
        rows=len(content),
        deleted=len(gone or []),
        connection=work,
        relation="incoming_rows",
        deleted_relation="incoming_gone" if base else None,
        before_commit=lambda: None,
    )
    return replace(made, **changes)


# -- writing ---------------------------------------------------------------------------------------


def test_a_full_load_replaces_what_was_there(target: Target) -> None:
    first = target.store.apply(load([ROW, ("x", "甲", None, None, None)]))
    assert (first.rows, first.deleted, first.total, first.already) == (2, 0, 2, False)

    second = target.store.apply(load([("y", "乙", None, None, [])], sequence=2))

    assert (second.rows, second.total) == (1, 1)
    assert target.rows() == target.plain([("y", "乙", None, None, [])])


def test_an_empty_full_load_empties_the_table(target: Target) -> None:
    target.store.apply(load([ROW]))

    assert target.store.apply(load([], sequence=2)).total == 0
    assert target.rows() == []


def test_texts_arrive_as_they_are(target: Target) -> None:
    rows: list[Row] = [(f"k{n:02}", text, None, None, None) for n, text in enumerate(SPECIAL)]

    target.store.apply(load(rows))

    assert target.rows() == target.plain(rows)


def test_dates_numbers_and_lists_arrive_as_they_are(target: Target) -> None:
    rows: list[Row] = [
        ("a", None, date(1868, 1, 25), 0, []),
        ("b", None, date(9999, 12, 31), 999999, [0]),
        ("c", None, date(2024, 2, 29), -1, [100, 0, 5]),
        ("d", None, None, None, None),
    ]

    target.store.apply(load(rows))

    assert target.rows() == target.plain(rows)


EVERY_KIND = (
    ColumnSpec("flag", "integer", 1),
    ColumnSpec("amount", "integer", 15),
    ColumnSpec("moment", "timestamp"),
    ColumnSpec("months", "integers", 6),
    ColumnSpec("amounts", "integers", 15),
    ColumnSpec("born", "date"),
    ColumnSpec("note", "text"),
)
_AMOUNTS = st.none() | st.integers(-(2**63), 2**63 - 1)
_MONTHS = st.none() | st.integers(-(2**31), 2**31 - 1)
_KINDS = st.tuples(
    st.none() | st.integers(-(2**15), 2**15 - 1),
    _AMOUNTS,
    st.none() | st.datetimes(datetime(1868, 1, 1), datetime(9999, 12, 31)),  # noqa: DTZ001
    st.none() | st.lists(_MONTHS, max_size=4),
    st.none() | st.lists(_AMOUNTS, max_size=4),
    st.none() | st.dates(date(1, 1, 1), date(9999, 12, 31)),
    st.none() | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(rows=st.lists(_KINDS, max_size=6))
def test_every_kind_of_column_arrives_as_it_is(
    target: Target, work: duckdb.DuckDBPyConnection, rows: list[tuple[Any, ...]]
) -> None:
    if isinstance(target.store, JobsTables):  # which refuses a gap in a list
        rows = [tuple(_without_gaps(value) for value in row) for row in rows]
    numbered = [(f"{number:02}", *row) for number, row in enumerate(rows)]
    columns = (ColumnSpec("key", "text", 2), *EVERY_KIND)
    typed = ", ".join(f"{column.name} {column.sql_type}" for column in columns)
    work.execute(f"create or replace table kinds ({typed})")
    if numbered:
        work.executemany("insert into kinds values (?, ?, ?, ?, ?, ?, ?, ?)", numbered)
    target.run("drop table if exists kumobashi_applied", "drop table if exists kinds")

    target.store.apply(
        load([], rows=len(rows), table="kinds", columns=columns, connection=work, relation="kinds")
    )

    found = target.ask("select key, flag, amount, moment, months, amounts, born, note from kinds")
    assert sorted(map(_with_lists, found)) == target.plain(numbered)


def _without_gaps(value: object) -> object:
    return [one for one in value if one is not None] if isinstance(value, list) else value


def _with_lists(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(list(value) if isinstance(value, tuple | list) else value for value in row)


def test_the_same_transfer_again_is_told_and_not_repeated(target: Target) -> None:
    first = load([ROW])
    done = target.store.apply(first)

    again = target.store.apply(load([], transfer=first.transfer, rows=0))

    assert again == replace(done, already=True)
    assert target.rows() == target.plain([ROW])
    assert target.ask("select count(*) from kumobashi_applied") == [(1,)]


def test_the_same_transfer_is_told_even_after_newer_ones(target: Target) -> None:
    first = load([ROW])
    done = target.store.apply(first)
    target.store.apply(load([], sequence=2))

    assert target.store.apply(load([ROW], transfer=first.transfer)) == replace(done, already=True)
    assert target.rows() == []


@pytest.mark.parametrize(
    ("day", "sequence"), [(date(2026, 11, 20), 9), (date(2026, 11, 21), 2), (date(2026, 11, 21), 1)]
)
def test_older_data_are_refused(target: Target, day: date, sequence: int) -> None:
    target.store.apply(load([ROW], sequence=2))

    with pytest.raises(LoadSuperseded):
        target.store.apply(load([], day=day, sequence=sequence))

    assert target.rows() == target.plain([ROW])


def test_links_do_not_hinder_each_other(target: Target) -> None:
    target.store.apply(load([ROW], sequence=5))

    done = target.store.apply(load([ROW], link="another", table="u"))

    assert done.already is False
    assert target.ask("select count(*) from t") == target.ask("select count(*) from u") == [(1,)]


def test_a_difference_puts_and_deletes(target: Target) -> None:
    base = load([("a", "1", None, 1, None), ("b", "2", None, 2, None), ("c", "3", None, 3, None)])
    target.store.apply(base)

    done = target.store.apply(
        load(
            [("b", "new", None, 2, [7]), ("d", "4", None, 4, None)],
            gone=["a", "not there"],
            base=base.transfer,
            sequence=2,
        )
    )

    assert (done.rows, done.deleted, done.total) == (2, 1, 3)
    assert target.rows() == target.plain(
        [("b", "new", None, 2, [7]), ("c", "3", None, 3, None), ("d", "4", None, 4, None)]
    )


def test_an_empty_difference_is_applied_too(target: Target) -> None:
    base = load([ROW])
    target.store.apply(base)

    done = target.store.apply(load([], gone=[], base=base.transfer, sequence=2))

    assert (done.rows, done.deleted, done.total) == (0, 0, 1)
    assert target.rows() == target.plain([ROW])


def test_a_difference_on_something_else_is_refused(target: Target) -> None:
    base = load([ROW])
    with pytest.raises(BaseMissing):
        target.store.apply(load([], gone=["k"], base=base.transfer))
    target.store.apply(base)
    target.store.apply(load([ROW], sequence=2))

    with pytest.raises(BaseMissing):
        target.store.apply(load([], gone=["k"], base=base.transfer, sequence=3))

    assert target.rows() == target.plain([ROW])


@pytest.mark.parametrize("said", [0, 2])
def test_counts_that_disagree_leave_everything_as_it_was(target: Target, said: int) -> None:
    target.store.apply(load([("old", None, None, None, None)]))

    with pytest.raises(LoadIncomplete):
        target.store.apply(load([ROW], sequence=2, rows=said))

    assert target.rows() == [("old", None, None, None, None)]
    assert target.ask("select count(*) from kumobashi_applied") == [(1,)]


def test_what_fails_before_the_commit_leaves_nothing(target: Target) -> None:
    target.store.apply(load([("old", None, None, None, None)]))

    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        target.store.apply(load([ROW], sequence=2, before_commit=stop))

    assert target.rows() == [("old", None, None, None, None)]
    assert target.store.apply(load([ROW], sequence=2)).already is False


def test_a_target_that_cannot_hold_the_rows_is_a_failure_that_shows_no_value(
    target: Target,
) -> None:
    target.store.apply(load([]))
    target.run(
        "alter table t add column must_be integer",
        "alter table t alter column must_be set not null",
    )

    with pytest.raises((KumobashiError, duckdb.Error)) as failure:
        target.store.apply(load([ROW], sequence=2))

    if isinstance(failure.value, KumobashiError):
        assert "髙橋" not in failure.value.say("ja") + failure.value.say("en")
    assert target.rows() == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=8)
@given(
    before=st.dictionaries(st.text("abc", min_size=1, max_size=2), st.text(max_size=3), max_size=8),
    after=st.dictionaries(st.text("abc", min_size=1, max_size=2), st.text(max_size=3), max_size=8),
)
def test_base_and_difference_make_the_whole(
    target: Target,
    work: duckdb.DuckDBPyConnection,
    before: dict[str, str],
    after: dict[str, str],
) -> None:
    """Whatever the texts: what PostgreSQL cannot hold (NUL, lone surrogates) is left out here."""
    clean = (
        {k: _holdable(v) for k, v in before.items()},
        {k: _holdable(v) for k, v in after.items()},
    )
    old, new = ([(k, v, None, None, None) for k, v in side.items()] for side in clean)
    target.run("drop table if exists kumobashi_applied")
    base = load(list(old), connection=work)
    target.store.apply(base)
    put: list[Row] = [row for row in new if row not in old]
    gone = sorted(clean[0].keys() - clean[1].keys())

    done = target.store.apply(load(put, gone=gone, base=base.transfer, sequence=2, connection=work))

    assert target.rows() == target.plain(list(new))
    assert (done.rows, done.deleted, done.total) == (len(put), len(gone), len(new))


def _holdable(text: str) -> str:
    return "".join(char for char in text if char != "\0")


# -- reading ---------------------------------------------------------------------------------------


def read(target: Target, query: Query) -> pa.Table:
    with target.store.reading() as reader, reader.stream(query) as rows:
        return rows.read_all()


def test_reading_gives_columns_counts_and_rows(target: Target) -> None:
    target.store.apply(load([("a", "1", date(2020, 1, 1), 5, [1]), ("b", None, None, None, None)]))
    query = Query("t", ("name", "key"), (Condition("key", "in", ("a", "zz")),))

    with target.store.reading() as reader:
        assert list(reader.columns("t")) == ["key", "name", "born", "ym", "ages"]
        assert (reader.count(query), reader.count(Query("t", ("key",)))) == (1, 2)

    assert read(target, query).to_pylist() == [{"name": "1", "key": "a"}]


@pytest.mark.parametrize(
    ("condition", "keys"),
    [
        (Condition("key", "in", ("o'clock", 'q"q')), ["o'clock", 'q"q']),
        (Condition("name", "not_in_or_null", ("1",)), ["c", "o'clock", 'q"q']),
        (Condition("born", "at_most", (date(2020, 1, 1),)), ["a"]),
        (Condition("born", "null_or_after", (date(2020, 1, 1),)), ["b", "c", "o'clock", 'q"q']),
        (Condition("name", "not_null"), ["a", "b", "c"]),
    ],
    ids=lambda value: value.op if isinstance(value, Condition) else "",
)
def test_conditions_mean_the_same_everywhere(
    target: Target, condition: Condition, keys: list[str]
) -> None:
    target.store.apply(
        load(
            [
                ("a", "1", date(2020, 1, 1), None, None),
                ("b", "1", date(2020, 1, 2), None, None),
                ("c", "2", None, None, None),
                ("o'clock", None, None, None, None),
                ('q"q', None, None, None, None),
            ]
        )
    )

    got = read(target, Query("t", ("key",), (condition,)))

    assert sorted(got.column("key").to_pylist()) == sorted(keys)


def test_a_missing_table_is_named(target: Target) -> None:
    target.store.apply(load([ROW]))
    with target.store.reading() as reader, pytest.raises(TableMissing):
        reader.columns("nothing")


def test_one_reading_sees_one_moment(target: Target, request: pytest.FixtureRequest) -> None:
    target.store.apply(load([ROW]))
    query = Query("t", ("key",))
    with target.store.reading() as reader:
        assert reader.count(query) == 1
        if isinstance(target.store, PostgreSQLTables):
            target.run("insert into t (key) values ('late')")
        assert reader.count(query) == 1
        with reader.stream(query) as rows:
            assert rows.read_all().num_rows == 1


def test_types_are_those_that_the_layout_names(target: Target) -> None:
    target.store.apply(load([ROW]))

    table = read(target, Query("t", tuple(column.name for column in COLUMNS)))

    assert pa.types.is_date32(table.schema.field("born").type)
    assert pa.types.is_int32(table.schema.field("ym").type)
    assert pa.types.is_list(table.schema.field("ages").type)
    assert table.to_pylist() == [
        {"key": "k", "name": "髙橋", "born": date(1990, 2, 28), "ym": 199002, "ages": [1, 36]}
    ]


def test_a_store_that_is_not_there_says_so(tmp_path: Path) -> None:
    nowhere = PostgreSQLTables("there", "postgresql://nobody@127.0.0.1:1/x?connect_timeout=2")
    absent = DuckDBTables("there", tmp_path / "absent.duckdb")
    unmounted = FolderTables(
        DropFolder(system="there", name="あちら", folder=tmp_path / "no", kept=tmp_path / "kept"),
        {"t": FileTable(layout=layout_of(COLUMNS), pattern="t_{date}.csv")},
        private=tmp_path / "private",
    )
    for store in (nowhere, absent, unmounted):
        with pytest.raises(StoreUnreachable), store.reading():
            pass
    for receiver in (nowhere, unmounted):
        with pytest.raises(StoreUnreachable):
            receiver.apply(load([ROW]))
    assert not (tmp_path / "no").exists()


def test_a_server_that_is_stopped_while_it_writes_can_be_tried_again(dsn: str) -> None:
    """Stopping PostgreSQL is no fault of the data: the load waits for its return."""
    schema = f"s{new_id().replace('-', '')}"
    run_postgresql(dsn, f"create schema {schema}")
    store = PostgreSQLTables("there", dsn, schema)

    def stopped() -> None:
        run_postgresql(
            dsn,
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where query ilike '%kumobashi_applied%' and pid <> pg_backend_pid()",
        )

    with pytest.raises(KumobashiError) as failure:
        store.apply(load([ROW], before_commit=stopped))

    assert failure.value.retryable
    assert store.apply(load([ROW])).already is False


def test_applied_at_is_noted_in_utc(target: Target) -> None:
    target.store.apply(load([ROW]))
    ((at,),) = target.ask("select applied_at from kumobashi_applied")

    assert isinstance(at, datetime)
    assert abs((datetime.now(UTC) - at.replace(tzinfo=UTC)).total_seconds()) < 600
