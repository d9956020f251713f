"""Move a system to another site: one line of its file, and all that follows from it at once.

Other vendors' systems go on asking for it where they always did. For that nothing may be half done
for long: the new plans, their approvals and the signed directory are made on a copy first, and are
put in place together. Gateways take them over within two seconds, and calls that come in between
wait for it (:mod:`kumobashi.calls.patience`). Source: BMR-GW of the reports, figure 5-3.
"""

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from kumobashi.directory.document import load as load_document
from kumobashi.directory.document import write_durably
from kumobashi.directory.entries import Directory
from kumobashi.directory.errors import DirectoryFailed, SiteUnknown, SystemUnknown
from kumobashi.planning.approval import Standing, approve, drift, standing
from kumobashi.planning.call_plan import CallPlan
from kumobashi.planning.candidate import candidate
from kumobashi.planning.changes import Change
from kumobashi.planning.decided import Decided
from kumobashi.planning.deciding import plan_of
from kumobashi.planning.errors import MoveRefused, WorkspaceMoved
from kumobashi.planning.publishing import FILE, KEPT, publish_directory, trusted_key
from kumobashi.planning.upgrading import Rewrite
from kumobashi.planning.workspace import Workspace, load

_SITE = re.compile(r"""(site:\s*)("[^"]*"|'[^']*'|[\w-]+)""")


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedLink:
    """What becomes of one link of the system."""

    link: str
    name: str
    is_online: bool
    was: Standing  # before
    is_permitted: bool  # afterwards
    reasons: tuple[tuple[str, str], ...]  # why not: Japanese, English
    changes: tuple[Change, ...]  # against the approved decision
    is_approved: bool  # anew, by the move

    @property
    def stops(self) -> bool:
        """Whether it works now and would not afterwards."""
        return self.was is Standing.APPROVED and not self.is_approved


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
    directory_now = _directory(folder, now)
    before = {name: plan_of(workspace, directory_now, name, on=on) for name in names}
    with candidate(folder, {rewrite.file: rewrite.after}) as copy:
        _lend_keys(folder, copy)
        directory = publish_directory(copy, now=now)
        moved = load(copy)
        links = []
        for name in names:
            approval = workspace.approvals.get(name)
            was = standing(before[name], approval)
            decided = plan_of(moved, directory, name, on=on)
            is_online = isinstance(decided, CallPlan)
            renews = is_online and was is Standing.APPROVED and decided.is_permitted
            if renews:
                approve(copy, decided, by=by, at=now, measured=None)
            links.append(
                MovedLink(
                    link=name,
                    name=decided.link.name,
                    is_online=is_online,
                    was=was,
                    is_permitted=decided.is_permitted,
                    reasons=_reasons(decided),
                    changes=tuple(drift(decided, approval)) if approval else (),
                    is_approved=renews,
                )
            )
        kept = f"{KEPT}/{directory.version}.jws"
        put = [kept, *(f"approvals/{one.link}.yaml" for one in links if one.is_approved)]
        files = {file: (copy / file).read_bytes() for file in (*put, rewrite.file, FILE)}
    return Move(
        system=system,
        name=written.name,
        from_site=written.site,
        to_site=to_site,
        rewrite=rewrite,
        links=tuple(links),
        version=directory.version,
        files=files,
    )


def put_in_place(folder: Path, move: Move, *, now: datetime) -> None:
    """Write all that a move changes, each file durably, within milliseconds.

    Raises:
        WorkspaceMoved: the file or the directory is another one than when it was made ready.
    """
    text = (folder / move.rewrite.file).read_text(encoding="utf-8")
    directory = _directory(folder, now)
    if text != move.rewrite.before or (directory and directory.version + 1 != move.version):
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


def _directory(folder: Path, now: datetime) -> Directory | None:
    try:
        return load_document(folder / FILE, trusted=trusted_key(folder), now=now)
    except DirectoryFailed:
        return None


def _lend_keys(folder: Path, copy: Path) -> None:
    """Let the copy be signed: by keys where they lie, above the directory that is in force."""
    for kept in ("keys", "private"):
        (copy / kept).symlink_to((folder / kept).absolute(), target_is_directory=True)
    if (folder / FILE).is_file():
        shutil.copyfile(folder / FILE, copy / FILE)


def _reasons(decided: Decided) -> tuple[tuple[str, str], ...]:
    return tuple((reason.ja, reason.en) for reason in decided.reasons)
