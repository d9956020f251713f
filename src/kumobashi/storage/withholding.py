"""Tables whose reader never gives the rows of certain people, whatever is asked of it.

Everything that leaves a site is read through these, so no rule, campaign or export can reach the
people, count them, or find them in anybody's household: for whoever reads they are not there.
Numbers are compared without the blanks and leading zeros with which systems write them.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from kumobashi.storage.tables import (
    Applied,
    HeldBack,
    Load,
    Query,
    Removal,
    Removed,
    TableReader,
    TableStore,
)

People = Callable[[date | None], pa.Array]  # the numbers of a business date; none: now


class WithholdingTables:
    """Meets ``TableStore``; ``keys`` are the columns with people's numbers, by table."""

    def __init__(
        self,
        tables: TableStore,
        *,
        keys: Mapping[str, tuple[str, ...]],
        people: People,
        is_for_people: bool = True,
    ) -> None:
        """``is_for_people`` says whether somebody sees to those who are withheld."""
        self._tables = tables
        self._keys = keys
        self._people = people
        self._is_for_people = is_for_people

    @contextmanager
    def reading(self, on: date | None = None) -> Iterator[TableReader]:
        """Open one snapshot for reading, without those people.

        Raises:
            StoreUnreachable, TableMissing, ColumnMissing: it cannot be said who they are.
        """
        people = comparable(self._people(on))
        with self._tables.reading(on) as reader:
            if not len(people):
                yield reader
                return
            yield WithholdingReader(reader, self._keys, people, is_for_people=self._is_for_people)

    def apply(self, load: Load) -> Applied:
        """Write a load; what arrives is not what leaves."""
        return self._tables.apply(load)

    def remove(self, removal: Removal) -> Removed:
        """Delete what a transfer holds here."""
        return self._tables.remove(removal)


class WithholdingReader:
    """Meets ``TableReader``."""

    def __init__(
        self,
        reader: TableReader,
        keys: Mapping[str, tuple[str, ...]],
        people: pa.Array,
        *,
        is_for_people: bool = True,
    ) -> None:
        self.system = reader.system
        self.is_for_people = is_for_people
        self._reader = reader
        self._keys = keys
        self._people = people
        self._withheld: dict[Query, pa.ChunkedArray] = {}  # numbers, by what was asked

    def columns(self, table: str) -> dict[str, str]:
        """Return column names and types of a table."""
        return self._reader.columns(table)

    def hold_back(self, table: str, *, leave_out: bool) -> HeldBack:
        """Hold the rows against their layout."""
        return self._reader.hold_back(table, leave_out=leave_out)

    def count(self, query: Query) -> int:
        """Return how many rows the query gives."""
        return self._reader.count(query) - len(self.withheld(query))

    def withheld(self, query: Query) -> pa.ChunkedArray:
        """Return the numbers of the rows that a query does not give, as the table writes them."""
        keys = self._keys.get(query.table, ())
        if not keys:
            return pa.chunked_array([], pa.string())
        asked = replace(query, columns=keys)
        if asked not in self._withheld:
            with self.stream(asked) as rows:
                for _ in rows:
                    pass
        return self._withheld[asked]

    @contextmanager
    def stream(self, query: Query) -> Iterator[pa.RecordBatchReader]:
        """Give the rows in batches; memory stays bounded."""
        keys = self._keys.get(query.table, ())
        if not keys:
            with self._reader.stream(query) as rows:
                yield rows
            return
        more = tuple(dict.fromkeys((*query.columns, *keys)))
        found: list[pa.Array] = []
        failed: list[BaseException] = []

        def kept(rows: pa.RecordBatchReader, columns: list[str]) -> Iterator[pa.RecordBatch]:
            try:
                for batch in rows:
                    theirs = self._theirs(batch, keys)
                    if pc.any(theirs).as_py():
                        mine = batch.filter(theirs)
                        found.append(mine.column(keys[0]).cast(pa.string()))
                        batch = batch.filter(pc.invert(theirs))  # noqa: PLW2901
                    yield batch.select(columns)
            except BaseException as error:
                failed.append(error)
                raise

        with self._reader.stream(replace(query, columns=more)) as rows:
            columns = list(query.columns)
            schema = pa.schema([rows.schema.field(name) for name in columns])
            try:
                yield pa.RecordBatchReader.from_batches(schema, kept(rows, columns))
            except Exception:
                if failed:  # what the source itself raised says more than the reader between
                    raise failed[0] from None
                raise
        asked = replace(query, columns=keys)
        self._withheld[asked] = pa.chunked_array(found, pa.string())

    def _theirs(self, batch: pa.RecordBatch, keys: tuple[str, ...]) -> pa.Array:
        theirs = pa.nulls(batch.num_rows, pa.bool_()).fill_null(False)  # noqa: FBT003 - a value
        for key in keys:
            numbers = comparable(batch.column(key))
            theirs = pc.or_(theirs, pc.is_in(numbers, self._people, skip_nulls=True))
        return theirs


def comparable(numbers: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Return numbers as they are compared: in half width, without blanks and leading zeros.

    >>> comparable(pa.array(["0012", " 12 ", "１２", None, "0"])).to_pylist()
    ['12', '12', '12', None, '']
    """
    whole = numbers.combine_chunks() if isinstance(numbers, pa.ChunkedArray) else numbers
    text = whole.cast(pa.string())
    if pc.all(pc.string_is_ascii(text)).as_py() is not False:  # a tenth of the time
        return pc.ascii_ltrim(pc.ascii_trim_whitespace(text), characters="0")
    narrow = pc.utf8_normalize(text, form="NFKC")
    return pc.utf8_ltrim(pc.utf8_trim_whitespace(narrow), characters="0")
