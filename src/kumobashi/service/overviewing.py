"""Put the overview of a site together: its links, their newest transfers, what the plan refuses."""

from collections.abc import Iterable
from datetime import datetime

from kumobashi.directory.entries import Directory
from kumobashi.exchange.ledger import Ledger, Outgoing
from kumobashi.exchange.overview import Names, transfer_view
from kumobashi.exchange.views import ContactView, Light, LinkView, Overview, TransferView, Words
from kumobashi.kernel import business_date
from kumobashi.planning.plan import Plan, plan
from kumobashi.planning.workspace import Workspace
from kumobashi.routing.errors import RoutingFailed
from kumobashi.routing.finding import route

_HISTORY = 30


def overview(
    workspace: Workspace, directory: Directory, ledger: Ledger, site: str, now: datetime
) -> Overview:
    """Return what people see of all links that this site sends."""
    mine = [
        name
        for name, link in sorted(workspace.links.items())
        if workspace.systems[link.from_].site == site
    ]
    rows = ledger.outgoings()
    links = [
        link_view(workspace, directory, name, [row for row in rows if row.link == name], now)
        for name in mine
    ]
    return Overview(
        municipality_code=workspace.municipality.municipality.code,
        municipality_name=workspace.municipality.municipality.name,
        site=site,
        site_name=directory.site(site).name,
        at=now,
        links=tuple(links),
    )


def link_view(
    workspace: Workspace,
    directory: Directory,
    name: str,
    rows: Iterable[Outgoing],
    now: datetime,
) -> LinkView:
    """Return one link with its transfers, the newest first."""
    link = workspace.link(name)
    decided = plan(workspace, directory, name, on=business_date(now))
    names = names_for(workspace, directory, name)
    views = [transfer_view(row, names, now) for row in rows]
    latest = views[0] if views else None
    receiver = workspace.systems[link.to.system]
    return LinkView(
        link=name,
        name=link.name,
        from_name=workspace.systems[link.from_].name,
        to_name=receiver.name,
        to_site_name=directory.site(receiver.site).name,
        light=_light(decided, latest),
        legal_basis=_basis(decided),
        mode=link.mode,
        daily=link.schedule.daily if link.schedule else None,
        deadline=link.schedule.deadline if link.schedule else None,
        contact=_contact(workspace, link.contact),
        latest=latest,
        blocked=tuple(
            Words(ja=f"{reason.ja} {reason.remedy_ja}", en=f"{reason.en} {reason.remedy_en}")
            for reason in decided.reasons
        ),
        history=tuple(views[1 : _HISTORY + 1]),
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
    contacts = {site: _contact(workspace, entry.contact) for site, entry in directory.sites.items()}
    contacts[receiver.site] = _contact(workspace, receiver.contact)
    contacts[from_site] = _contact(workspace, workspace.systems[link.from_].contact)
    return Names(
        sites={site: entry.name for site, entry in directory.sites.items()},
        contacts=contacts,
        route=sites,
    )


def _light(decided: Plan, latest: TransferView | None) -> Light:
    if not decided.is_permitted:
        return Light.BLOCKED
    return latest.light if latest else Light.NEVER


def _basis(decided: Plan) -> Words:
    if decided.basis is None:
        return Words(ja="法的根拠なし", en="no legal basis")
    return Words(ja=decided.basis.ja, en=decided.basis.en)


def _contact(workspace: Workspace, name: str) -> ContactView | None:
    contact = workspace.municipality.contacts.get(name)
    if contact is None:
        return None
    return ContactView(name=contact.name, phone=contact.phone, hours=contact.hours)
