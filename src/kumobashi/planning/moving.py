"""Move a system to another site: one line of its file, and all that follows from it at once.

Other vendors' systems go on asking for it where they always did. For that nothing may be half done
for long: the new plans, their approvals and the signed directory are made on a copy first, and are
put in place together. Gateways take them over within two seconds, and calls that come in between
wait for it (:mod:`kumobashi.calls.patience`). Source: BMR-GW of the reports, figure 5-3.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from kumobashi.directory.document import write_durably
from kumobashi.directory.errors import SiteUnknown, SystemUnknown
from kumobashi.planning.candidate import candidate
from kumobashi.planning.errors import MoveRefused, WorkspaceMoved
from kumobashi.planning.following import MovedLink, follow, is_next
from kumobashi.planning.upgrading import Rewrite
from kumobashi.planning.workspace import Workspace, load

_SITE = re.compile(r"""(site:\s*)("[^"]*"|'[^']*'|[\w-]+)""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A move that was made ready; nothing is in place yet."""

    system: str
    name: str
    from_site: str
    to_site: str
    rewrite: Rewrite
    links: tuple[MovedLink, ...]
    version: int  # of the directory that says so
    files: Mapping[str, bytes]  # in the order in which they are put in place


def prepare(folder: Path, system: str, to_site: str, *, by: str, now: datetime, on: date) -> Move:
    """Make a move ready: approvals that stand are given anew ``by`` a person, online links only.

    Of a bulk link the rows are counted before it is approved; that is left to ``kumobashi plan``.

    Raises:
        SystemUnknown, SiteUnknown: there is none of this name.
        MoveRefused: it runs there already, or no system may run there.
        WorkspaceBroken: the files have mistakes, or would have.
    """
    workspace = load(folder)
    written = workspace.systems.get(system)
    if written is None:
        raise SystemUnknown(system=system)
    if to_site not in workspace.sites:
        raise SiteUnknown(site=to_site)
    if written.site == to_site or workspace.sites[to_site].role == "relay":
        raise MoveRefused(system=system, site=to_site, line=f"site: {written.site}")
    rewrite = _rewrite(folder, workspace, system, to_site)
    names = tuple(
        name for name, link in workspace.every_link.items() if system in {link.from_, link.to}
    )
    with candidate(folder, {rewrite.file: rewrite.after}) as copy:
        followed = follow(folder, copy, workspace, names, by=by, now=now, on=on)
        files = followed.files(copy, (rewrite.file,))
    return Move(
        system=system,
        name=written.name,
        from_site=written.site,
        to_site=to_site,
        rewrite=rewrite,
        links=followed.links,
        version=followed.version,
        files=files,
    )


def put_in_place(folder: Path, move: Move, *, now: datetime) -> None:
    """Write all that a move changes, each file durably, within milliseconds.

    Raises:
        WorkspaceMoved: the file or the directory is another one than when it was made ready.
    """
    text = (folder / move.rewrite.file).read_text(encoding="utf-8")
    if text != move.rewrite.before or not is_next(folder, move.version, now):
        raise WorkspaceMoved(file=move.rewrite.file)
    for file, body in move.files.items():
        write_durably(folder / file, body)


def _rewrite(folder: Path, workspace: Workspace, system: str, to_site: str) -> Rewrite:
    """Change the value of one line, and leave whatever stands beside it."""
    file = f"systems/{system}.yaml"
    before = (folder / file).read_text(encoding="utf-8")
    lines = before.splitlines(keepends=True)
    number = workspace.where(file, "site").line - 1
    lines[number] = re.sub(
        r"(site:\s*)(\"[^\"]*\"|'[^']*'|[\w-]+)", rf"\g<1>{to_site}", lines[number]
    )
    there = workspace.sites[to_site].name
    return Rewrite(
        file=file,
        why_ja=(f"{there} へ移す",),
        why_en=(f"moves to {to_site}",),
        before=before,
        after="".join(lines),
    )
