"""Take a file out of a drop folder: once it is whole, kept as it was, so that a re-run sends it.

What is read is a private copy, made whole and flushed before anything looks into it; only then does
the original leave the folder. A file is whole when nobody has written to it for some seconds, or,
where the folder's rule is ``done``, when an empty ``<name>.done`` lies beside it. It must not
change while it is copied either. A crash between keeping and removing leaves both; the note beside
the kept file says that this one was taken.
"""

import contextlib
import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import BinaryIO, Literal

from kumobashi.conversion.dropping import Dropped, FileName, Newness, newest
from kumobashi.conversion.errors import FileChanged
from kumobashi.kernel import crashpoint, new_id
from kumobashi.storage.errors import (
    FileAwaited,
    FileUnsettled,
    FolderUnreachable,
    SpoolFull,
    is_disk_full,
)
from kumobashi.storage.spool import for_its_owner, sync_folder

_NOTE = "taken.json"
_BLOCK = 1 << 20
_LOOK_EVERY_SECONDS = 0.1
_DONE = ".done"
_NEW = "new-"  # folders of a taking that has not ended


@dataclass(frozen=True, slots=True, kw_only=True)
class DropFolder:
    """A folder where others put files, and the private one where those that were taken are kept."""

    system: str
    name: str  # what people call the system
    folder: Path
    kept: Path
    complete: Literal["quiet", "done"] = "quiet"
    quiet_seconds: float = 5.0
    keep_days: int = 31


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A kept file; its bytes never change."""

    path: Path
    digest: str  # SHA-256 in hexadecimal
    newness: Newness


@contextmanager
def usable(drop: DropFolder) -> Iterator[None]:
    """Turn what the file system says into words for people."""
    try:
        yield
    except OSError as error:
        if is_disk_full(error):
            raise SpoolFull(place=drop.system) from None
        raise FolderUnreachable(
            system=drop.system,
            name=drop.name,
            folder=drop.folder.name,
            reason=os.strerror(error.errno or 0),
        ) from None


def take(drop: DropFolder, table: str, name: FileName, on: date) -> Taken:
    """Return the file for a business date: the newest in the folder, else what was kept for it.

    Raises:
        FileAwaited: there is none yet.
        FileUnsettled, FileChanged: it is being written.
        FolderUnreachable, SpoolFull
    """
    kept = drop.kept / table
    with usable(drop):
        kept.mkdir(parents=True, exist_ok=True, mode=0o700)
        _clear(kept, on - timedelta(days=drop.keep_days))
        known = {taken.newness for _, taken in _all_kept(kept)}
        dropped = _dropped(drop, name)
        for file in dropped:
            if file.newness in known:  # a crash had left it behind
                _remove(drop.folder / file.name)
        found = newest(dropped, on=on, taken=max(known, default=None))
        if found is None:
            if held := _kept_for(kept, on):
                return held
            raise _awaited(drop, name, on.isoformat())
        return _keep(drop, found, kept, on)


def peek(drop: DropFolder, table: str, name: FileName, room: Path) -> Taken:
    """Return a copy in ``room`` of the file that a run would take today; nothing is moved."""
    with usable(drop):
        last = max((taken for _, taken in _all_kept(drop.kept / table)), key=_age, default=None)
        found = newest(_dropped(drop, name), on=None, taken=last.newness if last else None)
        if found is None:
            if last and last.path.exists():
                return last
            raise _awaited(drop, name, "-")
        path = drop.folder / found.name
        _wait_until_whole(drop, path)
        digest = _copy(path, room / found.name)
        return Taken(path=room / found.name, digest=digest, newness=found.newness)


def _age(taken: Taken) -> Newness:
    return taken.newness


def _awaited(drop: DropFolder, name: FileName, day: str) -> FileAwaited:
    return FileAwaited(
        system=drop.system,
        name=drop.name,
        folder=drop.folder.name,
        pattern=name.pattern,
        day=day,
    )


def _dropped(drop: DropFolder, name: FileName) -> list[Dropped]:
    found = []
    with os.scandir(drop.folder) as entries:
        for entry in entries:
            said = name.read(entry.name)
            if said is None or not entry.is_file(follow_symlinks=False):
                continue
            stat = entry.stat(follow_symlinks=False)
            # A copy may carry its original's time of writing; that of its arrival is newer.
            arrived = max(stat.st_mtime_ns, stat.st_ctime_ns)
            day = said.day.isoformat() if said.day else ""
            newness = Newness(day, said.sequence, arrived)
            found.append(Dropped(name=entry.name, newness=newness, size=stat.st_size))
    return found


def _wait_until_whole(drop: DropFolder, path: Path) -> None:
    """Return once nobody writes to the file; raise :class:`FileUnsettled` if somebody does."""
    if (path.parent / f"~${path.name}").exists():
        raise FileUnsettled(
            file=path.name, reason_ja="Excel で開いています", reason="open in Excel"
        )
    if drop.complete == "done":
        if not path.with_name(f"{path.name}{_DONE}").exists():
            raise FileUnsettled(
                file=path.name,
                reason_ja=f"{path.name}{_DONE} がまだありません",
                reason=f"there is no {path.name}{_DONE} yet",
            )
        return
    before = _state(path)
    if time.time() - before[1] / 1e9 >= drop.quiet_seconds:
        return
    # Its time of writing is of just now, or of a clock that goes otherwise: look for ourselves.
    end = time.monotonic() + drop.quiet_seconds
    while time.monotonic() < end:
        time.sleep(_LOOK_EVERY_SECONDS)
        if _state(path) != before:
            raise FileUnsettled(
                file=path.name, reason_ja="大きさが変わっています", reason="it grows"
            )


def _keep(drop: DropFolder, found: Dropped, kept: Path, on: date) -> Taken:
    """Copy a file and its note into a folder that appears whole, then remove the original."""
    original = drop.folder / found.name
    _wait_until_whole(drop, original)
    fresh = kept / f"{_NEW}{new_id()}"
    fresh.mkdir(mode=0o700)
    state = _state(original)
    digest = _copy(original, fresh / found.name)
    note = {"file": found.name, "digest": digest, "newness": found.newness}
    _write_flushed(fresh / _NOTE, json.dumps(note, ensure_ascii=False).encode())
    sync_folder(fresh)
    number = 1 + max((_number(path) for path, _ in _all_kept(kept) if _day(path) == on), default=0)
    place = kept / f"{on.isoformat()}-{number:03}"
    crashpoint("files.taking")
    fresh.replace(place)
    sync_folder(kept)
    crashpoint("files.kept")
    if _state(original) == state:  # else somebody has put another one there meanwhile
        _remove(original)
    crashpoint("files.taken")
    return Taken(path=place / found.name, digest=digest, newness=found.newness)


def _remove(original: Path) -> None:
    with contextlib.suppress(PermissionError):  # only its owner may: the note says it was taken
        original.unlink(missing_ok=True)
        original.with_name(f"{original.name}{_DONE}").unlink(missing_ok=True)


def _copy(source: Path, target: Path) -> str:
    """Copy a file, flushed; return its digest, or raise :class:`FileChanged`."""
    whole = hashlib.sha256()
    before = _state(source)
    with source.open("rb") as reading, open(target, "wb", opener=for_its_owner) as writing:
        while block := reading.read(_BLOCK):
            whole.update(block)
            writing.write(block)
        _flush(writing)
    if _state(source) != before or target.stat().st_size != before[0]:
        raise FileChanged(file=source.name)
    return whole.hexdigest()


def _write_flushed(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        _flush(file)


def _flush(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _state(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns, found.st_ino


def _all_kept(kept: Path) -> Iterator[tuple[Path, Taken]]:
    for note in kept.glob(f"*/{_NOTE}"):
        if note.parent.name.startswith(_NEW):
            continue
        said = json.loads(note.read_text(encoding="utf-8"))
        yield (
            note.parent,
            Taken(
                path=note.parent / said["file"],
                digest=said["digest"],
                newness=Newness(*said["newness"]),
            ),
        )


def _kept_for(kept: Path, on: date) -> Taken | None:
    """Return the last file that was taken for a day, if its bytes are still those."""
    held = [
        (path, taken) for path, taken in _all_kept(kept) if _day(path) == on and taken.path.exists()
    ]
    if not held:
        return None
    _, taken = max(held, key=lambda pair: _number(pair[0]))
    whole = hashlib.sha256()
    with taken.path.open("rb") as source:
        while block := source.read(_BLOCK):
            whole.update(block)
    if whole.hexdigest() != taken.digest:
        raise FileChanged(file=taken.path.name)
    return taken


def _day(place: Path) -> date:
    return date.fromisoformat(place.name[:10])


def _number(place: Path) -> int:
    return int(place.name[11:])


def _clear(kept: Path, before: date) -> None:
    """Remove what a crash left half done, and what has been kept long enough."""
    for path in kept.iterdir():
        if path.name.startswith(_NEW):
            shutil.rmtree(path, ignore_errors=True)
    held = list(_all_kept(kept))
    last = max((taken.newness for _, taken in held), default=None)
    for path, taken in held:
        if _day(path) >= before:
            continue
        taken.path.unlink(missing_ok=True)
        if taken.newness != last:  # that note says which files are not new any more
            shutil.rmtree(path, ignore_errors=True)
