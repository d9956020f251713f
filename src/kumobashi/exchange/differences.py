"""What changed since the last applied transfer of a link: keys and row digests kept at the sender.

After each applied transfer the gateway keeps, for every row that the receiver now has, its key and
a digest of the row, never the row. The file stays in the sender's private folder.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import duckdb

from kumobashi.exchange.packing import OPERATION
from kumobashi.storage.spool import sync_folder
from kumobashi.storage.tables import literal, quoted


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Counts of a difference; its rows are in table ``changed`` of the working database."""

    rows: int
    deleted: int


class Snapshots:
    """Digests of what receivers have, one file a transfer."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def exists(self, link: str, transfer: str) -> bool:
        """Whether the state after ``transfer`` is known."""
        return self._path(link, transfer).exists()

    def keep(
        self, work: duckdb.DuckDBPyConnection, link: str, transfer: str, key: tuple[str, ...]
    ) -> None:
        """Write the digests of ``released`` durably, under the transfer that carries it."""
        _make_digests(work, key)
        path = self._path(link, transfer)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = path.with_suffix(".tmp")
        work.execute(
            f"copy now_digests to {literal(str(temporary))} (format parquet, compression zstd)"
        )
        with temporary.open("r+b") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)

    def forget_but(self, link: str, transfers: set[str]) -> None:
        """Remove what is not needed any more."""
        for path in (self._folder / link).glob("*.parquet"):
            if path.stem not in transfers:
                path.unlink(missing_ok=True)

    def compare(
        self,
        work: duckdb.DuckDBPyConnection,
        link: str,
        base_transfer: str,
        key: tuple[str, ...],
        columns: tuple[str, ...],
    ) -> Difference:
        """Make table ``changed`` of what differs between ``released`` and the base."""
        names = ", ".join(map(quoted, key))
        before = f"read_parquet({literal(str(self._path(link, base_transfer)))})"
        _make_digests(work, key)
        gone = ", ".join(quoted(c) if c in key else f"null as {quoted(c)}" for c in columns)
        put = ", ".join(f"released.{quoted(c)}" for c in columns)
        same = " and ".join(f"released.{quoted(k)} = d.{quoted(k)}" for k in key)
        work.execute(
            f"create temp table changed as select 'put' as {OPERATION}, {put} from released"
            f" join (select {names} from (select * from now_digests except select * from {before}))"
            f" d on {same}"
        )
        work.execute(
            f"insert into changed select 'delete', {gone} from"
            f" (select {names} from {before} except select {names} from now_digests)"
        )
        counts = dict(
            work.execute(f"select {OPERATION}, count(*) from changed group by all").fetchall()
        )
        return Difference(rows=counts.get("put", 0), deleted=counts.get("delete", 0))

    def _path(self, link: str, transfer: str) -> Path:
        return self._folder / link / f"{transfer}.parquet"


def _make_digests(work: duckdb.DuckDBPyConnection, key: tuple[str, ...]) -> None:
    """Make table ``now_digests`` once: the key of each released row, and an MD5 of all its values.

    MD5 notices a change, which is all that is asked of it; nobody gains by a collision. A unit
    separator stands between values and a mark stands for null, so that no two rows look the same.
    """
    columns = [row[0] for row in work.execute("describe released").fetchall()]
    values = ", ".join(f"coalesce({quoted(name)}::varchar, chr(1))" for name in columns)
    names = ", ".join(map(quoted, key))
    work.execute(
        "create temp table if not exists now_digests as"
        f" select {names}, md5(concat_ws(chr(31), {values})) as digest from released"
    )
