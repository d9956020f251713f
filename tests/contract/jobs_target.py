"""A cloud of jobs as a target that can be asked in SQL, past the code that filled it."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from kumobashi.conversion.folder_reading import FileTable
from kumobashi.conversion.jobs.jobs_tables import JobsTables
from kumobashi.conversion.jobs.pieces import Limits
from kumobashi.storage.tables import ColumnSpec, quoted
from kumobashi.testing.faults.tables import ask_duckdb
from kumobashi.testing.jobs_cloud.running import RunningCloud, jobs_cloud
from kumobashi.testing.jobs_cloud.settings import CloudSettings, Column, Table

Columns = Mapping[str, tuple[ColumnSpec, ...]]


@contextmanager
def cloud_of(folder: Path, tables: Columns) -> Iterator[RunningCloud]:
    """Run a cloud that has these tables, with the key ``key``."""
    shutil.rmtree(folder, ignore_errors=True)
    with jobs_cloud(folder, _settings(tables)) as running:
        yield running


class JobsTarget:
    """The store, what its cloud holds, and what this site has noted."""

    def __init__(
        self, cloud: RunningCloud, private: Path, tables: Columns, files: Mapping[str, FileTable]
    ) -> None:
        self.cloud = cloud
        self._state = private / "applied.duckdb"
        self._tables = tables
        self.store = JobsTables(
            cloud.cloud(), files, private=private, limits=Limits(upload_bytes=2_000)
        )
        for table in tables:
            cloud.give(table, [])

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Ask the notes, or the cloud's tables."""
        if "kumobashi_" in query:
            return ask_duckdb(self._state, query)
        with duckdb.connect() as work:
            for table, columns in self._tables.items():
                typed = ", ".join(f"{quoted(one.name)} {one.sql_type}" for one in columns)
                work.execute(f"create table {table} ({typed})")
                rows = [
                    [_read(one, row[one.name]) for one in columns] for row in self.cloud.rows(table)
                ]
                if rows:
                    marks = ", ".join("?" * len(columns))
                    work.executemany(f"insert into {table} values ({marks})", rows)
            return work.execute(query).fetchall()

    def run(self, *statements: str) -> None:
        """Change the notes or the cloud's tables as these statements would a database's."""
        for statement in statements:
            if "kumobashi_" in statement:
                self._state.parent.mkdir(exist_ok=True)
                with duckdb.connect(str(self._state)) as state:
                    state.execute(statement)
            elif "set not null" in statement:
                _settings(self._tables, required="must_be").write(
                    self.cloud.folder / "settings.json"
                )
                self.cloud.kill()
                self.cloud.start()


def _settings(tables: Columns, required: str = "") -> CloudSettings:
    more = {required: Column(required=True)} if required else {}
    made = {
        name: Table(key="key", columns={one.name: Column(longest=5_000) for one in columns} | more)
        for name, columns in tables.items()
    }
    return CloudSettings(tables=made, work_seconds=0.0)


def _read(column: ColumnSpec, text: str | None) -> object:
    if column.kind == "integers" and text is not None:
        return [int(number) for number in text.split(" ")]
    return text
