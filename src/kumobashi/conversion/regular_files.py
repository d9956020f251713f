"""Read a text file whose every row is one line, in compiled code, or say that it is not such.

Whether it is, is proved after the reading, not guessed before: as many rows as lines, and the bytes
of all values, delimiters, line ends and quotation marks add up to the file. So nothing was dropped,
no mark is part of a value, and row n stands on line n + 1. Whatever does not add up is read again,
row by row, by Python's own reader, which gives the same for all files that pass here.
"""

import codecs
import csv
import io
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from kumobashi.catalogue.faults import LINE
from kumobashi.conversion.text_form import TextForm
from kumobashi.storage.tables import quoted

_BLOCK = 1 << 22
_LONGEST_HEADER = 1 << 16


@dataclass(slots=True)
class _Counted:
    """What was counted of the file in UTF-8, without a byte order mark."""

    size: int = 0
    lines: int = 0  # line ends
    returns: int = 0  # those of two bytes
    marks: int = 0  # quotation marks
    lone_returns: int = 0
    ends: bytes = b""  # the last byte
    above: bytes = b""  # the line of the header

    def add(self, block: bytes) -> None:
        """Count a block; one that begins with a line feed behind a carriage return counts too."""
        joined = self.ends[-1:] + block if self.ends[-1:] == b"\r" else block
        pairs = joined.count(b"\r\n")
        self.size += len(block)
        self.lines += block.count(b"\n")
        self.returns += pairs
        self.lone_returns += block.count(b"\r") - pairs
        self.marks += block.count(b'"')
        self.ends = block[-1:] or self.ends


def read_regular(
    path: Path,
    form: TextForm,
    work: duckdb.DuckDBPyConnection,
    table: str,
    header: tuple[str, ...],
    *,
    longest_field: int,
) -> int | None:
    """Read the rows below the header into a new table; return how many, or nothing.

    Nothing is left behind where the file is not regular. The caller has read ``header`` and found
    the charset to fit.
    """
    with tempfile.TemporaryFile() as plain:
        counted = _as_utf8(path, form, plain)
        plain.seek(0)
        first = plain.readline(_LONGEST_HEADER)
        if counted.lone_returns or not first.endswith(b"\n") or not _is_one_line(first, form):
            return None
        try:
            work.execute(f"create table {table} ({_columns(header)})")
            counted.above = first
            rows = 0
            for batch in _batches(plain, form, len(header), counted, longest_field):
                lines = pa.array(np.arange(rows + 2, rows + 2 + batch.num_rows), pa.int64())
                arrays = [lines, *batch.columns]
                work.register("incoming", pa.Table.from_arrays(arrays, names=[LINE, *header]))
                work.execute(f"insert into {table} from incoming")
                work.unregister("incoming")
                rows += batch.num_rows
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, _Irregular):
            work.execute(f"drop table if exists {table}")
            return None
    return rows


class _Irregular(Exception):
    pass


def _as_utf8(path: Path, form: TextForm, target: BinaryIO) -> _Counted:
    """Write the text in UTF-8, without a mark, and count it."""
    decoder = codecs.getincrementaldecoder(form.codec)()
    counted = _Counted()
    with path.open("rb") as source:
        while True:
            raw = source.read(_BLOCK)
            block = decoder.decode(raw, final=not raw).encode()
            counted.add(block)
            target.write(block)
            if not raw:
                return counted


def _is_one_line(first: bytes, form: TextForm) -> bool:
    """Whether the header ends where its line does."""
    rows = list(csv.reader(io.StringIO(first.decode(), newline=""), delimiter=form.delimiter))
    return len(rows) == 1 and first.count(b'"') % 2 == 0


def _columns(header: tuple[str, ...]) -> str:
    return ", ".join([f"{quoted(LINE)} bigint", *(f"{quoted(name)} varchar" for name in header)])


def _batches(
    plain: BinaryIO, form: TextForm, width: int, counted: _Counted, longest_field: int
) -> Iterator[pa.RecordBatch]:
    """Give the rows; raise at the end unless they add up to the file."""
    above = counted.above
    is_open = counted.ends != b"\n"  # the last line
    below = counted.lines - 1 + is_open
    if counted.size == len(above):
        return
    plain.seek(len(above))
    names = [f"c{place}" for place in range(width)]
    reader = arrow_csv.open_csv(
        pa.PythonFile(plain, mode="r"),
        read_options=arrow_csv.ReadOptions(
            column_names=names, block_size=_BLOCK, use_threads=False
        ),
        parse_options=arrow_csv.ParseOptions(
            delimiter=form.delimiter, newlines_in_values=False, ignore_empty_lines=True
        ),
        convert_options=arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            null_values=[],
            strings_can_be_null=False,
        ),
    )
    rows, held = 0, 0
    for batch in reader:
        for column in batch.columns:
            lengths = pc.binary_length(column)
            held += pc.sum(lengths).as_py() or 0
            if (pc.max(lengths).as_py() or 0) > longest_field:
                raise _Irregular
        rows += batch.num_rows
        yield batch
    ends = below - is_open + counted.returns - above.count(b"\r\n")
    marks = counted.marks - above.count(b'"')
    if (rows, len(above) + held + rows * (width - 1) + ends + marks) != (below, counted.size):
        raise _Irregular
