"""Holdings with the words that the workspace, the directory and the ledger have for them."""

from kumobashi.exchange.holding_views import holding_view
from kumobashi.exchange.holdings import Holding
from kumobashi.exchange.views import HoldingView
from kumobashi.planning.errors import LinkUnknown
from kumobashi.planning.workspace import Workspace
from kumobashi.service.endpoint import Endpoint
from kumobashi.service.gateway import Gateway
from kumobashi.service.overviewing import contact_of, names_for


def overdue_views(gateway: Gateway, endpoint: Endpoint) -> tuple[HoldingView, ...]:
    """Return what receivers should have deleted and have not proved."""
    workspace = endpoint.wiring.workspace(seconds_old=1.0)
    late = endpoint.holdings.overdue()
    return tuple(view_of(gateway, workspace, held) for held in late)


def view_of(gateway: Gateway, workspace: Workspace, held: Holding) -> HoldingView:
    """Return a holding with the words that workspace, directory and ledger have for it."""
    site = gateway.directory.sites.get(held.to_site)
    basis = contact = link_contact = None
    relays: tuple[str, ...] = ()
    try:
        link = workspace.link(held.link)
        names = names_for(workspace, gateway.directory, held.link)
        basis = link.legal_basis.code if link.legal_basis else None
        contact, link_contact = (
            names.contacts.get(held.to_site),
            contact_of(workspace, link.contact),
        )
        relays = tuple(s for s in names.route if s not in {held.from_site, held.to_site})
    except LinkUnknown:  # the file of the link is gone; what is held is held all the same
        pass
    return holding_view(
        held,
        now=gateway.clock.now(),
        to_site_name=site.name if site else held.to_site,
        basis=basis,
        contact=contact,
        link_contact=link_contact,
        relays=relays,
    )
