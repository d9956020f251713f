"""Cut a load into pieces of CSV, each small enough for one upload, without holding it in memory.

An empty field means to such a cloud "leave it as it is"; what is to be empty is written ``#N/A``.
Rows stand in the order of their key, so the same load gives the same pieces again.
"""

# ruff: noqa: S608 - names pass `quoted`, the relations are our own

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa
from pyarrow import csv

from kumobashi.conversion.jobs.errors import KeyUnfit, ValueTooLong, ValueUnfit
from kumobashi.conversion.jobs.keys import Key
from kumobashi.storage.counting import count
from kumobashi.storage.errors import LoadIncomplete
from kumobashi.storage.tables import ColumnSpec, Load, quoted

EMPTY: Final = "#N/A"
_BATCH_ROWS: Final = 8_192
_WITH_QUOTES: Final = csv.WriteOptions(include_header=False, quoting_style="all_valid")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one upload may be; the defaults are what large clouds publish."""

    upload_bytes: int = 100_000_000  # 150 MB is measured after base64
    upload_rows: int = 10_000_000
    columns: int = 5_000
    field_characters: int = 32_000
    row_characters: int = 400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One upload, as a file that is there until the next one is asked for."""

    path: Path
    rows: int
    digest: str  # SHA-256 in hexadecimal


def texts_of(load: Load, key: Key) -> str:
    """Return a query that gives the load's rows as the texts that are sent."""
    front = f"{key.sql()} as {quoted(key.name)}, " if key.is_joined else ""
    columns = ", ".join(
        f"coalesce(nullif({_text(column)}, ''), '{EMPTY}') as {quoted(column.name)}"
        for column in load.columns
    )
    return f"select {front}{columns} from {load.relation}"


def check_load(load: Load, key: Key, limits: Limits) -> None:
    """Hold a load against its own count, its key and the cloud's limits; nothing is sent before.

    Raises:
        LoadIncomplete, KeyUnfit, ValueUnfit, ValueTooLong
    """
    with load.connection.cursor() as work:
        rows = count(work, f"select count(*) from {load.relation}")
        if rows != load.rows:
            raise LoadIncomplete(expected=load.rows, got=rows)
        apart = count(work, f"select count(distinct {key.sql()}) from {load.relation}")
        if apart != rows:
            raise KeyUnfit(key="、".join(key.columns), rows=rows - apart)
        if len(load.columns) > limits.columns:
            raise _too_long("項目の数", "columns", len(load.columns), limits.columns, "-")
        for column in load.columns:
            _check_values(work, load, column)
            _check_length(
                work, load, f"length({_text(column)})", limits.field_characters, column.name
            )
        whole = " + ".join(f"coalesce(length({_text(column)}), 0)" for column in load.columns)
        _check_length(work, load, whole, limits.row_characters, "row")


def pieces(
    work: duckdb.DuckDBPyConnection, query: str, order: str, limits: Limits, room: Path
) -> Iterator[Piece]:
    """Give a query's rows, all of them texts, in pieces; a piece's file goes with the next one.

    Raises:
        ValueTooLong: one row alone is more than an upload may be.
    """
    with work.cursor() as streaming:
        rows = streaming.sql(f"select * from ({query}) order by {quoted(order)}")
        reader = rows.to_arrow_reader(_BATCH_ROWS)
        yield from _cut(reader, reader.schema, limits, room / "piece.csv")


def _cut(
    batches: Iterable[pa.RecordBatch], schema: pa.Schema, limits: Limits, path: Path
) -> Iterator[Piece]:
    header = (",".join(f'"{name}"' for name in schema.names) + "\n").encode()
    growing = _Growing(path, header, limits)
    for batch in batches:
        todo = [batch]
        while todo:
            part = todo.pop()
            body = _as_csv(part)
            if growing.takes(len(body), part.num_rows):
                growing.add(body, part.num_rows)
            elif part.num_rows > 1:
                half = part.num_rows // 2
                todo += [part.slice(half), part.slice(0, half)]
            elif growing.rows:
                yield growing.closed()
                growing = _Growing(path, header, limits)
                todo.append(part)
            else:
                limit = limits.upload_bytes
                raise _too_long("1 件のバイト数", "bytes of a row", len(body), limit, "-")
    if growing.rows:
        yield growing.closed()
    path.unlink(missing_ok=True)


class _Growing:
    def __init__(self, path: Path, header: bytes, limits: Limits) -> None:
        self.rows = 0
        self._path, self._limits = path, limits
        self._size, self._digest = len(header), hashlib.sha256(header)
        path.write_bytes(header)

    def takes(self, size: int, rows: int) -> bool:
        limits = self._limits
        return self._size + size <= limits.upload_bytes and self.rows + rows <= limits.upload_rows

    def add(self, body: bytes, rows: int) -> None:
        with self._path.open("ab") as writing:
            writing.write(body)
        self._digest.update(body)
        self._size += len(body)
        self.rows += rows

    def closed(self) -> Piece:
        return Piece(path=self._path, rows=self.rows, digest=self._digest.hexdigest())


def _as_csv(batch: pa.RecordBatch) -> bytes:
    held = pa.BufferOutputStream()
    csv.write_csv(batch, held, _WITH_QUOTES)
    return bytes(held.getvalue())


def _text(column: ColumnSpec) -> str:
    name = quoted(column.name)
    match column.kind:
        case "integers":
            return f"array_to_string({name}, ' ')"
        case "timestamp":
            return f"replace({name}::varchar, ' ', 'T')"
        case _:
            return f"{name}::varchar"


def _check_values(work: duckdb.DuckDBPyConnection, load: Load, column: ColumnSpec) -> None:
    """Raise where a text is what means "empty", or a number is missing inside a list."""
    name = quoted(column.name)
    if column.kind == "text":
        wrong, what, what_en = f"{name} = '{EMPTY}'", f"字「{EMPTY}」", EMPTY
    elif column.kind == "integers":
        wrong = f"len(list_filter({name}, lambda one: one is null)) > 0"
        what, what_en = "並びの中の空き", "a gap in a list"
    else:
        return
    numbered = f"select row_number() over () as line, {name} from {load.relation}"
    ((rows, line),) = work.execute(
        f"select count(*), min(line) from ({numbered}) where {wrong}"
    ).fetchall()
    if rows:
        raise ValueUnfit(item=column.name, what=what, what_en=what_en, rows=rows, line=line)


def _check_length(
    work: duckdb.DuckDBPyConnection, load: Load, length: str, limit: int, what: str
) -> None:
    numbered = f"select row_number() over () as line, {length} as length from {load.relation}"
    found = work.execute(
        f"select line, length from ({numbered}) where length > {limit} order by line limit 1"
    ).fetchall()
    if found:
        line, got = found[0]
        what_ja = "1 件の文字数" if what == "row" else f"{what} の文字数"
        raise _too_long(what_ja, f"characters of {what}", got, limit, line)


def _too_long(what: str, what_en: str, got: int, limit: int, line: object) -> ValueTooLong:
    return ValueTooLong(what=what, what_en=what_en, got=got, limit=limit, line=line)
