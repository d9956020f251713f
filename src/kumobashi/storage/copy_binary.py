r"""Arrow batches in the binary form of PostgreSQL's COPY, with no loop over rows.

A row is a count of fields and, for each field, its length (-1: null) and its bytes, all big-endian
(PostgreSQL, "COPY", "Binary Format"). Here each field becomes a column of byte strings, neighbours
of one width lie side by side, and Arrow joins the columns row by row.

>>> numbers = pa.record_batch({"n": pa.array([7, None], pa.int16())})
>>> encode(numbers, [ColumnSpec("n", "integer", 1)])
b'\x00\x01\x00\x00\x00\x02\x00\x07\x00\x01\xff\xff\xff\xff'
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from kumobashi.storage.tables import ColumnSpec

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)  # no flags, no extension
TRAILER = b"\xff\xff"  # a row of -1 fields

_Bytes = npt.NDArray[np.uint8]
_Numbers = int | npt.NDArray[np.integer]  # one for all rows, or one for each
_INTEGERS = {"smallint": (21, ">i2"), "integer": (23, ">i4"), "bigint": (20, ">i8")}  # OID, form
_DAYS_TO_2000 = 10_957  # from 1970
_MICROSECONDS_TO_2000 = _DAYS_TO_2000 * 86_400_000_000


def encode(batch: pa.RecordBatch, columns: Sequence[ColumnSpec]) -> bytes:
    """Return the rows of ``batch``, whose columns are of the types of ``columns``, in this order.

    Goes between ``HEADER`` and ``TRAILER``, any number of times.
    """
    if batch.num_rows == 0:
        return b""
    rows = _Rows(batch.num_rows)
    rows.put(len(columns), ">i2")
    for column, values in zip(columns, batch.columns, strict=True):
        match column.kind:
            case "text":
                rows.put(_numbers(pc.binary_length(values), null=-1), ">i4")
                rows.put_strings(values.cast(pa.binary()))
            case "integer":
                _put_numbers(rows, values, _INTEGERS[column.sql_type][1])
            case "date":
                days = pc.subtract(values.cast(pa.date32()).cast(pa.int32()), _DAYS_TO_2000)
                _put_numbers(rows, days, ">i4")
            case "timestamp":
                instants = values.cast(pa.timestamp("us")).cast(pa.int64())
                _put_numbers(rows, pc.subtract(instants, _MICROSECONDS_TO_2000), ">i8")
            case "integers":
                _put_list(rows, values, *_INTEGERS[column.sql_type.removesuffix("[]")])
    return rows.joined()


class _Rows:
    """Columns of byte strings, to be joined row by row."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._columns: list[pa.Array] = []
        self._numbers: list[tuple[_Numbers, str]] = []  # side by side, not yet a column

    def put(self, numbers: _Numbers, form: str) -> None:
        """Append a number to every row."""
        self._numbers.append((numbers, form))

    def put_strings(self, strings: pa.Array) -> None:
        """Append a byte string to every row; null is nothing."""
        self._flush()
        self._columns.append(strings)

    def joined(self) -> bytes:
        """Return all rows."""
        self._flush()
        whole = pc.binary_join_element_wise(
            *self._columns, b"", null_handling="replace", null_replacement=b""
        )
        _, offsets, data = whole.buffers()
        last = np.frombuffer(offsets, np.int32)[self.count]
        return bytes(memoryview(data)[:last])

    def _flush(self) -> None:
        if self._numbers:
            block = _packed(self.count, self._numbers)
            self._columns.append(_strings(block, np.arange(self.count + 1) * block.shape[1]))
            self._numbers = []


def _put_numbers(rows: _Rows, values: pa.Array, form: str) -> None:
    width = np.dtype(form).itemsize
    if values.null_count == 0:
        rows.put(width, ">i4")
        rows.put(_numbers(values), form)
        return
    there = _is_there(values)
    rows.put(np.where(there, width, -1), ">i4")
    block = _packed(rows.count, [(_numbers(values), form)])
    rows.put_strings(_strings(block[there], _offsets(there * width)))


def _put_list(rows: _Rows, values: pa.Array, element: int, form: str) -> None:
    """Append one-dimensional arrays: dimensions, flags, type, length, first index, elements."""
    lengths = _numbers(values.value_lengths())
    elements = values.flatten()
    cells, cell_ends = _cells(elements, form)
    ends = cell_ends[_offsets(lengths)]
    head: list[tuple[_Numbers, str]]
    head = [(n, ">i4") for n in (1, int(elements.null_count > 0), element, lengths, 1)]
    head_bytes = 4 * len(head)
    there = _is_there(values)
    rows.put(np.where(there, head_bytes + np.diff(ends), -1), ">i4")
    if values.null_count == 0:
        for numbers in head:
            rows.put(*numbers)
    else:
        block = _packed(rows.count, head)
        rows.put_strings(_strings(block[there], _offsets(there * head_bytes)))
    rows.put_strings(_strings(cells, ends))


def _cells(elements: pa.Array, form: str) -> tuple[_Bytes, npt.NDArray[np.int64]]:
    """Return length and bytes of each element, and where each ends; null has no bytes."""
    width = np.dtype(form).itemsize
    there = _is_there(elements)
    sizes = np.where(there, width, -1)
    cells = _packed(len(elements), [(sizes, ">i4"), (_numbers(elements), form)])
    if elements.null_count == 0:
        return cells, np.arange(len(cells) + 1) * cells.shape[1]
    is_used = np.ones(cells.shape, bool)
    is_used[~there, -width:] = False
    return cells[is_used], _offsets(is_used.sum(axis=1))


def _packed(count: int, numbers: Sequence[tuple[_Numbers, str]]) -> _Bytes:
    """Return numbers side by side as bytes, of shape (count, bytes)."""
    block = np.empty(count, [(f"f{at}", form) for at, (_, form) in enumerate(numbers)])
    for at, (values, _) in enumerate(numbers):
        block[f"f{at}"] = values
    return block.view(np.uint8).reshape(count, block.itemsize)


def _numbers(values: pa.Array, null: int = 0) -> npt.NDArray[np.integer]:
    found: npt.NDArray[np.integer] = values.fill_null(null).to_numpy(zero_copy_only=False)
    return found


def _is_there(values: pa.Array) -> npt.NDArray[np.bool_]:
    found: npt.NDArray[np.bool_] = values.is_valid().to_numpy(zero_copy_only=False)
    return found


def _offsets(lengths: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])


def _strings(data: _Bytes, offsets: npt.NDArray[np.int64]) -> pa.Array:
    """Return byte strings that lie behind one another in ``data``."""
    kept = pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(np.ascontiguousarray(data))
    return pa.Array.from_buffers(pa.binary(), len(offsets) - 1, [None, *kept])
