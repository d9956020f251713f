"""Files that lie elsewhere as a system's tables: meets ``TableStore``.

Between the place and the tables lies a folder of this site's own, so that a file that was half
fetched is never read and one that was half sent is never seen. What is there is fetched into
``inbox`` and read as any dropped file is; what is applied is written whole into ``outbox``, and
then put there. A note says what was fetched, for what was taken may stay where it is: whoever
provides files often lets nobody else remove them.

If this machine dies after a file was put and before that was noted, and the partner has taken it
away in between, it is put once more: the same name, the same bytes.
"""

import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from kumobashi.conversion.dropping import FileName
from kumobashi.conversion.errors import FileChanged
from kumobashi.conversion.folder_tables import FolderTables
from kumobashi.conversion.remote.errors import NameTaken
from kumobashi.conversion.remote.places import Listed, RemoteFolder, RemotePlace
from kumobashi.kernel import crashpoint, new_id
from kumobashi.storage.errors import SpoolFull, is_disk_full
from kumobashi.storage.sole_use import alone
from kumobashi.storage.spool import sync_folder
from kumobashi.storage.tables import Applied, Load, Removal, Removed, TableReader

_NOTE = "fetched.json"
_DONE = ".done"
_FETCHING = "fetching-"
_LOCK = "elsewhere.lock"
Since = tuple[str, float]  # a version, and when it was first seen, by our clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Rooms:
    """Folders of this site's own."""

    private: Path  # for the note
    inbox: Path
    outbox: Path

    def make(self) -> None:
        """Make those that are not there."""
        for folder in (self.private, self.inbox, self.outbox):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What partners have agreed on."""

    patterns: Sequence[FileName]  # of the files that are meant
    has_done_marks: bool = False  # an empty <file>.done says that the file is whole
    quiet_seconds: float = 5.0  # nobody has written for so long, where files grow
    removes_taken: bool = False


class RemoteTables:
    """Meets ``TableStore``."""

    def __init__(
        self,
        place: RemotePlace,
        *,
        reader: FolderTables,
        writer: FolderTables,
        rooms: Rooms,
        rules: Rules,
    ) -> None:
        """``reader`` reads the inbox, ``writer`` writes the outbox."""
        self.system = reader.system
        self.name = reader.name
        self._place = place
        self._reader = reader
        self._writer = writer
        self._rooms = rooms
        self._rules = rules

    @contextmanager
    def reading(self, on: date | None = None) -> Iterator[TableReader]:
        """Fetch what is new, and open what was fetched, as :meth:`FolderTables.reading` does."""
        with self._alone(), self._place.opened() as folder, _room_here(self.system):
            self._pull(folder)
        with self._reader.reading(on) as reader:
            yield reader

    def apply(self, load: Load) -> Applied:
        """Write the rows and the file, then put it there; what is left of before goes first.

        Raises:
            FolderUnreachable: the rows are held, and the file follows when it can.
            NameTaken, ConditionIgnored: nothing is overwritten.
        """
        with self._alone():
            if self._waiting():
                self._push("")
            applied = self._writer.apply(load)
            crashpoint("remote.written")
            noted = self._writer.delivered_as(load.tenant, load.transfer)
            self._push(noted[0] if noted else "")
            return applied

    def remove(self, removal: Removal) -> Removed:
        """Delete the rows and the file, here and there; what the partner has taken is theirs."""
        with self._alone():
            noted = self._writer.delivered_as(removal.tenant, removal.transfer)
            removed = self._writer.remove(removal)
            if noted is not None:
                name, digest = noted
                with self._place.opened() as folder:
                    if folder.digest(name) == digest:
                        folder.remove(name + _DONE)
                        folder.remove(name)
            return removed

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Let one thread of one process at a time fetch or put."""
        self._rooms.make()
        with alone(self._rooms.private / _LOCK, self.system):
            yield

    def _pull(self, folder: RemoteFolder) -> None:
        listed = {file.name: file for file in folder.listed()}
        fetched, seen = self._noted()
        kept = {name: version for name, version in fetched.items() if name in listed}
        for file in listed.values():
            if not any(pattern.read(file.name) for pattern in self._rules.patterns):
                continue
            if kept.get(file.name) == file.version:
                if self._rules.removes_taken and not (self._rooms.inbox / file.name).exists():
                    folder.remove(file.name + _DONE)
                    folder.remove(file.name)
                continue
            if not self._is_whole(file, listed, seen):
                continue
            try:
                self._fetch(folder, file)
            except FileChanged:  # the next look sees what it has become
                continue
            kept[file.name] = file.version
            self._note(kept, seen)
        still = {name: since for name, since in seen.items() if name in listed and name not in kept}
        self._note(kept, still)

    def _is_whole(self, file: Listed, listed: dict[str, Listed], seen: dict[str, Since]) -> bool:
        if self._rules.has_done_marks:
            return file.name + _DONE in listed
        if self._place.is_whole_at_once:
            return True
        now = time.time()
        if now - file.modified.timestamp() >= self._rules.quiet_seconds:
            return True
        # Their clock may be ahead of ours: then only what we have seen ourselves counts.
        version, since = seen.setdefault(file.name, (file.version, now))
        if version != file.version:
            seen[file.name] = (file.version, now)
            return False
        return now - since >= self._rules.quiet_seconds

    def _fetch(self, folder: RemoteFolder, file: Listed) -> None:
        for left in self._rooms.private.glob(f"{_FETCHING}*"):
            left.unlink(missing_ok=True)
        coming = self._rooms.private / f"{_FETCHING}{new_id()}"
        folder.fetch(file, coming)
        with coming.open("rb+") as written:
            os.fsync(written.fileno())
        if self._rules.has_done_marks:
            (self._rooms.inbox / (file.name + _DONE)).touch()
        coming.replace(self._rooms.inbox / file.name)
        sync_folder(self._rooms.inbox)
        crashpoint("remote.fetched")

    def _push(self, needed: str) -> None:
        """Put what waits; another's file under the name of an older one of ours stops nobody."""
        with self._place.opened() as folder:
            for file in self._waiting():
                mark = file.with_name(file.name + _DONE)
                if mark.exists():
                    folder.remove(mark.name)  # of an older file under this name
                try:
                    folder.put(file, file.name, self._writer.digests_of(file.name))
                except NameTaken:
                    if file.name == needed:
                        raise
                    continue
                crashpoint("remote.put")
                if mark.exists():
                    folder.put(mark, mark.name)
                mark.unlink(missing_ok=True)
                file.unlink()
        sync_folder(self._rooms.outbox)

    def _waiting(self) -> list[Path]:
        """Return the files to be put, the oldest first."""
        found = [path for path in self._rooms.outbox.iterdir() if path.is_file()]
        whole = [path for path in found if path.suffix != _DONE]
        return sorted(whole, key=lambda path: (path.stat().st_mtime_ns, path.name))

    def _noted(self) -> tuple[dict[str, str], dict[str, Since]]:
        """Return the versions that were fetched, and since when others are as they are."""
        try:
            found = json.loads((self._rooms.private / _NOTE).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}, {}
        seen = {str(name): (str(one[0]), float(one[1])) for name, one in found["seen"].items()}
        return {str(name): str(version) for name, version in found["fetched"].items()}, seen

    def _note(self, fetched: dict[str, str], seen: dict[str, Since]) -> None:
        if (fetched, seen) == self._noted():
            return
        path = self._rooms.private / _NOTE
        fresh = path.with_suffix(".new")
        with fresh.open("w", encoding="utf-8", newline="\n") as writing:
            json.dump({"fetched": fetched, "seen": seen}, writing, ensure_ascii=False)
            writing.flush()
            os.fsync(writing.fileno())
        fresh.replace(path)
        sync_folder(path.parent)


@contextmanager
def _room_here(system: str) -> Iterator[None]:
    """Tell a full disk here from a place that does not answer."""
    try:
        yield
    except OSError as error:
        if is_disk_full(error):
            raise SpoolFull(place=system) from None
        raise
