"""The console's port for plans: drawn from the workspace, asked for by one, approved by another.

What was asked for and decided is kept in ``var/<site>/decisions.jsonl``, a line each, written
durably and never changed; the approval itself is the workspace's file, as at a terminal.
"""

import json
import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kumobashi.console.ports import Entry, PlanRow, Proposal
from kumobashi.directory.entries import Directory
from kumobashi.evidence.entries import Entry as Record
from kumobashi.exchange.past_runs import past_runs
from kumobashi.exchange.views import Words
from kumobashi.kernel import Clock, from_wire, to_wire
from kumobashi.planning.approval import approve, standing
from kumobashi.planning.call_json import call_json
from kumobashi.planning.call_plan import CallPlan
from kumobashi.planning.call_story import tell_call
from kumobashi.planning.decided import Decided
from kumobashi.planning.graph import graph
from kumobashi.planning.graph_svg import svg
from kumobashi.planning.measured import Measured
from kumobashi.planning.plan import Plan
from kumobashi.planning.plan_json import story_json
from kumobashi.planning.story import tell
from kumobashi.planning.workspace import Workspace
from kumobashi.service.errors import NotProposed, PlanChanged, SamePerson
from kumobashi.service.planned import Planned

if TYPE_CHECKING:
    from datetime import datetime

    from kumobashi.planning.explaining import Explanation

FILE = "decisions.jsonl"
_STATE = "state.db"  # how long past runs took is read beside the gateway's own connection
_MOST_DRAWN = 40  # links
_PROPOSED, _APPROVED = "proposed", "approved"
_SAID = {
    _PROPOSED: Words(ja="承認を依頼", en="approval asked for"),
    _APPROVED: Words(ja="承認", en="approved"),
}
Counter = Callable[[Workspace, Plan], Measured]


class PlanDesk:
    """Plans of the links that one site sends, and the decisions on them."""

    def __init__(
        self,
        *,
        workspace: Callable[[], Workspace],
        directory: Directory,
        planned: Planned,
        site: str,
        folder: Path,
        clock: Clock,
        count: Counter,
        note: Callable[[Record], None],
    ) -> None:
        """Keep decisions in ``folder``, the site's own; ``count`` runs a plan's rule.

        ``note`` writes a decision into the evidence log.
        """
        self._workspace = workspace
        self._directory = directory
        self._planned = planned
        self._site = site
        self._file = folder / FILE
        self._state = folder / _STATE
        self._clock = clock
        self._count = count
        self._evidence = note
        self._lock = threading.Lock()
        self._counts: dict[str, Measured] = {}  # by hash, the last that was counted

    def plans(self) -> list[PlanRow]:
        """Return the plans of all links of this site."""
        workspace, open_ = self._workspace(), self._open()
        rows = []
        for name in self._mine(workspace):
            decided = self._decided(workspace, name)
            approval = workspace.approvals.get(name)
            proposal = open_.get(name)
            rows.append(
                PlanRow(
                    link=name,
                    name=decided.link.name,
                    standing=standing(decided, approval),
                    number=decided.number,
                    approved_by=approval.by if approval else "",
                    approved_at=approval.at if approval else None,
                    proposal=proposal if proposal and proposal.hash == decided.hash else None,
                )
            )
        return rows

    def plan(self, link: str) -> Mapping[str, Any] | None:
        """Return a plan as ``kumobashi plan --json`` gives it."""
        workspace = self._workspace()
        if link not in self._mine(workspace):
            return None
        if link in workspace.calls:
            asked = self._planned.call_plan(workspace, link)
            return call_json(tell_call(workspace, asked, approval=workspace.approvals.get(link)))
        decided = self._planned.plan(workspace, link)
        story = tell(
            workspace,
            decided,
            measured=self._counts.get(decided.hash),
            approval=workspace.approvals.get(link),
            example=self._planned.example(workspace, decided),
            past=past_runs(self._state, tenant=workspace.municipality.municipality.code, link=link),
        )
        return story_json(story)

    def explanation(self, link: str) -> "Explanation | None":
        """Return the rule of a link as a fictional resident goes through it."""
        workspace = self._workspace()
        if link not in self._mine(workspace) or link in workspace.calls:
            return None  # no rule makes the items of an online link
        return self._planned.explanation(workspace, self._planned.plan(workspace, link))

    def proposal(self, link: str) -> Proposal | None:
        """Return the open proposal of a plan as it is now."""
        workspace = self._workspace()
        found = self._open().get(link)
        if found is None or link not in self._mine(workspace):
            return None
        return found if found.hash == self._decided(workspace, link).hash else None

    def propose(self, link: str, digest: str, *, by: str, shown: str) -> None:
        """Ask for the approval of the plan with this hash, and count what it would send.

        Raises:
            PlanChanged: the plan is not the one that was shown.
        """
        with self._lock:
            decided = self._same(link, digest)
            if isinstance(decided, Plan):
                self._counts[decided.hash] = self._count(self._workspace(), decided)
            self._note(_PROPOSED, decided, by, shown, self._clock.now())

    def approve(self, link: str, digest: str, *, by: str, shown: str) -> None:
        """Approve what another has proposed.

        Raises:
            PlanChanged: the plan is not the one that was shown.
            NotProposed: nobody has asked for it.
            SamePerson: whoever asked may not approve.
            PlanRefused: the plan does not permit the link.
        """
        with self._lock:
            decided = self._same(link, digest)
            proposal = self._open().get(link)
            if proposal is None or proposal.hash != decided.hash:
                raise NotProposed(link=link)
            if proposal.by == by:
                raise SamePerson(link=link)
            workspace = self._workspace()
            measured = self._counts.get(decided.hash)
            if measured is None and isinstance(decided, Plan):
                measured = self._count(workspace, decided)
            at = self._clock.now()
            signed = f"{shown}（{by}、依頼 {proposal.shown}）"
            approve(workspace.folder, decided, by=signed, at=at, measured=measured)
            self._note(_APPROVED, decided, by, shown, at)

    def record(self) -> list[Entry]:
        """Return decisions here, approvals in the workspace and the directory, newest first."""
        workspace = self._workspace()
        found = [
            Entry(
                at=from_wire(line["at"]),
                what=_SAID.get(line["event"], Words(ja=line["event"], en=line["event"])),
                link=line["link"],
                who=line["shown"],
            )
            for line in self._lines()
        ]
        noted = {(entry.link, entry.at) for entry in found}
        found += [
            Entry(at=held.at, what=_SAID[_APPROVED], link=name, who=held.by)
            for name, held in workspace.approvals.items()
            if (name, held.at) not in noted
        ]
        version = self._directory.version
        published = Words(
            ja=f"ディレクトリ第{version}版を発行",
            en=f"version {version} of the directory published",
        )
        found.append(
            Entry(
                at=self._directory.issued,
                what=published,
                link=None,
                who=workspace.municipality.municipality.name,
            )
        )
        return sorted(found, key=lambda entry: entry.at, reverse=True)

    @property
    def directory_version(self) -> int:
        """The version of the signed directory that this site has."""
        return self._directory.version

    def picture(self) -> str | None:
        """Return the workspace drawn as SVG; more links than a sheet holds are not drawn."""
        workspace = self._workspace()
        if len(workspace.links) > _MOST_DRAWN:
            return None
        refused = [
            name for name in workspace.links if not self._decided(workspace, name).is_permitted
        ]
        return svg(graph(workspace, refused=refused), is_part=True)

    def _mine(self, workspace: Workspace) -> list[str]:
        return [
            name
            for name, link in sorted(workspace.every_link.items())
            if workspace.systems[link.from_].site == self._site
        ]

    def _decided(self, workspace: Workspace, link: str) -> Plan | CallPlan:
        return self._planned.either(workspace, link)

    def _same(self, link: str, digest: str) -> Plan | CallPlan:
        workspace = self._workspace()
        if link in self._mine(workspace):
            decided = self._decided(workspace, link)
            if decided.hash == digest and decided.is_permitted:
                return decided
        raise PlanChanged(link=link)

    def _open(self) -> dict[str, Proposal]:
        """Return, by link, what was asked for and not decided."""
        found: dict[str, Proposal] = {}
        for line in self._lines():
            if line["event"] == _PROPOSED:
                found[line["link"]] = Proposal(
                    link=line["link"],
                    hash=line["hash"],
                    by=line["by"],
                    shown=line["shown"],
                    at=from_wire(line["at"]),
                )
            else:
                found.pop(line["link"], None)
        return found

    def _lines(self) -> list[dict[str, str]]:
        try:
            text = self._file.read_text(encoding="utf-8")
        except FileNotFoundError:
            return []
        # A crash may leave half a line at the end; it was never durable, and is cut off below.
        whole = text[: text.rfind("\n") + 1]
        return [json.loads(line) for line in whole.splitlines()]

    def _note(self, event: str, decided: Decided, by: str, shown: str, at: "datetime") -> None:
        line = {
            "event": event,
            "link": decided.link.link,
            "hash": decided.hash,
            "by": by,
            "shown": shown,
            "at": to_wire(at),
        }
        self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._file.open("a+b") as file:
            file.seek(0)
            file.truncate(file.read().rfind(b"\n") + 1)  # half a line of a crash
            file.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        basis = decided.link.legal_basis
        facts = {
            "link": decided.link.link,
            "plan_hash": decided.hash,
            "legal_basis": basis.code if basis else None,
        }
        self._evidence(Record(event=f"plan.{event}", at=at, by=f"account:{by}", facts=facts))
