"""Judge one row and keep it, change it, or delete it, as the cloud's table says."""

import json
import sqlite3
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from kumobashi.testing.jobs_cloud.database import KeptJob, number_of, row_id
from kumobashi.testing.jobs_cloud.settings import Column, Table

_EMPTY: Final = "#N/A"


class RowRefused(Exception):
    """A row is not taken; its words are those of such clouds, and may hold a value."""


@dataclass
class Putting:
    """The rows of one job, one after another."""

    job: KeptJob
    table: Table
    header: list[str]
    longest: int  # characters of any field
    seen: set[str] = field(default_factory=set)

    def put(self, connection: sqlite3.Connection, values: list[str]) -> tuple[str, bool]:
        """Take one row; return its name and whether it is new; raise :class:`RowRefused`."""
        if len(values) != len(self.header):
            raise RowRefused("INVALID_FIELD:wrong number of columns:--")
        said = dict(zip(self.header, values, strict=True))
        if self.job.operation == "delete":
            return self._delete(connection, said["Id"]), False
        key = self._key(said)
        held = connection.execute(
            "select number, row from rows where object = ? and key = ?", [self.job.object, key]
        ).fetchone()
        row = json.loads(held[1]) if held else dict.fromkeys(self.table.columns)
        self._write(row, said)
        if held:
            connection.execute(
                "update rows set row = ? where number = ?", [json.dumps(row), held[0]]
            )
            return row_id(held[0]), False
        added = connection.execute(
            "insert into rows (object, key, row) values (?, ?, ?)",
            [self.job.object, key, json.dumps(row)],
        )
        return row_id(added.lastrowid or 0), True

    def _delete(self, connection: sqlite3.Connection, name: str) -> str:
        gone = connection.execute(
            "delete from rows where object = ? and number = ?", [self.job.object, number_of(name)]
        )
        if not gone.rowcount:
            raise RowRefused("ENTITY_IS_DELETED:entity is deleted:--")
        return name

    def _key(self, said: dict[str, str]) -> str:
        name = self.table.key
        key = said[name]
        if key in {"", _EMPTY}:
            raise RowRefused(f"MISSING_ARGUMENT:{name} not specified:--")
        if key in self.seen:
            raise RowRefused(f"DUPLICATE_VALUE:Duplicate external id specified: {key}:{name} --")
        self.seen.add(key)
        return key

    def _write(self, row: dict[str, Any], said: dict[str, str]) -> None:
        for name, text in said.items():
            if text == "":  # as it is
                continue
            if text == _EMPTY:
                row[name] = None
                continue
            self._check(name, self.table.columns[name], text)
            row[name] = text
        for name, column in self.table.columns.items():
            if column.required and row[name] is None:
                words = f"Required fields are missing: [{name}]:{name} --"
                raise RowRefused(f"REQUIRED_FIELD_MISSING:{words}")

    def _check(self, name: str, column: Column, text: str) -> None:
        if len(text) > min(column.longest, self.longest):
            words = f"{name}: data value too large: {text[:20]}:{name} --"
            raise RowRefused(f"STRING_TOO_LONG:{words}")
        try:
            match column.kind:
                case "number":
                    int(text)
                case "date":
                    date.fromisoformat(text)
                case "moment":
                    datetime.fromisoformat(text)
                case "text":
                    pass
        except ValueError:
            words = f"{name}: value not of required type: {text}:{name} --"
            raise RowRefused(f"INVALID_TYPE_ON_FIELD_IN_RECORD:{words}") from None
