"""Read and write files of fixed lengths, a column at a time: only distinct values are converted.

Each record is a line: what is found is told with its number, from 1. A record with bytes that mean
nothing is a finding and is left out, as a row with too many columns is in CSV.
"""

# ruff: noqa: S608 - names pass `quoted`, the relations are our own

from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kumobashi.catalogue.faults import LINE
from kumobashi.conversion.charsets import code_points
from kumobashi.conversion.errors import FileEmpty, RecordsUneven, RecordsUnwritable
from kumobashi.conversion.host_codes import NotInCharset
from kumobashi.conversion.records import DoesNotFit, RecordField, Records
from kumobashi.kernel import Finding
from kumobashi.storage.tables import quoted

_AT_ONCE = 50_000  # records
_MOST_BROKEN = 1000
_Bytes = np.ndarray[tuple[int, int], np.dtype[np.uint8]]


def read_records(
    path: Path, records: Records, work: duckdb.DuckDBPyConnection, table: str
) -> tuple[int, list[Finding], int]:
    """Read ``path`` into a new table of texts; return rows, the first findings, rows left out.

    Raises:
        FileEmpty, RecordsUneven, HostCharsetMissing
    """
    size = path.stat().st_size
    if not size:
        raise FileEmpty(file=path.name)
    if size % records.stride:
        raise _uneven(path, records, size, 1 + size // records.stride)
    names = [LINE, *(field.name for field in records.fields)]
    typed = ", ".join(f"{quoted(field.name)} varchar" for field in records.fields)
    work.execute(f"create table {table} ({quoted(LINE)} bigint, {typed})")
    written, left_out, broken = 0, 0, list[Finding]()
    for first, block in _blocks(path, records):
        columns, is_good = [], np.ones(len(block), dtype=bool)
        for field in records.fields:
            values, wrong = _column(block, field, records)
            columns.append(values)
            for row in np.flatnonzero(wrong):
                if len(broken) < _MOST_BROKEN:
                    broken.append(_undecodable(first + int(row), field, records))
            is_good &= ~wrong
        lines = pa.array(np.arange(first, first + len(block)), pa.int64())
        batch = pa.Table.from_arrays([lines, *columns], names=names).filter(pa.array(is_good))
        work.register("incoming", batch)
        work.execute(f"insert into {table} from incoming")
        work.unregister("incoming")
        written += batch.num_rows
        left_out += len(block) - batch.num_rows
    return written, broken, left_out


def write_records(
    work: duckdb.DuckDBPyConnection, relation: str, records: Records, path: Path
) -> int:
    """Write the texts of ``relation`` as records to ``path``; return how many.

    Raises:
        RecordsUnwritable: a value that has no place in its bytes; the file is not to be used.
        HostCharsetMissing
    """
    columns = ", ".join(f"{quoted(field.name)}::varchar" for field in records.fields)
    rows = work.sql(f"select {columns} from {relation}").to_arrow_reader(_AT_ONCE)
    written = 0
    with path.open("wb") as target:
        for batch in rows:
            block = np.empty((batch.num_rows, records.stride), dtype=np.uint8)
            block[:, : records.length] = records.space[0]
            block[:, records.length :] = np.frombuffer(records.end, dtype=np.uint8)
            for field, values in zip(records.fields, batch.columns, strict=True):
                end = field.offset + field.length
                block[:, field.offset : end] = _encoded(values, field, records)
            target.write(block.tobytes())
            written += batch.num_rows
    return written


def _blocks(path: Path, records: Records) -> Iterator[tuple[int, _Bytes]]:
    """Give the number of the first record and the bytes of some, without what ends them."""
    first = 1
    with path.open("rb") as source:
        while raw := source.read(_AT_ONCE * records.stride):
            block = np.frombuffer(raw, dtype=np.uint8).reshape(-1, records.stride)
            ends = block[:, records.length :]
            is_ended = (ends == np.frombuffer(records.end, dtype=np.uint8)).all(axis=1)
            if not is_ended.all():
                line = first + int(np.argmin(is_ended))
                raise _uneven(path, records, path.stat().st_size, line)
            yield first, block[:, : records.length]
            first += len(block)


def _uneven(path: Path, records: Records, size: int, line: int) -> RecordsUneven:
    return RecordsUneven(file=path.name, stride=records.stride, size=size, line=line)


def _column(
    block: _Bytes, field: RecordField, records: Records
) -> tuple[pa.Array, np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    """Return an item's texts, and in which records its bytes mean nothing."""
    cut = np.ascontiguousarray(block[:, field.offset : field.offset + field.length])
    raw = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(field.length), len(cut), [None, pa.py_buffer(cut)]
    ).dictionary_encode()
    texts: list[str | None] = []
    for value in raw.dictionary.to_pylist():
        try:
            texts.append(records.decode(field.name, value))
        except NotInCharset:
            texts.append(None)
    values = pa.array(texts, pa.string()).take(raw.indices)
    return values, np.asarray(pc.is_null(values))


def _undecodable(line: int, field: RecordField, records: Records) -> Finding:
    return Finding(
        code="finding.undecodable",
        line=line,
        item=field.name,
        expected=f"{records.charset} {field.kind}",
        got=f"{field.offset}+{field.length}",
    )


def _encoded(values: pa.Array, field: RecordField, records: Records) -> _Bytes:
    held = pc.fill_null(values, "").dictionary_encode()
    raw, wrong = list[bytes](), dict[int, str]()
    for number, text in enumerate(held.dictionary.to_pylist()):
        try:
            raw.append(records.encode(field.name, text))
        except NotInCharset as error:
            wrong[number] = code_points(error.got)
            raw.append(b"\0" * field.length)
        except DoesNotFit as error:
            wrong[number] = error.reason
            raw.append(b"\0" * field.length)
    if wrong:
        rows = pc.sum(pc.is_in(held.indices, pa.array(list(wrong), pa.int32()))).as_py()
        raise RecordsUnwritable(
            item=field.name,
            rows=rows,
            length=field.length,
            charset=records.charset,
            got=next(iter(wrong.values())),
        )
    table = np.frombuffer(b"".join(raw), dtype=np.uint8).reshape(-1, field.length)
    found: _Bytes = table[np.asarray(held.indices)]
    return found
