"""Put what the files of a link say into the form that the policy is asked in."""

from collections.abc import Iterator
from datetime import date

from kumobashi.directory.models import By, SiteFile, SystemFile
from kumobashi.planning.gating import is_outside_hall
from kumobashi.planning.items import PlannedItem
from kumobashi.planning.links import LinkFile
from kumobashi.planning.workspace import Workspace
from kumobashi.policy.deciding import (
    AskedItem,
    Basis,
    Crossing,
    Question,
    Receiver,
    Source,
    Where,
)
from kumobashi.policy.levels import Held
from kumobashi.release.rules import ReleaseRule
from kumobashi.release.staging import stages
from kumobashi.routing.finding import Hop


def question_of(
    workspace: Workspace, link: LinkFile, hops: tuple[Hop, ...], items: tuple[PlannedItem, ...]
) -> Question:
    """Put what the files say into the form that the policy is asked in."""
    file = f"links/{link.link}.yaml"
    receiver = workspace.systems[link.to.system]
    site = workspace.sites[receiver.site]
    rule = workspace.rules[link.release]
    stated = link.legal_basis
    return Question(
        model=workspace.municipality.network_model,
        from_ja=workspace.systems[link.from_].name,
        to_ja=receiver.name,
        from_en=link.from_,
        to_en=link.to.system,
        hops=tuple(crossing_of(workspace, hop) for hop in hops if hop.by != "same_site"),
        from_zone=workspace.sites[workspace.systems[link.from_].site].zone,
        to_zone=site.zone,
        basis=Basis(**stated.model_dump()) if stated else None,
        has_consent=rule.consent is not None,
        is_scheduled=link.schedule is not None,
        items=tuple(
            AskedItem(
                name=item.name,
                ja=item.source_ja or item.ja,
                sensitivity=item.sensitivity,
                form=item.form,
                where=item.where,
                dataset=rule.datasets[item.source.partition(".")[0]] if item.source else None,
            )
            for item in items
        ),
        sources=tuple(_sources(workspace, rule, items)),
        receiver=receiver_of(workspace, receiver, site),
        link=workspace.where(file, "link"),
        at_basis=workspace.where(file, "legal_basis"),
        purpose=link.purpose,
    )


def crossing_of(workspace: Workspace, hop: Hop) -> Crossing:
    """Put one connection into the form that the policy is asked in."""
    here = workspace.sites[hop.from_site]
    number = [connection.site for connection in here.connects_to].index(hop.to_site)
    return Crossing(
        from_zone=hop.from_zone,
        to_zone=hop.to_zone,
        by=hop.by,
        by_ja=By(hop.by).ja,
        from_ja=here.name,
        to_ja=workspace.sites[hop.to_site].name,
        where=workspace.where(f"sites/{hop.from_site}.yaml", "connects_to", number, "by"),
    )


def _sources(
    workspace: Workspace, rule: ReleaseRule, items: tuple[PlannedItem, ...]
) -> Iterator[Source]:
    """Give the datasets whose information reaches the receiver, if only by who is selected.

    That of the consents is not among them while it is only asked whether a resident may be in the
    list; an item made from it is an item like any other. What a rule names and never reads reaches
    nobody.
    """
    read = {stage.dataset for stage in stages(rule, purpose="", on=date.min)}
    released = {item.source.partition(".")[0] for item in items if item.source}
    asked = {rule.consent.dataset} - released if rule.consent else set()
    places = {
        dataset: workspace.where(f"rules/{rule.release}.yaml", "datasets", name)
        for name, dataset in reversed(rule.datasets.items())
        if name in read and name not in asked
    }
    judged: dict[str, Where] = {}
    for code in rule.campaigns:
        for name, dataset in workspace.campaigns[code].datasets.items():
            at = workspace.where(f"campaigns/{code}.yaml", "datasets", name)
            judged.setdefault(dataset, at)
    for dataset in sorted(places.keys() | judged.keys()):
        layout = workspace.layout(dataset)
        yield Source(
            dataset=dataset,
            layout=layout.layout,
            ja=layout.ja,
            is_judged=dataset in judged,
            where=places.get(dataset) or judged[dataset],
        )


def receiver_of(workspace: Workspace, system: SystemFile, site: SiteFile) -> Receiver:
    """Put who receives, and where, into the form that the policy is asked in."""
    return Receiver(
        unit=system.unit,
        business=system.business,
        is_outside=is_outside_hall(site),
        jurisdiction=site.jurisdiction,
        certifications=tuple(Held(**held.model_dump()) for held in site.certifications),
        ja=system.name,
        en=system.system,
        where=workspace.where(f"systems/{system.system}.yaml", "unit" if system.unit else "system"),
        at_site=workspace.where(
            f"sites/{site.site}.yaml", "certifications" if site.certifications else "site"
        ),
    )
