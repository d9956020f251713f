"""A cloud that takes and gives rows by jobs, as tables: a real process, its limits and faults."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from kumobashi.catalogue.fields import Field, Layout
from kumobashi.conversion.folder_reading import FileTable
from kumobashi.conversion.jobs.jobs_tables import JobsTables
from kumobashi.conversion.jobs.pieces import Limits
from kumobashi.kernel import new_id
from kumobashi.storage.tables import ColumnSpec, Load, Query
from kumobashi.testing.jobs_cloud.running import RunningCloud, jobs_cloud
from kumobashi.testing.jobs_cloud.settings import CloudSettings, Column, Table

pytestmark = pytest.mark.slow
DAY = date(2026, 11, 21)
COLUMNS = (
    ColumnSpec("key", "text", 20),
    ColumnSpec("name", "text", 20),
    ColumnSpec("born", "date"),
)
LAYOUT = Layout(
    layout="some", version="1", ja="ある形", key=("key",), valid_from=date(2026, 4, 1),
    valid_to=None, source="試験", own_shape=True,
    fields=tuple(
        Field(
            name=column.name, ja=f"項目 {column.name}", item_id=None,
            type="DATE" if column.kind == "date" else "N", digits=column.digits,
            code_list=None, required=False, sensitivity="personal",
        )
        for column in COLUMNS
    ),
)  # fmt: skip
SETTINGS = CloudSettings(
    tables={
        "t": Table(
            key="key",
            columns={
                "key": Column(longest=20, required=True),
                "name": Column(longest=20),
                "born": Column(kind="date"),
            },
        )
    },
    work_seconds=0.0,
)
Row = tuple[str, str | None, str | None]


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[RunningCloud]:
    with jobs_cloud(tmp_path / "cloud", SETTINGS) as running:
        yield running


def tables(cloud: RunningCloud, *, patience_seconds: float = 20.0, **limits: int) -> JobsTables:
    return JobsTables(
        cloud.cloud(patience_seconds=patience_seconds),
        {"t": FileTable(layout=LAYOUT, pattern="t_{date}.csv")},
        private=cloud.folder.parent / "private",
        limits=Limits(**limits),
    )


def load(rows: list[Row], *, sequence: int = 1, transfer: str = "", **changes: Any) -> Load:
    work = duckdb.connect()
    work.execute("create table incoming_rows (key varchar, name varchar, born date)")
    if rows:
        work.executemany("insert into incoming_rows values (?, ?, ?)", rows)
    work.execute("create table incoming_gone (key varchar)")
    said: dict[str, Any] = {
        "tenant": "999997", "transfer": transfer or new_id(), "link": "a-link",
        "business_date": DAY, "sequence": sequence, "mode": "full", "base_transfer": None,
        "table": "t", "columns": COLUMNS, "key": ("key",), "rows": len(rows), "deleted": 0,
        "connection": work, "relation": "incoming_rows", "deleted_relation": None,
        "before_commit": lambda: None,
    }  # fmt: skip
    return Load(**(said | changes))


def held(cloud: RunningCloud) -> list[tuple[Any, ...]]:
    return sorted((row["key"], row["name"], row["born"]) for row in cloud.rows("t"))


ROWS: list[Row] = [(f"{n:04}", f"架空 {n}", "2001-12-31" if n % 2 else None) for n in range(100)]


def test_a_load_goes_there_in_several_jobs_and_comes_back(cloud: RunningCloud) -> None:
    store = tables(cloud, upload_bytes=1_000)

    done = store.apply(load(ROWS))

    assert (done.rows, done.total, done.already) == (100, 100, False)
    assert held(cloud) == ROWS
    jobs = [job for job in cloud.jobs() if job["kind"] == "ingest"]
    assert len(jobs) == 3
    assert {job["state"] for job in jobs} == {"JobComplete"}
    with store.reading(DAY) as reader:
        assert reader.count(Query("t", ("key",))) == 100
        with reader.stream(Query("t", ("key", "name", "born"))) as batches:
            got = batches.read_all().to_pylist()
    assert (
        sorted((row["key"], row["name"], row["born"] and str(row["born"])) for row in got) == ROWS
    )
