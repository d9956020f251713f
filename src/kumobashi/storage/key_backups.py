"""Backups of a key store: a file of their own, with an end, and nothing erased comes back.

A backup is a tar file, ``keys-<site>-<time>-until-<time>.tar``, whose entries are the wrapped keys.
Without the site's ``seal.key``, which is never in it, it opens nothing.
That it was made is noted in the store, so that a ``deleted`` receipt can name the day when the last
backup ends that may hold the destroyed key.
"""

import io
import json
import os
import re
import tarfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from kumobashi.kernel import from_wire, to_wire
from kumobashi.storage.erasable import BACKUPS, ErasableSecrets, destroy
from kumobashi.storage.errors import BackupEnded, BackupUnreadable, SecretErased
from kumobashi.storage.spool import for_its_owner, on_disk, sync_folder

_ABOUT = "about.json"
_LARGEST = 1 << 16  # bytes of an entry
_NAME = re.compile(r"(in|out|snapshots|histories|proofs)/[0-9a-f-]{36}([-.][0-9]{1,9})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A backup that was written."""

    path: Path
    count: int
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What became of the keys of a backup."""

    restored: int
    there: int
    erased: int


def back_up(
    store: ErasableSecrets, folder: Path, *, site: str, now: datetime, keep: timedelta
) -> Made:
    """Write a backup durably; its end is noted in the store before it exists."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    until = now + keep
    stamp, end = now.strftime("%Y%m%dT%H%M%SZ"), until.strftime("%Y%m%dT%H%M%SZ")
    path = folder / f"keys-{site}-{stamp}-until-{end}.tar"
    about = {"site": site, "made": to_wire(now), "until": to_wire(until)}
    with on_disk("keys"):
        with (store.root / BACKUPS).open("a", encoding="utf-8", newline="\n") as noted:
            noted.write(json.dumps({**about, "name": path.name}) + "\n")
            noted.flush()
            os.fsync(noted.fileno())
        temporary = path.with_suffix(".tmp")
        count = 0
        with open(temporary, "wb", opener=for_its_owner) as file:
            with tarfile.open(fileobj=file, mode="w") as tar:
                _add(tar, _ABOUT, json.dumps(about).encode())
                for shelf, name, secret in store.everything():
                    _add(tar, f"{shelf}/{name}", secret)
                    count += 1
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(folder)
    return Made(path=path, count=count, until=until)


def destroy_ended(folder: Path, *, site: str, now: datetime) -> list[Path]:
    """Overwrite and remove the backups of a site whose end has come; return them."""
    ended = []
    for path in sorted(folder.glob(f"keys-{site}-*-until-*.tar")):
        _, _, end = path.stem.rpartition("-until-")
        try:
            until = datetime.strptime(end + "+0000", "%Y%m%dT%H%M%SZ%z")
        except ValueError:  # not a name of ours
            continue
        if until <= now:
            destroy(path)
            ended.append(path)
    return ended


def bring_back(store: ErasableSecrets, path: Path, *, site: str, now: datetime) -> Restored:
    """Put the keys of a backup into the store, but for those that were erased.

    Raises:
        BackupUnreadable: no backup of this site's keys.
        BackupEnded: it should have been destroyed.
    """
    found = _read(path, site, now)
    there = restored = erased = 0
    for name, secret in found.items():
        shelf, _, rest = name.partition("/")
        if store.get(shelf, rest) is not None:
            there += 1
            continue
        try:
            store.put(shelf, rest, secret)
            restored += 1
        except SecretErased:
            erased += 1
    return Restored(restored=restored, there=there, erased=erased)


def _read(path: Path, site: str, now: datetime) -> dict[str, bytes]:
    """Return the entries, all of them checked before any is used."""
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(path, mode="r:") as tar:
            for member in tar:
                file = tar.extractfile(member) if member.isreg() else None
                if file is None or member.size > _LARGEST or member.name in found:
                    raise BackupUnreadable(file=path.name)
                found[member.name] = file.read()
        about = json.loads(found.pop(_ABOUT))
        until, of = from_wire(about["until"]), about["site"]
    except (OSError, tarfile.TarError, KeyError, TypeError, ValueError):
        raise BackupUnreadable(file=path.name) from None
    if of != site or not all(_NAME.fullmatch(name) for name in found):
        raise BackupUnreadable(file=path.name)
    if until <= now:
        raise BackupEnded(file=path.name, until=about["until"])
    return found


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), 0o600
    tar.addfile(entry, io.BytesIO(content))
