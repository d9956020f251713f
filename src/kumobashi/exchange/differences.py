"""What changed since the last applied transfer of a link: keys and row digests kept at the sender.

After each applied transfer the gateway keeps, for every row that the receiver now has, its key and
a digest of the row, never the row. The file stays in the sender's private folder.
"""

from dataclasses import dataclass
from pathlib import Path

import duckdb

from kumobashi.exchange.packing import OPERATION
from kumobashi.exchange.sealed_files import SEALED, SealedFiles
from kumobashi.exchange.transfer_keys import SNAPSHOTS, TransferKeys
from kumobashi.storage.erasable import destroy
from kumobashi.storage.tables import quoted

_SUFFIX = f".duckdb-{duckdb.__version__}{SEALED}"  # whose digests another version may not make


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Counts of a difference; its rows are in table ``changed`` of the working database."""

    rows: int
    deleted: int


class Snapshots:
    """Digests of what receivers have, one file a transfer."""

    def __init__(self, folder: Path, keys: TransferKeys) -> None:
        self._folder = folder
        self._files = SealedFiles(keys, SNAPSHOTS)

    def exists(self, link: str, transfer: str) -> bool:
        """Whether the state after ``transfer`` is known, and can be read."""
        return self._files.is_there(self._path(link, transfer), transfer)

    def keep(
        self,
        work: duckdb.DuckDBPyConnection,
        link: str,
        transfer: str,
        key: tuple[str, ...],
        *,
        room: Path,
    ) -> None:
        """Write the digests of ``released`` durably, sealed, under the transfer that carries it.

        They hold the keys of rows, so they rest sealed to a key of their own. ``room`` is the
        private folder of the step.
        """
        _make_digests(work, key)
        self._files.write(work, "now_digests", self._path(link, transfer), transfer, room=room)

    def opened(self, link: str, transfer: str, *, room: Path) -> str:
        """Open the state after a transfer into ``room``; return the relation of keys and digests.

        Raises:
            FileNotFoundError, KeyGone, SealFailed: it cannot be read any more.
        """
        return self._files.read(self._path(link, transfer), transfer, room / "state.parquet")

    def drop_older(self) -> int:
        """Remove what releases before this one left: the next run of these links is full."""
        older = [
            path
            for path in self._folder.glob("*/*")
            if path.name.endswith((".parquet", SEALED)) and not path.name.endswith(_SUFFIX)
        ]
        for path in older:
            name = path.name.removesuffix(".age").removesuffix(".parquet")
            self._files.forget_key(name.partition(".duckdb-")[0])
            destroy(path)
        return len(older)

    def forget(self, link: str, transfer: str) -> None:
        """Remove the state after one transfer, its key first."""
        self._files.forget(self._path(link, transfer), transfer)

    def forget_but(self, link: str, transfers: set[str]) -> None:
        """Remove what is not needed any more, its key first."""
        for path in (self._folder / link).glob(f"*{_SUFFIX}"):
            transfer = path.name.removesuffix(_SUFFIX)
            if transfer not in transfers:
                self._files.forget(path, transfer)

    def compare(
        self,
        work: duckdb.DuckDBPyConnection,
        link: str,
        base_transfer: str,
        key: tuple[str, ...],
        columns: tuple[str, ...],
        *,
        room: Path,
    ) -> Difference:
        """Make table ``changed`` of what differs between ``released`` and the base."""
        names = ", ".join(map(quoted, key))
        path = self._path(link, base_transfer)
        before = self._files.read(path, base_transfer, room / "base.parquet")
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
        return self._folder / link / f"{transfer}{_SUFFIX}"


def _make_digests(work: duckdb.DuckDBPyConnection, key: tuple[str, ...]) -> None:
    """Make table ``now_digests`` once: the key of each released row, and a hash of all its values.

    DuckDB's 64-bit hash notices a change, which is all that is asked of it: nobody gains by a
    collision, and of 10^12 changed rows one would be missed with a chance of 10^-7. MD5 over the
    values as text took twelve times as long.
    """
    names = ", ".join(map(quoted, key))
    values = ", ".join(
        # The hash of an empty list is that of null.
        f"coalesce({quoted(name)}::varchar, chr(1))" if kind.endswith("]") else quoted(name)
        for name, kind, *_ in work.execute("describe released").fetchall()
    )
    work.execute(
        "create temp table if not exists now_digests as"
        f" select {names}, hash({values}) as digest from released"
    )
