"""Room to work: free disk and file entries against what a night needs, and ports.

>>> disk(Room(free=10 << 30, entries=None), need=1 << 30, where=".").state.name
'GOOD'
>>> disk(Room(free=1 << 30, entries=None), need=1 << 30, where=".").state.name
'WRONG'
"""

import errno
import os
import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from kumobashi.cli.checkup.checks import Check, State, fine, words

if TYPE_CHECKING:
    from kumobashi.planning.workspace import Workspace

_RESERVE_BYTES = 2 << 30  # left over after a night: a full disk stops everything
# The rows in the working database, as a file, sealed, and as parts: each link once, none cleared.
_COPIES = 4
_FEWEST_ENTRIES = 10_000
_DISK = words("空き容量", "Free disk")


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Bytes and entries for files that are free; no entries: this disk does not count them."""

    free: int
    entries: int | None


def checks(folder: Path, workspace: "Workspace | None") -> Iterator[Check]:
    """Look at the disk of the workspace."""
    place = folder / "var" if (folder / "var").is_dir() else folder
    yield disk(room(place), need=night(workspace) if workspace else 0, where=str(place))


def room(place: Path) -> Room:
    """Return what is free at a place."""
    free, entries = shutil.disk_usage(place).free, None
    if hasattr(os, "statvfs"):
        found = os.statvfs(place)
        entries = found.f_favail if found.f_files else None
    return Room(free=free, entries=entries)


def night(workspace: "Workspace") -> int:
    """Return the bytes that a night needs: the most that was approved of every link, in copies."""
    from kumobashi.planning.approval import limits

    most = 0
    for approval in workspace.approvals.values():
        bounds = limits(approval).bytes
        most += bounds[1] if bounds else 0
    return most * _COPIES


def disk(found: Room, *, need: int, where: str) -> Check:
    """Judge the free room."""
    least = need + _RESERVE_BYTES
    night_ja, night_en = (
        (f"一晩に {_gib(need)}", f"a night takes {_gib(need)}")
        if need
        else ("一晩の量は未承認のため不明", "what a night takes is not approved yet")
    )
    said = words(
        f"{_gib(found.free)}（{night_ja}、予備 {_gib(_RESERVE_BYTES)}）",
        f"{_gib(found.free)} ({night_en}, {_gib(_RESERVE_BYTES)} in reserve)",
    )
    expected = words(f"{_gib(least)} 以上", f"{_gib(least)} at least")
    if found.free < least:
        return Check(
            code="doctor.disk",
            name=_DISK,
            state=State.WRONG,
            said=said,
            where=where,
            expected=expected,
            remedy=words(
                f"{_gib(least - found.free)} 以上空けてください。",
                f"Free {_gib(least - found.free)} at least.",
            ),
        )
    if found.entries is not None and found.entries < _FEWEST_ENTRIES:
        return Check(
            code="doctor.disk_entries",
            name=_DISK,
            state=State.WRONG,
            said=words(
                f"作れるファイルはあと {found.entries:,} 個です（inode）",
                f"room for {found.entries:,} more files (inodes)",
            ),
            where=where,
            expected=words(f"{_FEWEST_ENTRIES:,} 個以上", f"{_FEWEST_ENTRIES:,} at least"),
            remedy=words("小さなファイルの多い所を片づけてください。", "Clear away small files."),
        )
    if found.free < 2 * least:
        return Check(
            code="doctor.disk",
            name=_DISK,
            state=State.CAUTION,
            said=said,
            where=where,
            expected=words(f"できれば {_gib(2 * least)}", f"better {_gib(2 * least)}"),
            remedy=words("増える前に空けてください。", "Free some before it grows."),
        )
    return fine("doctor.disk", _DISK, said, where=where)


def _gib(count: int) -> str:
    return f"{count / (1 << 30):,.1f} GiB"


def port(site: str, url: str) -> Check | None:
    """Say when another program has the port of a site of this machine."""
    parts = urlsplit(url)
    number = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        with socket.create_server((parts.hostname or "", number)):
            return None
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            return None  # an address of another machine, or a port that only root may take
    return Check(
        code="doctor.port",
        name=words(f"ポート {site}", f"Port {site}"),
        state=State.WRONG,
        said=words(
            f"{number} 番を別のプログラムが使っています", f"another program has port {number}"
        ),
        where=url,
        expected=words("空いている", "free"),
        remedy=words(
            f"そのプログラムを止めるか、sites/{site}.yaml の url を変えて発行し直してください。",
            f"Stop that program, or change the url in sites/{site}.yaml and publish again.",
        ),
    )
