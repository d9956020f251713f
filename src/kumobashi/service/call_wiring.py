"""From the workspace to what both gateways ask while a call goes by: the online links in force.

Asked for every call, so it looks at the world at most once a second: at the files, at the day, and
at the agreements of links that need one. Plans are made once for a state of the files and a day.
What cannot be read lets nothing through.
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from kumobashi.calls.interconnection.probes import BULK
from kumobashi.calls.permits import CallLink, Operation
from kumobashi.calls.showing import Shown
from kumobashi.directory.entries import Directory
from kumobashi.kernel import KumobashiError
from kumobashi.planning.call_items import answer_keys, request_keys
from kumobashi.planning.call_plan import CallPlan
from kumobashi.planning.decided import Decided, Declared
from kumobashi.planning.errors import LinkUnknown
from kumobashi.planning.inventing import example_answer
from kumobashi.planning.services import AskedOperation
from kumobashi.planning.workspace import Workspace
from kumobashi.service.agreeing import refuse_what_needs_one
from kumobashi.service.planned import Planned
from kumobashi.service.readiness import check_ready

EVERY_SECONDS: Final = 1.0  # so that a withdrawal or a changed file counts within two


@dataclass(frozen=True, slots=True)
class _Ready:
    """What a state of the files and a day make of an online link."""

    link: CallLink
    plan: CallPlan


@dataclass(frozen=True, slots=True)
class Found:
    """What was found when somebody last looked."""

    links: Mapping[tuple[str, str], tuple[CallLink, ...]] = field(default_factory=dict)
    refused: Mapping[str, KumobashiError] = field(default_factory=dict)
    known: tuple[str, ...] = ()
    broken: KumobashiError | None = None  # the workspace cannot be read: nothing is in force

    def refusal(self, link: str) -> KumobashiError | None:
        """Return why a link is not in force; nothing for one that is."""
        if self.broken is not None:
            return self.broken
        if link not in self.known:
            return LinkUnknown(link=link, known=", ".join(self.known))
        return self.refused.get(link)


class CallWiring:
    """Reads the online links of a workspace on behalf of one site; asked from many threads."""

    def __init__(
        self,
        workspace: Callable[[], Workspace],
        directory: Directory,
        planned: Planned,
        *,
        site: str,
        allow: Callable[[Workspace], None] = lambda _workspace: None,
        agreed: Callable[[Workspace, Declared, Decided], None] = refuse_what_needs_one,
    ) -> None:
        """Ask ``workspace`` for the files as they are; ``planned`` keeps the plans made of them.

        ``allow`` raises when nothing may run in a workspace. ``agreed`` raises when no agreement
        covers a plan that needs one; it is asked where the agreement is kept: at the sites where
        the service runs.
        """
        self._workspace = workspace
        self._directory = directory
        self._planned = planned
        self._site = site
        self._allow = allow
        self._agreed = agreed
        self._lock = threading.Lock()
        self._looked: float | None = None  # monotonic seconds
        self._found = Found()
        self._links: dict[str, _Ready] = {}  # kept while their plans are the same objects

    def links(self) -> Mapping[tuple[str, str], tuple[CallLink, ...]]:
        """Return the links in force, by asking system and ``system.service``."""
        return self._now().links

    def refusal(self, link: str) -> KumobashiError | None:
        """Return why a link is not in force; nothing for one that is."""
        return self._now().refusal(link)

    def seen(self) -> "Found":
        """Return links and refusals of one look: asked apart, a link could be in neither."""
        return self._now()

    def tested(self, link: str) -> CallLink:
        """Return a link of either kind as an interconnection test goes by it.

        Raises:
            KumobashiError: why it is not in force.
        """
        workspace = self._workspace()
        self._allow(workspace)
        if link in workspace.calls:
            found = self._now()
            if reason := found.refusal(link):
                raise reason
            return next(one for held in found.links.values() for one in held if one.link == link)
        call, decided = workspace.link(link), self._planned.plan(workspace, link)
        check_ready(decided, workspace.approvals.get(link))
        if workspace.systems[call.from_].site == self._site:
            self._agreed(workspace, call, decided)
        return CallLink(
            link=link,
            asker=call.from_,
            answerer=call.to.system,
            service=BULK,
            sites=(self._directory.system(call.to.system).site,),
            operations=(),
            purpose=call.purpose,
            agreement=call.agreement or "",
            plan=decided.hash,
        )

    def canary(self, link: str) -> Mapping[str, str]:
        """Return a fictional record of a link: what would leave, of nobody there is."""
        workspace = self._workspace()
        if link in workspace.calls:
            return example_answer(workspace, workspace.calls[link], on=self._planned.today())
        decided = self._planned.plan(workspace, link)
        return self._planned.example(workspace, decided).after

    def backend(self, system: str, service: str, *, test: bool) -> str | None:
        """Return where a system answers at this site, below which the version stands, or nothing.

        Raises:
            WorkspaceBroken: the files cannot be read.
        """
        workspace = self._workspace()
        held = workspace.systems.get(system)
        written = held.services.get(service) if held else None
        if held is None or written is None or (written.test_only and not test):
            return None
        if held.site == self._site:
            of_site = workspace.sites[self._site].bases.get(f"{system}.{service}", written.base)
            return written.test_base if test else of_site
        here = next((one for one in held.standby if one.site == self._site), None)
        return here.base.get(service) if here and not test else None

    def _now(self) -> Found:
        with self._lock:
            if self._looked is None or time.monotonic() - self._looked >= EVERY_SECONDS:
                self._found = self._look()
                self._looked = time.monotonic()
            return self._found

    def _look(self) -> Found:
        try:
            workspace = self._workspace()
            self._allow(workspace)
        except KumobashiError as error:
            return Found(broken=error)
        in_force: list[CallLink] = []
        refused: dict[str, KumobashiError] = {}
        for name, call in sorted(workspace.calls.items()):
            try:
                ready = self._ready(workspace, name)
                if self._answers(ready.link):
                    self._agreed(workspace, call, ready.plan)
            except KumobashiError as error:
                refused[name] = error
            else:
                in_force.append(ready.link)
        return Found(links=_by_asker(in_force), refused=refused, known=tuple(workspace.calls))

    def _ready(self, workspace: Workspace, name: str) -> _Ready:
        """Return a link that is permitted and approved; the same object while nothing changed."""
        decided = self._planned.call_plan(workspace, name)
        check_ready(decided, workspace.approvals.get(name))
        held = self._links.get(name)
        if held is None or held.plan is not decided:
            held = self._links[name] = _Ready(self._link(workspace, decided), decided)
        return held

    def _answers(self, link: CallLink) -> bool:
        return self._site in set(link.sites)

    def _link(self, workspace: Workspace, decided: CallPlan) -> CallLink:
        call = decided.link
        system = self._directory.system(call.from_)
        return CallLink(
            link=call.link,
            asker=call.to,
            answerer=call.from_,
            service=call.service,
            sites=(system.site, *system.standby),
            operations=tuple(
                self._operation(workspace, decided, one) for one in decided.operations
            ),
            purpose=call.purpose,
            unit=decided.unit or "",
            kind="+".join(decided.kinds),
            agreement=call.agreement or "",
            plan=decided.hash,
            answer_seconds=call.answer_seconds,
            largest_answer_bytes=call.largest_answer_bytes,
        )

    @staticmethod
    def _operation(workspace: Workspace, decided: CallPlan, one: AskedOperation) -> Operation:
        """Return what is permitted of an operation; only JSON can be looked into."""
        service, _ = workspace.service(decided.link)
        if service.kind != "rest":
            return Operation(
                version=one.version,
                name=one.name,
                method=one.method,
                path=one.path,
                last_day=one.last_day,
            )
        kept, blanked = answer_keys(workspace, decided.link, one)
        return Operation(
            version=one.version,
            name=one.name,
            method=one.method,
            path=one.path,
            given=request_keys(workspace, one),
            shown=Shown(at=one.answer.at, kept=kept, blanked=blanked),
            last_day=one.last_day,
        )


def _by_asker(links: Iterable[CallLink]) -> dict[tuple[str, str], tuple[CallLink, ...]]:
    found: dict[tuple[str, str], tuple[CallLink, ...]] = {}
    for link in links:
        key = (link.asker, link.asked)
        found[key] = (*found.get(key, ()), link)
    return found
