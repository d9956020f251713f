"""Where the hall answers the conditions of campaigns: stores and tables, and their data times."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kumobashi.directory.models import DataTimes
from kumobashi.exchange.orders import Targeting
from kumobashi.planning.workspace import Workspace
from kumobashi.release.campaigns import Campaign
from kumobashi.service.protecting import Suspended, open_source

if TYPE_CHECKING:
    from kumobashi.storage.tables import TableStore


def targeting_of(
    workspace: Workspace,
    campaigns: Sequence[Campaign],
    stores: "dict[str, TableStore] | None" = None,
    suspended: Suspended | None = None,
) -> Targeting:
    """Return what the campaigns read; ``stores`` by system are used and added to."""
    opened = stores if stores is not None else {}
    hall: dict[str, tuple[TableStore, str]] = {}
    times: dict[str, tuple[TableStore, str] | None] = {}
    for campaign in campaigns:
        for reference in campaign.datasets.values():
            system, dataset = workspace.dataset(reference)
            if system.system not in opened:
                opened[system.system] = open_source(workspace, system, suspended)
            store = opened[system.system]
            hall[reference] = (store, dataset.table)
            dated = system.as_of
            times[reference] = (store, dated.table) if isinstance(dated, DataTimes) else None
    return Targeting(campaigns=tuple(campaigns), hall=hall, times=times)
