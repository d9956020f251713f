"""What follows when files of the directory change: a new version, plans, approvals given anew.

All is made on a copy of the workspace (:mod:`kumobashi.planning.candidate`). Online links that were
approved and are permitted afterwards are approved anew; of a bulk link the rows are counted first.
"""

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from kumobashi.directory.document import load as load_document
from kumobashi.directory.entries import Directory
from kumobashi.directory.errors import DirectoryFailed
from kumobashi.planning.approval import Standing, approve, drift, standing
from kumobashi.planning.call_plan import CallPlan
from kumobashi.planning.changes import Change
from kumobashi.planning.decided import Decided
from kumobashi.planning.deciding import plan_of
from kumobashi.planning.publishing import FILE, KEPT, publish_directory, trusted_key
from kumobashi.planning.workspace import Workspace, load


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedLink:
    """What becomes of one link."""

    link: str
    name: str
    is_online: bool
    was: Standing  # before
    is_permitted: bool  # afterwards
    reasons: tuple[tuple[str, str], ...]  # why not: Japanese, English
    changes: tuple[Change, ...]  # against the approved decision
    is_approved: bool  # anew
    is_same: bool  # the decision is what it was: nothing becomes of it
    agreement: str | None  # the agreement between offices that it stands on

    @property
    def stops(self) -> bool:
        """Whether it works now and would not afterwards."""
        return self.was is Standing.APPROVED and not self.is_approved and not self.is_same

    @property
    def goes_on(self) -> bool:
        """Whether it works now and afterwards."""
        return self.was is Standing.APPROVED and not self.stops


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """What was made on the copy."""

    before: Directory | None  # in force; none, or none that is good
    directory: Directory  # signed for the copy
    links: tuple[MovedLink, ...]

    @property
    def version(self) -> int:
        """Return the number of the directory to come."""
        return self.directory.version

    def files(self, copy: Path, changed: Iterable[str]) -> Mapping[str, bytes]:
        """Return what is to be put in place, in an order in which nothing unapproved ever goes."""
        approved = (f"approvals/{one.link}.yaml" for one in self.links if one.is_approved)
        names = (f"{KEPT}/{self.version}.jws", *approved, *changed, FILE)
        return {file: (copy / file).read_bytes() for file in names}


def follow(
    folder: Path,
    copy: Path,
    workspace: Workspace,
    names: Iterable[str],
    *,
    by: str,
    now: datetime,
    on: date,
) -> Followed:
    """Publish the copy of ``folder`` for itself, and plan the links of these ``names`` anew.

    Raises:
        WorkspaceBroken: the files of the copy have mistakes.
        SiteKeysMissing: a site in it has no keys.
    """
    before = in_force(folder, now)
    _lend_keys(folder, copy)
    directory = publish_directory(copy, now=now)
    moved = load(copy)
    links = []
    for name in names:
        was_decided = plan_of(workspace, before, name, on=on)
        approval = workspace.approvals.get(name)
        was = standing(was_decided, approval)
        decided = plan_of(moved, directory, name, on=on)
        is_online = isinstance(decided, CallPlan)
        is_same = (decided.hash, decided.is_permitted) == (
            was_decided.hash,
            was_decided.is_permitted,
        )
        stood = was is Standing.APPROVED and not is_same
        renews = is_online and stood and decided.is_permitted
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
                is_same=is_same,
                agreement=workspace.declared(name).agreement,
            )
        )
    return Followed(before=before, directory=directory, links=tuple(links))


def in_force(folder: Path, now: datetime) -> Directory | None:
    """Return the directory of a workspace; ``None`` when there is none that is good."""
    try:
        return load_document(folder / FILE, trusted=trusted_key(folder), now=now)
    except DirectoryFailed:
        return None


def is_next(folder: Path, version: int, now: datetime) -> bool:
    """Whether ``version`` still follows the directory in force."""
    directory = in_force(folder, now)
    return directory is None or directory.version + 1 == version


def _lend_keys(folder: Path, copy: Path) -> None:
    """Let the copy be signed: by keys where they lie, above the directory that is in force."""
    for kept in ("keys", "private"):
        (copy / kept).symlink_to((folder / kept).absolute(), target_is_directory=True)
    if (folder / FILE).is_file():
        shutil.copyfile(folder / FILE, copy / FILE)


def _reasons(decided: Decided) -> tuple[tuple[str, str], ...]:
    return tuple((reason.ja, reason.en) for reason in decided.reasons)
