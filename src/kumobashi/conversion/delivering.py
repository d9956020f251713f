"""Put a file into a folder exactly once per transfer, whoever dies when.

A file is written whole and flushed beside the folder's others under ``.kumobashi/``, noted, given
its name in one step, and noted again:

    (nothing) → written → delivered

After a crash the note says where to go on: nothing noted, and a file half written is written anew;
``written`` and the file still waits, and it gets its name; ``written`` and it does not wait any
more, and it had its name already, even if the partner has fetched it since.
"""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from kumobashi.kernel import crashpoint
from kumobashi.storage.spool import sync_folder

WAITING = ".kumobashi"  # in the folder itself: giving a name works within one file system only
_BLOCK = 1 << 20
_CREATE = """
create table if not exists kumobashi_delivered (
  tenant text not null, transfer text not null, file text not null, digest text not null,
  stage text not null, primary key (tenant, transfer))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One file to deliver, and the transfer that it stands for."""

    tenant: str
    transfer: str
    file: str
    folder: Path
    done_mark: bool = False  # an empty <file>.done follows the file


def is_delivered(notes: duckdb.DuckDBPyConnection, tenant: str, transfer: str) -> bool:
    """Whether a transfer's file has its name."""
    noted = _noted(notes, tenant, transfer)
    return noted is not None and noted[2] == "delivered"


def deliver(
    notes: duckdb.DuckDBPyConnection, delivery: Delivery, write: Callable[[Path], None]
) -> None:
    """Write a file with ``write`` and give it its name, or go on where a crash ended that."""
    key = [delivery.tenant, delivery.transfer]
    waiting = delivery.folder / WAITING / f"{delivery.transfer}-{delivery.file}"
    noted = _noted(notes, *key)
    if noted and noted[2] == "delivered":
        return
    if noted is None or (waiting.exists() and _digest(waiting) != noted[1]):
        waiting.parent.mkdir(exist_ok=True)
        write(waiting)
        with waiting.open("rb+") as file:
            os.fsync(file.fileno())
        sync_folder(waiting.parent)
        crashpoint("files.written")
        notes.execute(
            "insert or replace into kumobashi_delivered values (?, ?, ?, ?, 'written')",
            [*key, delivery.file, _digest(waiting)],
        )
        name = delivery.file
    else:
        name = noted[0]
    crashpoint("files.noted")
    final = delivery.folder / name
    if waiting.exists():
        waiting.replace(final)
        sync_folder(delivery.folder)
    crashpoint("files.named")
    if delivery.done_mark and final.exists():
        (delivery.folder / f"{name}.done").touch()
        sync_folder(delivery.folder)
    notes.execute(
        "update kumobashi_delivered set stage = 'delivered' where tenant = ? and transfer = ?", key
    )
    crashpoint("files.delivered")


def withdraw(notes: duckdb.DuckDBPyConnection, delivery: Delivery) -> bool:
    """Remove a transfer's file wherever it still lies; return whether it lay in the folder.

    What has the name by now but is another file stays: the name may have been used again. What the
    partner has fetched is the partner's.
    """
    noted = _noted(notes, delivery.tenant, delivery.transfer)
    for waiting in (delivery.folder / WAITING).glob(f"{delivery.transfer}-*"):
        waiting.unlink(missing_ok=True)
    if noted is None:
        return False
    final = delivery.folder / noted[0]
    if not final.is_file() or _digest(final) != noted[1]:
        return False
    final.with_name(f"{final.name}.done").unlink(missing_ok=True)
    final.unlink(missing_ok=True)
    sync_folder(delivery.folder)
    return True


def delivered_as(
    notes: duckdb.DuckDBPyConnection, tenant: str, transfer: str
) -> tuple[str, str] | None:
    """Return the name and the digest of a transfer's file; nothing when none was written."""
    noted = _noted(notes, tenant, transfer)
    return noted[:2] if noted else None


def digests_of(notes: duckdb.DuckDBPyConnection, file: str) -> frozenset[str]:
    """Return the digests of all files that were written under a name."""
    notes.execute(_CREATE)
    query = "select digest from kumobashi_delivered where file = ?"
    return frozenset(str(row[0]) for row in notes.execute(query, [file]).fetchall())


def _noted(
    notes: duckdb.DuckDBPyConnection, tenant: str, transfer: str
) -> tuple[str, str, str] | None:
    notes.execute(_CREATE)
    found = notes.execute(
        "select file, digest, stage from kumobashi_delivered where tenant = ? and transfer = ?",
        [tenant, transfer],
    ).fetchall()
    return found[0] if found else None


def _digest(path: Path) -> str:
    whole = hashlib.sha256()
    with path.open("rb") as source:
        while block := source.read(_BLOCK):
            whole.update(block)
    return whole.hexdigest()
