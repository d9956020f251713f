"""Which items of the hall a campaign's code follows from: what it tells of a person who gets it."""

from dataclasses import dataclass

from kumobashi.catalogue.items import Sensitivity
from kumobashi.planning.workspace import Workspace
from kumobashi.release.campaigns import Campaign
from kumobashi.release.conditions import (
    HouseholdHas,
    columns_of,
    nodes,
    places,
    rows_asked,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedItem:
    """One item that an exact condition asks for."""

    reference: str  # "integrated-db.residents"
    column: str  # empty: only whether there is a row
    ja: str
    sensitivity: Sensitivity


def asked_items(workspace: Workspace, campaign: Campaign) -> tuple[AskedItem, ...]:
    """Return the items of the exact condition, each once, in the order of the file."""
    found: dict[tuple[str, str], AskedItem] = {}
    for _, asked in rows_asked(campaign.exact):
        if asked.where is None:
            reference = campaign.datasets[asked.dataset]
            layout = workspace.layout(reference)
            rising = [field.sensitivity for field in layout.fields]
            is_special: Sensitivity = "special" if "special" in rising else "attribute"
            found[reference, ""] = AskedItem(
                reference=reference, column="", ja=layout.ja, sensitivity=is_special
            )
    whom = campaign.subject
    if whom.household and any(isinstance(p, HouseholdHas) for _, p in nodes(campaign.exact)):
        reference = campaign.datasets[whom.dataset]
        field = workspace.layout(reference).field(whom.household)
        # Told is that the person lives with somebody, not the number of the household.
        found[reference, field.name] = AskedItem(
            reference=reference, column=field.name, ja=field.ja, sensitivity="attribute"
        )
    for place in places(campaign.exact):
        reference = campaign.datasets[place.dataset or campaign.subject.dataset]
        for column in columns_of(place.leaf):
            field = workspace.layout(reference).field(column)
            found.setdefault(
                (reference, column),
                AskedItem(
                    reference=reference,
                    column=column,
                    ja=field.ja,
                    sensitivity=field.sensitivity,
                ),
            )
    return tuple(found.values())
