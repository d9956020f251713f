"""What the hash of an online link's plan covers: everything that was decided about its calls.

No addresses of systems, no time budgets, no contacts: these may change without a new decision. The
digest of the interface's document, whose keys sign, and the directory's version may not.
"""

from typing import Any

from kumobashi.directory.entries import Directory
from kumobashi.planning.call_items import CallItem, layouts_of
from kumobashi.planning.call_links import CallFile
from kumobashi.planning.decisions import basis_of, keys_of, layout_hash, route_of, sites_of
from kumobashi.planning.services import AskedOperation
from kumobashi.planning.ways import CallWay
from kumobashi.planning.workspace import Workspace


def call_decision_of(
    workspace: Workspace,
    directory: Directory | None,
    call: CallFile,
    *,
    asked: tuple[AskedOperation, ...],
    shown: tuple[CallItem, ...],
    hidden: tuple[CallItem, ...],
    requested: tuple[CallItem, ...],
    ways: tuple[CallWay, ...],
) -> dict[str, Any]:
    """Return the decision as a JSON value; the first way is the usual one."""
    _, entry = workspace.service(call)
    dumped = call.model_dump(mode="json", by_alias=True)
    kept = ("link", "from", "service", "versions", "to", "purpose", "largest_answer_bytes")
    first, *others = ways
    hops = [hop for way in ways for hop in way.hops]
    return {
        "format": 1,
        "kind": "call",
        "municipality": workspace.municipality.municipality.code,
        "network_model": workspace.municipality.network_model.value,
        "link": {key: dumped[key] for key in kept},
        "legal_basis": basis_of(dumped["legal_basis"]),
        "service": {
            "kind": entry.kind,
            "test_only": entry.test_only,
            "documents": {version: entry.interfaces[version].document for version in call.versions},
            "operations": {
                f"{one.version}.{one.name}": {
                    "method": one.method,
                    "path": one.path,
                    "request": list(one.request),
                    "answer": one.answer.model_dump(mode="json"),
                }
                for one in asked
            },
        },
        "items": [_item(item) for item in shown],
        "hidden": sorted(item.name for item in hidden),
        "request": {item.item: item.sensitivity for item in requested},
        "route": route_of(first.hops),
        "fetched": first.is_fetched,
        "standby": {
            way.site: {"route": route_of(way.hops), "fetched": way.is_fetched} for way in others
        },
        "layouts": {
            f"{layout.layout} {layout.version}": {"hash": layout_hash(layout)}
            for layout in layouts_of(workspace, asked)
        },
        "sites": sites_of(directory, hops),
        "keys": keys_of(directory, hops),
    }


def _item(item: CallItem) -> dict[str, Any]:
    return {
        "name": item.name,
        "source": item.source,
        "operation": item.operation,
        "form": item.form,
        "sensitivity": item.sensitivity,
        "outcome": item.outcome,
    }
