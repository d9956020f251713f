"""What the hash of a plan covers: everything that was decided, and nothing that was counted.

No counts, no business date, no contacts, schedules or addresses: these may change without a new
decision. Whose keys open and sign, and the version of the directory, may not.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

from kumobashi.catalogue.fields import Layout
from kumobashi.crypto.canonical import canonical, digest
from kumobashi.directory.entries import Directory
from kumobashi.planning.items import PlannedItem
from kumobashi.planning.links import LinkFile
from kumobashi.planning.workspace import Workspace
from kumobashi.routing.finding import Hop


def decision_of(
    workspace: Workspace,
    directory: Directory | None,
    link: LinkFile,
    items: tuple[PlannedItem, ...],
    hops: tuple[Hop, ...],
) -> dict[str, Any]:
    """Return the decision as a JSON value."""
    rule = workspace.rules[link.release]
    receiver = f"{link.to.system}.{link.to.dataset}"
    measures = workspace.municipality.protective_measures
    layouts = {
        reference: workspace.layout(reference) for reference in (*rule.datasets.values(), receiver)
    }
    dumped = link.model_dump(mode="json", by_alias=True)
    return {
        "format": 1,
        "municipality": workspace.municipality.municipality.code,
        "network_model": workspace.municipality.network_model.value,
        "link": {
            key: dumped[key]
            for key in ("link", "from", "to", "release", "mode", "purpose", "format", "characters")
        }
        | {"on_findings": link.on_findings}
        # Said where it is permitted, so that the hashes of other links stay as they were.
        | ({"courier": dumped["courier"]} if link.courier else {})
        | ({"fallback": link.fallback} if link.fallback else {}),
        "legal_basis": basis_of(dumped["legal_basis"]),
        # Said where there is a register, so that approvals of before it could be stay good.
        **({"protective_measures": measures.dataset} if measures else {}),
        # Said where it is declared, so that approvals of before it could be stay good.
        **({"retention": dumped["retention"]} if link.retention else {}),
        "rule": {
            "version": rule.version,
            "hash": digest(canonical(rule.model_dump(mode="json", by_alias=True))),
        },
        # What a predicate-only link tells depends on whom its campaigns mean.
        **(
            {
                "campaigns": {
                    code: digest(
                        canonical(workspace.campaigns[code].model_dump(mode="json", by_alias=True))
                    )
                    for code in sorted(rule.campaigns)
                }
            }
            if rule.predicate_only
            else {}
        ),
        "items": [
            {
                "name": item.name,
                "source": item.source,
                "operation": item.operation,
                "form": item.form,
                "sensitivity": item.sensitivity,
                "outcome": item.outcome,
            }
            for item in items
        ],
        "route": route_of(hops),
        "layouts": {
            reference: {
                "layout": layout.layout,
                "version": layout.version,
                "hash": layout_hash(layout),
            }
            for reference, layout in sorted(layouts.items())
        },
        "sites": sites_of(directory, hops),
        "keys": keys_of(directory, hops),
        "recipient": directory.sites[hops[-1].to_site].recipient
        if directory and hops and hops[-1].to_site in directory.sites
        else None,
    }


def route_of(hops: Sequence[Hop]) -> list[dict[str, str]]:
    """Return the way as a decision holds it."""
    return [
        {
            "from": hop.from_site,
            "to": hop.to_site,
            "by": hop.by,
            "from_zone": hop.from_zone.value,
            "to_zone": hop.to_zone.value,
        }
        for hop in hops
    ]


def sites_of(directory: Directory | None, hops: Sequence[Hop]) -> dict[str, dict[str, object]]:
    """Return what the directory says of whoever runs the sites of the way."""
    return {
        site: {
            "kind": entry.kind.value,
            "provider": entry.provider,
            "jurisdiction": entry.jurisdiction,
            "certifications": [
                {"name": one.name, "number": one.number, "valid_to": _day(one.valid_to)}
                for one in entry.certifications
            ],
        }
        for site in _sites_on(hops)
        if directory and (entry := directory.sites.get(site))
    }


def keys_of(directory: Directory | None, hops: Sequence[Hop]) -> dict[str, str]:
    """Return whose keys sign, by site."""
    if directory is None:
        return {}
    return {site: directory.sites[site].kid for site in _sites_on(hops) if site in directory.sites}


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _sites_on(hops: Sequence[Hop]) -> list[str]:
    return sorted({site for hop in hops for site in (hop.from_site, hop.to_site)})


def basis_of(dumped: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return the basis; what it may say since lately is left out where it says nothing of it."""
    if dumped and dumped.get("proviso") is None:
        return {key: said for key, said in dumped.items() if key != "proviso"}
    return dumped


def layout_hash(layout: Layout) -> str:
    """Return the hash of what a layout asks of a table; words and sources do not count.

    What only newer layouts say is added where they say it, so that older hashes stay as they were.
    """
    fields: list[list[Any]] = []
    for f in layout.fields:
        said: list[Any] = [f.name, f.type, f.digits, f.code_list, f.required, f.sensitivity]
        if f.decimals is not None:
            said.append({"decimals": f.decimals})
        if f.condition is not None:
            said.append({"condition": [f.condition.field, *f.condition.one_of]})
        if layout.is_strict:
            said.append({"strict": True, "fixed": f.is_fixed})
        fields.append(said)
    return digest(canonical(fields))
