"""Register, change and retire what the directory holds: files, plans and the directory at once.

Like a move (:mod:`kumobashi.planning.moving`): everything is made ready on a copy and tried there,
then put in place together. What the files were is kept beside the version, so that a change can be
taken back byte for byte, also one that a crash left half done.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from kumobashi.directory.differences import Difference, differences
from kumobashi.directory.document import write_durably
from kumobashi.kernel import to_wire
from kumobashi.planning.candidate import candidate
from kumobashi.planning.entries_written import Place, place_of, text_of
from kumobashi.planning.errors import (
    NothingToUndo,
    StillUsed,
    WorkspaceBroken,
    WorkspaceMoved,
)
from kumobashi.planning.following import MovedLink, follow, is_next
from kumobashi.planning.publishing import FILE, KEPT
from kumobashi.planning.upgrading import diff_of
from kumobashi.planning.workspace import load
from kumobashi.storage.mistakes import Mistake

_KEPT_AS = ".change.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One file as it is and as it would be; ``None``: there is none."""

    file: str
    before: str | None
    after: str | None

    def diff(self) -> str:
        """Return what changes, as ``diff -u`` shows it."""
        return diff_of(self.file, self.before, self.after)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """A change that was made ready; nothing is in place yet."""

    deed: str  # register, change, retire, undo
    entry: str  # "service collection.payments"
    edit: Edit
    links: tuple[MovedLink, ...]  # those that become something else
    differences: tuple[Difference, ...]  # of the directory, against the one in force
    version: int  # of the directory to come
    files: Mapping[str, bytes | None]  # in order; ``None``: the file goes

    @property
    def stopping(self) -> Sequence[MovedLink]:
        """The links that work now and would not afterwards."""
        return [link for link in self.links if link.stops]

    @property
    def is_refused(self) -> bool:
        """Whether it would stop an online link: bulk links are counted and approved anew."""
        return any(link.is_online for link in self.stopping)


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """Who changes something, when, and the day that is planned for."""

    by: str
    now: datetime
    on: date


def register(folder: Path, kind: str, name: str, given: str, at: Occasion) -> Registration:
    """Make a new entry ready; ``given`` is its YAML, of a site or a system the whole file.

    Raises:
        EntryUnfit, RegisteredAlready, NotRegistered: as the file tells.
        WorkspaceBroken: what is given has mistakes.
        SiteKeysMissing: a site has no keys yet.
    """
    place = place_of(kind, name)
    before = text_of(folder, place.file)
    edit = Edit(file=place.file, before=before, after=place.register(before, given))
    return _ready(folder, "register", place, edit, at)


def change(
    folder: Path,
    kind: str,
    name: str,
    new: Mapping[str, Any],
    at: Occasion,
    *,
    without: Iterable[str] = (),
) -> Registration:
    """Make other values ready: ``new`` by dotted keys, ``without`` those that go.

    Raises:
        EntryUnfit, NotRegistered, WorkspaceBroken: as of :func:`register`.
    """
    place = place_of(kind, name)
    before = text_of(folder, place.file)
    edit = Edit(file=place.file, before=before, after=place.change(before, new, tuple(without)))
    return _ready(folder, "change", place, edit, at)


def retire(folder: Path, kind: str, name: str, at: Occasion) -> Registration:
    """Make the end of an entry ready.

    Raises:
        StillUsed: others name it; the lines are in the error.
        EntryUnfit, NotRegistered: as of :func:`register`.
    """
    load(folder)  # what is wrong already is not said to be a use
    place = place_of(kind, name)
    before = text_of(folder, place.file)
    edit = Edit(file=place.file, before=before, after=place.retire(before))
    try:
        return _ready(folder, "retire", place, edit, at)
    except WorkspaceBroken as error:
        raise StillUsed([_use(mistake) for mistake in error.mistakes]) from None


def undo(folder: Path, at: Occasion) -> Registration:
    """Make the newest change ready to be taken back; taking that back is the change again.

    Raises:
        NothingToUndo: none was kept.
        WorkspaceMoved: the file was changed since by somebody else.
    """
    kept = max(
        (folder / KEPT).glob(f"*{_KEPT_AS}"),
        key=lambda path: int(path.name.removesuffix(_KEPT_AS)),
        default=None,
    )
    if kept is None:
        raise NothingToUndo
    said = json.loads(kept.read_text(encoding="utf-8"))
    now = text_of(folder, said["file"])
    if now not in {said["before"], said["after"]}:  # as before: a crash came in between
        raise WorkspaceMoved(file=said["file"])
    place = place_of(*said["entry"].split(" ", 1))
    edit = Edit(file=said["file"], before=now, after=said["before"])
    return _ready(folder, "undo", place, edit, at)


def put_in_place(folder: Path, ready: Registration, at: Occasion) -> None:
    """Write all that a change brings, each file durably, within milliseconds.

    What the file was is kept first, as ``directories/<version>.change.json``.

    Raises:
        WorkspaceMoved: the file or the directory is another one than when it was made ready.
    """
    edit = ready.edit
    if text_of(folder, edit.file) != edit.before or not is_next(folder, ready.version, at.now):
        raise WorkspaceMoved(file=edit.file)
    said = {
        "deed": ready.deed,
        "entry": ready.entry,
        "by": at.by,
        "at": to_wire(at.now),
        "file": edit.file,
        "before": edit.before,
        "after": edit.after,
    }
    body = json.dumps(said, ensure_ascii=False, indent=1).encode()
    write_durably(folder / KEPT / f"{ready.version}{_KEPT_AS}", body + b"\n")
    for file, content in ready.files.items():
        if content is None:
            (folder / file).unlink(missing_ok=True)
        else:
            write_durably(folder / file, content)


def _use(mistake: Mistake) -> Mistake:
    """Tell a line that would be wrong as what it is now: one that names the entry."""
    return replace(
        mistake,
        code=StillUsed.code,
        ja="ここで使われています。",
        en="It is used here.",
        expected="",
        example="",
    )


def _ready(folder: Path, deed: str, place: Place, edit: Edit, at: Occasion) -> Registration:
    workspace = load(folder) if deed != "undo" else None
    with candidate(folder, {edit.file: edit.after}) as copy:
        after = load(copy)
        was = workspace or after  # a half done change may not fit together any more
        names = [name for name in was.every_link if name in after.every_link]
        followed = follow(folder, copy, was, names, by=at.by, now=at.now, on=at.on)
        changed = [edit.file] if edit.after is not None else []
        files: dict[str, bytes | None] = dict(followed.files(copy, changed))
    if edit.after is None:
        files = {
            **{k: v for k, v in files.items() if k != FILE},
            edit.file: None,
            FILE: files[FILE],
        }
    in_force = followed.before
    return Registration(
        deed=deed,
        entry=f"{place.kind} {place.name}",
        edit=edit,
        links=tuple(link for link in followed.links if not link.is_same),
        differences=tuple(differences(in_force, followed.directory)) if in_force else (),
        version=followed.version,
        files=files,
    )
