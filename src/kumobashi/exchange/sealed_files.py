"""Relations that rest as files, each sealed to a key of its own that can be destroyed."""

import os
from pathlib import Path

import duckdb

from kumobashi.exchange.transfer_keys import TransferKeys
from kumobashi.storage.spool import sync_folder
from kumobashi.storage.tables import literal

SEALED = ".parquet.age"
HALF = ".tmp"  # being written


class SealedFiles:
    """Files of one kind at one site; ``shelf`` is where their keys lie, by name."""

    def __init__(self, keys: TransferKeys, shelf: str) -> None:
        self._keys = keys
        self._shelf = shelf

    def write(
        self,
        work: duckdb.DuckDBPyConnection,
        relation: str,
        path: Path,
        name: str,
        *,
        room: Path,
    ) -> None:
        """Write a relation durably, sealed; ``room`` is the private folder of the step."""
        plain = room / "rests.parquet"
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        work.execute(
            f"copy (from {relation}) to {literal(str(plain))} (format parquet, compression zstd,"
            " compression_level 1)"
        )
        temporary = path.with_suffix(HALF)
        with temporary.open("wb") as file:
            self._keys.seal_file(plain, file, self._shelf, name)
            file.flush()
            os.fsync(file.fileno())
        plain.unlink()
        temporary.replace(path)
        sync_folder(path.parent)

    def read(self, path: Path, name: str, plain: Path) -> str:
        """Open a file into ``plain``, in a private folder; return the relation that reads it.

        Raises:
            FileNotFoundError, KeyGone, SealFailed: it cannot be read any more.
        """
        with path.open("rb") as source, plain.open("wb") as target:
            self._keys.open_file(source, target, self._shelf, name)
        return f"read_parquet({literal(str(plain))})"

    def is_there(self, path: Path, name: str) -> bool:
        """Whether a file can be read."""
        return path.exists() and self._keys.has_file(self._shelf, name)

    def forget(self, path: Path, name: str) -> None:
        """Remove a file, its key first: with the key goes every copy."""
        self._keys.forget_file(self._shelf, name)
        path.unlink(missing_ok=True)

    def forget_key(self, name: str) -> None:
        """Destroy the key of a file that is removed in another way."""
        self._keys.forget_file(self._shelf, name)
