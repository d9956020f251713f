"""Put the overview of a site together: its links, their newest transfers, what the plan refuses."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from kumobashi.directory.entries import Directory
from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.overview import Names, transfer_view
from kumobashi.exchange.reasons import Reasons
from kumobashi.exchange.views import ContactView, Light, LinkView, Overview, Words
from kumobashi.kernel import business_date
from kumobashi.planning.plan import Plan, plan
from kumobashi.planning.workspace import Workspace
from kumobashi.routing.errors import RoutingFailed
from kumobashi.routing.finding import route

_HISTORY = 30


def overview(
    workspace: Workspace,
    directory: Directory,
    ledger: Ledger,
    site: str,
    *,
    now: datetime,
    reasons: Reasons,
) -> Overview:
    """Return what people see of all links that this site sends."""
    links = []
    on = business_date(now)
    for name, view in described(
        workspace, directory, site, lambda link: plan(workspace, directory, link, on=on)
    ).items():
        names = names_for(workspace, directory, name)
        rows = ledger.outgoings(name, limit=_HISTORY + 1)
        runs = tuple(transfer_view(reasons.seen(row), names, now) for row in rows)
        if runs:
            light = view.light if view.light is Light.BLOCKED else runs[0].light
            view = replace(view, light=light, latest=runs[0], history=runs[1:])  # noqa: PLW2901
        links.append(view)
    return Overview(
        municipality_code=workspace.municipality.municipality.code,
        municipality_name=workspace.municipality.municipality.name,
        site=site,
        site_name=directory.site(site).name,
        at=now,
        links=tuple(links),
    )


def described(
    workspace: Workspace, directory: Directory, site: str, decided: Callable[[str], Plan]
) -> dict[str, LinkView]:
    """Return the links that a site sends, by name, as their plans see them; no transfers."""
    return {
        name: _described(workspace, directory, decided(name))
        for name, link in sorted(workspace.links.items())
        if workspace.systems[link.from_].site == site
    }


def _described(workspace: Workspace, directory: Directory, decided: Plan) -> LinkView:
    link = decided.link
    receiver = workspace.systems[link.to.system]
    return LinkView(
        link=link.link,
        name=link.name,
        from_name=workspace.systems[link.from_].name,
        to_name=receiver.name,
        to_site_name=directory.site(receiver.site).name,
        light=Light.NEVER if decided.is_permitted else Light.BLOCKED,
        legal_basis=_basis(decided),
        mode=link.mode,
        daily=link.schedule.daily if link.schedule else None,
        deadline=link.schedule.deadline if link.schedule else None,
        contact=contact_of(workspace, link.contact),
        latest=None,
        blocked=tuple(
            Words(ja=f"{reason.ja}。{reason.remedy_ja}", en=f"{reason.en}. {reason.remedy_en}")
            for reason in decided.reasons
        ),
    )


def names_for(workspace: Workspace, directory: Directory, link_name: str) -> Names:
    """Return the names that a link's transfers are drawn with, and whom to call."""
    link = workspace.link(link_name)
    from_site = workspace.systems[link.from_].site
    receiver = workspace.systems[link.to.system]
    try:
        hops = route(directory.sites, from_site, receiver.site)
        sites = tuple(dict.fromkeys([from_site, *(hop.to_site for hop in hops)]))
    except RoutingFailed:
        sites = (from_site, receiver.site)
    contacts = {
        site: contact_of(workspace, entry.contact) for site, entry in directory.sites.items()
    }
    contacts[receiver.site] = contact_of(workspace, receiver.contact)
    contacts[from_site] = contact_of(workspace, workspace.systems[link.from_].contact)
    return Names(
        sites={site: entry.name for site, entry in directory.sites.items()},
        contacts=contacts,
        route=sites,
    )


def _basis(decided: Plan) -> Words:
    if decided.basis is None:
        return Words(ja="法的根拠なし", en="no legal basis")
    return Words(ja=decided.basis.ja, en=decided.basis.en)


def contact_of(workspace: Workspace, name: str) -> ContactView | None:
    """Return a contact of the workspace by its name, if there is one."""
    contact = workspace.municipality.contacts.get(name)
    if contact is None:
        return None
    return ContactView(name=contact.name, phone=contact.phone, hours=contact.hours)
