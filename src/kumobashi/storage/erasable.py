"""Small secrets that must be destroyed one by one, each in a file of its own.

    keys/in/<transfer>-<attempt>.age     at the receiver, and at relays until they have passed it on
    keys/out/<transfer>-<attempt>.age    at the sender, until the last receipt
    keys/snapshots/<transfer>.age        at the sender, as long as its snapshot
    keys/histories/<transfer>-<n>.age    at the sender, as long as what it told is remembered
    keys/channels/<row>.age              at the hall, as long as the address of a resident
    keys/proofs/<transfer>-<attempt>.age no secret: the receipt about what was erased
    keys/erased.txt                      names of what was erased, so that no copy brings it back

They stand apart from everything else so that backups of the rest hold no key: see
``docs/decisions/0019-a-key-for-every-transfer.md``. Erasing renames the file, overwrites it,
flushes it and removes it; what a crash leaves is finished at the next start. A file system that
writes elsewhere (copy on write, flash that levels wear, volume snapshots) may keep the old blocks.
Several processes of a site may have the store open at once.
"""

import json
import os
import secrets
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from kumobashi.kernel import crashpoint, from_wire, new_id, to_micros
from kumobashi.storage.errors import SecretErased
from kumobashi.storage.spool import for_its_owner, on_disk, sync_folder

_BLOCK = 1 << 20  # bytes
_KEPT = ".age"
_GOING = ".going"  # being erased
_HALF = ".tmp"  # being written
ERASED = "erased.txt"
BACKUPS = "backups.jsonl"


class ErasableSecrets:
    """The key store of one site."""

    def __init__(self, root: Path) -> None:
        """Open the store, finishing what a crash left half erased."""
        self.root = root
        self._erased: tuple[int, frozenset[str]] = (0, frozenset())  # with the bytes it was read of
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        for path in root.glob(f"*/*{_GOING}"):
            destroy(path)

    def put(self, shelf: str, name: str, secret: bytes) -> None:
        """Keep a secret durably, destroying an older one of that name.

        Raises:
            SecretErased: one of that name was erased for good.
            SpoolFull, StorageFailed: it is not kept.
        """
        if f"{shelf}/{name}" in self.erased():
            raise SecretErased(name=name)
        folder = self.root / shelf
        if not folder.exists():
            folder.mkdir(exist_ok=True, mode=0o700)
            sync_folder(self.root)
        path = self._path(shelf, name)
        if path.exists():
            self._remove(path)
        temporary = folder / f"{name}.{new_id()}{_HALF}"
        with on_disk("keys"):
            with open(temporary, "xb", opener=for_its_owner) as file:
                file.write(secret)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
            sync_folder(folder)
        if f"{shelf}/{name}" in self.erased():  # meanwhile, by another process
            self.drop(shelf, name)
            raise SecretErased(name=name)

    def get(self, shelf: str, name: str) -> bytes | None:
        """Return a secret, or nothing when it is not here."""
        try:
            return self._path(shelf, name).read_bytes()
        except FileNotFoundError:
            return None

    def names(self, shelf: str) -> list[str]:
        """Return the names on a shelf, sorted, also of what a crash left half written."""
        kept = {path.stem for path in (self.root / shelf).glob(f"*{_KEPT}")}
        half = {_name_of(path) for path in (self.root / shelf).glob(f"*{_HALF}")}
        return sorted(kept | half)

    def drop(self, shelf: str, name: str) -> None:
        """Destroy a secret that is not needed here any more; one of that name may come again."""
        path = self._path(shelf, name)
        if path.exists():
            self._remove(path)
        for half in (self.root / shelf).glob(f"{name}.*{_HALF}"):
            self._remove(half)

    def erase(self, shelf: str, name: str) -> None:
        """Destroy a secret for good: none of that name is taken again, also from a backup."""
        crashpoint("erasing.before_note")
        self._note(f"{shelf}/{name}")
        crashpoint("erasing.noted")
        self.drop(shelf, name)
        crashpoint("erasing.gone")

    def erased(self) -> frozenset[str]:
        """Return the names, with their shelves, of what was erased for good."""
        path = self.root / ERASED
        try:
            size = path.stat().st_size
        except FileNotFoundError:
            return frozenset()
        if size != self._erased[0]:  # it only grows, also by other processes
            text = path.read_text(encoding="ascii")
            self._erased = (len(text), frozenset(line for line in text.split("\n") if line))
        return self._erased[1]

    def everything(self) -> Iterator[tuple[str, str, bytes]]:
        """Yield shelf, name and content of all that is kept."""
        for folder in sorted(path for path in self.root.iterdir() if path.is_dir()):
            for name in self.names(folder.name):
                if (secret := self.get(folder.name, name)) is not None:
                    yield folder.name, name, secret

    def _note(self, line: str) -> None:
        """Append a line durably; what a crash tore off is closed by the next newline."""
        if line in self.erased():
            return
        path = self.root / ERASED
        with on_disk("keys"):
            with path.open("ab") as file:
                file.write(f"\n{line}\n".encode("ascii"))
                file.flush()
                os.fsync(file.fileno())
            path.chmod(0o600)
            sync_folder(self.root)

    def _remove(self, path: Path) -> None:
        going = path.with_name(f"{path.name}.{new_id()}{_GOING}")
        try:
            path.replace(going)
        except FileNotFoundError:  # another process was a moment earlier
            return
        destroy(going)

    def _path(self, shelf: str, name: str) -> Path:
        return self.root / shelf / f"{name}{_KEPT}"


def _name_of(half: Path) -> str:
    """Return the name that a file being written will have: it stands before a fresh id."""
    return half.name.removesuffix(_HALF).rpartition(".")[0]


def destroy(path: Path) -> None:
    """Overwrite a file, flush it, remove it and flush its folder."""
    with on_disk("keys"):
        try:
            with path.open("r+b") as file:
                size = os.fstat(file.fileno()).st_size
                for at in range(0, size, _BLOCK):
                    file.write(secrets.token_bytes(min(_BLOCK, size - at)))
                file.flush()
                os.fsync(file.fileno())
            path.unlink()
        except FileNotFoundError:
            return
        sync_folder(path.parent)


def latest_backup_end(store: ErasableSecrets, since_micros: int) -> datetime | None:
    """Return when the last backup ends that may hold a secret put at or after ``since``."""
    ends = [
        from_wire(str(line["until"]))
        for line in backups(store)
        if to_micros(from_wire(str(line["made"]))) >= since_micros
    ]
    return max(ends, default=None)


def backups(store: ErasableSecrets) -> list[dict[str, str]]:
    """Return the backups that were made of a store: when, until when, under which name."""
    try:
        text = (store.root / BACKUPS).read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in text.splitlines() if line]
