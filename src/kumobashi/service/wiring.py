"""From the workspace to what one run needs: orders for the sender, receptions for the receiver.

The files are looked at for every run and read again when one has changed, so a change counts from
the next run on, and the plan that was approved is compared with the plan as it is now.
"""

import threading
import time
from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from kumobashi.directory.entries import Directory
from kumobashi.exchange.codebooks import Codebooks
from kumobashi.exchange.orders import Bounds, CharacterRule, Coded, Order, Reception
from kumobashi.observe.names import declared
from kumobashi.planning.approval import Limits, limits
from kumobashi.planning.coding import logical_layout
from kumobashi.planning.decided import Decided, Declared
from kumobashi.planning.interfaces import interface_files
from kumobashi.planning.links import LinkFile
from kumobashi.planning.plan import plan
from kumobashi.planning.workspace import Workspace, load
from kumobashi.policy.tables import OWN
from kumobashi.release.errors import CodedLayoutUnlike
from kumobashi.release.rules import LEDGER, TIES
from kumobashi.routing.finding import route
from kumobashi.service.agreeing import needed_by, refuse_what_needs_one
from kumobashi.service.campaign_sources import targeting_of
from kumobashi.service.numbers import subjects_of
from kumobashi.service.protecting import Suspended, open_source
from kumobashi.service.readiness import check_ready
from kumobashi.service.stores import open_store

if TYPE_CHECKING:
    import sqlalchemy as sa

    from kumobashi.service.consents import Consents
    from kumobashi.storage.tables import TableStore

_SMALLEST_PART_BYTES = 65_536
Fingerprint = frozenset[tuple[str, int, int]]


def know_names(workspace: Workspace) -> None:
    """Let logs and metrics say the names that a workspace declares."""
    declared.know([*workspace.sites, *workspace.systems, *workspace.every_link])


class Wiring:
    """Reads a workspace on behalf of one site."""

    def __init__(
        self,
        folder: Path,
        directory: Directory,
        *,
        today: Callable[[], date],
        allow: Callable[[Workspace], None] = lambda _workspace: None,
        agreed: Callable[[Workspace, Declared, Decided], None] = refuse_what_needs_one,
        consents: "Consents | None" = None,
    ) -> None:
        """Read ``folder``; ``allow`` raises when no run may take place in it.

        ``agreed`` raises when no agreement covers the plan of a link that needs one. ``consents``
        are those of the site; without them no rule that asks the ledger can run.
        """
        self._folder = folder
        self._consents = consents
        self._allow = allow
        self._agreed = agreed
        self._directory = directory
        self._today = today
        self._lock = threading.Lock()
        self._held: tuple[Fingerprint, Workspace] | None = None
        self._looked = 0.0  # monotonic seconds

    def workspace(self, *, seconds_old: float = 0.0) -> Workspace:
        """Return the workspace as it is now, or was at most ``seconds_old`` ago.

        Raises:
            WorkspaceBroken: with all mistakes of all files.
        """
        with self._lock:
            if self._held and time.monotonic() - self._looked < seconds_old:
                return self._held[1]
            seen, self._looked = _fingerprint(self._folder), time.monotonic()
            if self._held is None or self._held[0] != seen:
                self._held = (seen, load(self._folder))
                know_names(self._held[1])
            return self._held[1]

    def order(self, link_name: str) -> Order:
        """Return a link ready to run.

        Raises:
            PlanRefused: the plan does not permit it.
            ApprovalMissing: nobody approved it.
            Drifted: the decision has changed since it was approved.
            LeavesTraining: this is training, and something leads to another machine.
            NotCovered, AgreementUnknown, AgreementForged: no agreement in force covers the plan.
        """
        workspace = self.workspace()
        self._allow(workspace)
        link = workspace.link(link_name)
        decided = plan(workspace, self._directory, link_name, on=self._today())
        approval = workspace.approvals.get(link_name)
        check_ready(decided, approval)
        self._agreed(workspace, link, decided)
        rule = workspace.rules[link.release]
        from_site = workspace.systems[link.from_].site
        receiver = workspace.systems[link.to.system]
        hops = route(self._directory.sites, from_site, receiver.site)
        stores: dict[str, TableStore] = {}
        sources: dict[str, tuple[TableStore, str]] = {}
        suspension = self._consents.suspension(link_name) if self._consents else None
        suspended = None
        if suspension:
            of, key = subjects_of(rule)
            suspended = Suspended(of=of, key=key, people=suspension.people)
        for name, reference in rule.datasets.items():
            system, dataset = workspace.dataset(reference)
            store = stores.setdefault(system.system, open_source(workspace, system, suspended))
            sources[name] = (store, dataset.table)
        consents = self._consents.source(rule) if self._consents else None
        if consents:
            sources[LEDGER] = (consents, LEDGER)
        ties = self._consents.tie_source(rule) if self._consents else None
        if ties:
            sources[TIES] = (ties, TIES)
        asked = [one.refuse_changed for one in (suspension, consents) if one]
        approved = limits(approval) if approval else Limits(rows=None, bytes=None)
        return Order(
            tenant=workspace.municipality.municipality.code,
            link=link_name,
            plan_hash=decided.hash,
            basis=link.legal_basis.code if link.legal_basis else None,
            rule=rule,
            purpose=link.purpose,
            sources=sources,
            from_site=from_site,
            to_site=receiver.site,
            to_system=link.to.system,
            to_dataset=link.to.dataset,
            layout=logical_layout(workspace, link),
            coded=self._coded(workspace, link),
            mode=link.mode,
            form=link.format,
            characters=CharacterRule(
                charset=link.characters.charset,
                substitutes=dict(link.characters.substitutes),
                otherwise=link.characters.otherwise,
            ),
            on_findings=link.on_findings,
            bounds=Bounds(rows=approved.rows, bytes=approved.bytes),
            retention=decided.retention,
            targeting=targeting_of(
                workspace,
                [workspace.campaigns[code] for code in rule.campaigns],
                stores,
                suspended,
            )
            if rule.predicate_only
            else None,
            recipient=self._directory.site(receiver.site).recipient,
            largest_part_bytes=max(
                _SMALLEST_PART_BYTES,
                min(self._directory.site(hop.to_site).largest_part_bytes for hop in hops),
            ),
            priority=link.priority,
            is_in_order=link.order == "stream",
            approved_gate=approved.gate,
            refuse_changed=partial(_ask_all, asked) if asked else None,
            ties=ties,
            fallback=link.fallback,
            needed=needed_by(workspace, link),
        )

    def _coded(self, workspace: Workspace, link: LinkFile) -> Coded | None:
        """Return the codes that a link's columns leave under.

        Raises:
            CodebookMissing, CodebookLost: there is none to read.
            CodedLayoutUnlike: the receiver's layout has other columns.
        """
        coding = workspace.rules[link.release].coding
        if coding is None:
            return None
        books = Codebooks(self._folder / "var" / workspace.systems[link.from_].site / "codebooks")
        book = books.read(link.to.system, link.to.dataset, coding.epoch)
        layout = workspace.layout(f"{link.to.system}.{link.to.dataset}")
        if set(layout.names) != set(book.order):
            raise CodedLayoutUnlike(layout=layout.layout, epoch=coding.epoch)
        return Coded(codebook=book, layout=layout)

    def reception(self, link_name: str) -> Reception:
        """Return what a receiver needs to take a bundle of this link in."""
        workspace = self.workspace()
        self._allow(workspace)
        link = workspace.link(link_name)
        system = workspace.systems[link.to.system]
        dataset = system.datasets[link.to.dataset]
        return Reception(
            link=link_name,
            from_site=workspace.systems[link.from_].site,
            system=link.to.system,
            dataset=link.to.dataset,
            store=open_store(self._folder, system, workspace.layouts),
            table=dataset.table,
            layout=workspace.layouts.get(dataset.layout, dataset.version),
            on_findings=link.on_findings,
            shared_with=tuple(
                name
                for name, other in sorted(workspace.links.items())
                if other.to == link.to and name != link_name
            ),
        )


def _ask_all(
    asked: Sequence[Callable[["sa.Connection"], None]], connection: "sa.Connection"
) -> None:
    for refuse_changed in asked:
        refuse_changed(connection)


def _fingerprint(folder: Path) -> Fingerprint:
    """Return what tells one state of the files from another."""
    paths = {*folder.glob("*.y*ml"), *folder.glob("*/*.y*ml"), *folder.glob(f"{OWN}/*.csv")}
    paths.update(interface_files(folder))
    stats = [(str(path), path.stat()) for path in paths]
    return frozenset((name, stat.st_mtime_ns, stat.st_size) for name, stat in stats)
