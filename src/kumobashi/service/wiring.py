"""From the workspace to what one run needs: orders for the sender, receptions for the receiver.

The files are read anew for every run, so a change counts from the next run on, and the plan that
was approved is compared with the plan as it is now.
"""

from collections.abc import Callable
from datetime import date
from pathlib import Path

from kumobashi.directory.entries import Directory
from kumobashi.exchange.errors import NotApproved, PlanRefused
from kumobashi.exchange.orders import Bounds, CharacterRule, Order, Reception
from kumobashi.planning.approval import drift
from kumobashi.planning.plan import plan
from kumobashi.planning.workspace import Workspace, load
from kumobashi.routing.finding import route
from kumobashi.service.stores import open_store
from kumobashi.storage.tables import TableStore

_SMALLEST_PART_BYTES = 65_536


class Wiring:
    """Reads a workspace on behalf of one site."""

    def __init__(self, folder: Path, directory: Directory, today: Callable[[], date]) -> None:
        self._folder = folder
        self._directory = directory
        self._today = today

    def workspace(self) -> Workspace:
        """Read the workspace; raise ``WorkspaceBroken`` with all mistakes."""
        return load(self._folder)

    def order(self, link_name: str) -> Order:
        """Return a link ready to run.

        Raises:
            PlanRefused: the plan does not permit it.
            NotApproved: nobody approved it, or the decision has drifted since.
        """
        workspace = self.workspace()
        link = workspace.link(link_name)
        decided = plan(workspace, self._directory, link_name, on=self._today())
        if not decided.permit:
            first = decided.reasons[0]
            raise PlanRefused(link=link_name, first=first.ja)
        approval = workspace.approvals.get(link_name)
        if approval is None:
            raise NotApproved(link=link_name, drift="承認がありません")
        if changed := drift(decided, approval):
            raise NotApproved(link=link_name, drift="、".join(item.ja for item in changed))
        rule = workspace.rules[link.release]
        from_site = workspace.systems[link.from_].site
        receiver = workspace.systems[link.to.system]
        hops = route(self._directory.sites, from_site, receiver.site)
        stores: dict[str, TableStore] = {}
        sources = {}
        for name, reference in rule.datasets.items():
            system, dataset = workspace.dataset(reference)
            store = stores.setdefault(system.system, open_store(self._folder, system))
            sources[name] = (store, dataset.table)
        rows, size = approval.row_bounds(), approval.byte_bounds()
        return Order(
            tenant=workspace.municipality.municipality.code,
            link=link_name,
            plan_hash=decided.hash,
            rule=rule,
            purpose=link.purpose,
            sources=sources,
            from_site=from_site,
            to_site=receiver.site,
            to_system=link.to.system,
            to_dataset=link.to.dataset,
            layout=workspace.layout(f"{link.to.system}.{link.to.dataset}"),
            mode=link.mode,
            form=link.format,
            characters=CharacterRule(
                charset=link.characters.charset,
                substitutes=dict(link.characters.substitutes),
                otherwise=link.characters.otherwise,
            ),
            on_findings=link.on_findings,
            bounds=Bounds(rows=rows, bytes=size),
            recipient=self._directory.site(receiver.site).recipient,
            largest_part_bytes=max(
                _SMALLEST_PART_BYTES,
                min(self._directory.site(hop.to_site).largest_part_bytes for hop in hops),
            ),
        )

    def reception(self, link_name: str) -> Reception:
        """Return what a receiver needs to take a bundle of this link in."""
        workspace = self.workspace()
        link = workspace.link(link_name)
        system = workspace.systems[link.to.system]
        dataset = system.datasets[link.to.dataset]
        return Reception(
            link=link_name,
            from_site=workspace.systems[link.from_].site,
            system=link.to.system,
            dataset=link.to.dataset,
            store=open_store(self._folder, system),
            table=dataset.table,
            layout=workspace.layouts.get(dataset.layout, dataset.version),
            on_findings=link.on_findings,
        )
