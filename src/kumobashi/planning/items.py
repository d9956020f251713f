"""The items of a link: from which column each is made, how, and what comes out."""

from dataclasses import dataclass
from typing import Any

from kumobashi.planning.campaign_items import asked_items
from kumobashi.planning.coding import logical_layout
from kumobashi.planning.links import LinkFile
from kumobashi.planning.rule_columns import source_of
from kumobashi.planning.workspace import Workspace
from kumobashi.policy.deciding import Where
from kumobashi.release.columns import (
    AnyColumn,
    Area,
    BaseDate,
    CampaignCode,
    Constant,
    Drop,
    Flag,
    HasMember,
    HasSpouse,
    HouseholdAges,
    HouseholdBirthMonths,
    HouseholdCounts,
    Keep,
    Mask,
    Prefix,
    Suppress,
    Token,
    TopBottom,
    Truncate,
)
from kumobashi.release.rules import ReleaseRule
from kumobashi.release.saying import said

_RISING = ("public", "attribute", "personal", "identifier", "special")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedItem:
    """One released item: source → operation → outcome."""

    name: str
    ja: str  # in the receiver's layout
    source: str | None  # "residents.birth_date"; None: made from no column
    source_ja: str | None
    operation: dict[str, Any]  # the column of the rule, as written
    operation_ja: str
    operation_en: str
    form: str  # of policy: kept, coarsened, flag, token, derived
    sensitivity: str  # of the source, or of the outcome where there is none
    outcome: str  # type and digits in the receiver's layout
    where: Where


def items_of(workspace: Workspace, link: LinkFile) -> tuple[PlannedItem, ...]:
    """Return the items in the order of the rule."""
    rule = workspace.rules[link.release]
    file = f"rules/{link.release}.yaml"
    receiving = logical_layout(workspace, link)
    found = []
    for number, column in enumerate(rule.columns):
        if isinstance(column, Drop):
            continue
        outcome = receiving.field(column.name)
        made_from = source_of(rule, column)
        field = (
            workspace.layout(rule.datasets[made_from[0]]).field(made_from[1]) if made_from else None
        )
        ja, en = said(column)
        found.append(
            PlannedItem(
                name=column.name,
                ja=outcome.ja,
                source=".".join(made_from) if made_from else None,
                source_ja=field.ja if field else None,
                operation=column.model_dump(mode="json", by_alias=True),
                operation_ja=ja,
                operation_en=en,
                form=_form(column),
                sensitivity=_implied(workspace, rule)
                if isinstance(column, CampaignCode)
                else (field.sensitivity if field else outcome.sensitivity),
                outcome=f"{outcome.type}({outcome.digits})" if outcome.digits else outcome.type,
                where=Where(
                    file, workspace.where(file, "columns", number, "name").line, column.name
                ),
            )
        )
    return tuple(found)


def _implied(workspace: Workspace, rule: ReleaseRule) -> str:
    """Return how sensitive a code is: as the most sensitive item that it follows from."""
    found = [
        item.sensitivity
        for code in rule.campaigns
        for item in asked_items(workspace, workspace.campaigns[code])
    ]
    return max(found, key=_RISING.index, default="attribute")


def _form(column: AnyColumn) -> str:
    match column:
        case Token():
            return "token"
        case Keep():
            return "kept"
        case Flag() | HasSpouse() | HasMember() | CampaignCode():
            return "flag"
        case BaseDate() | Constant() | Suppress() | Drop():
            return "derived"
        case (
            Truncate()
            | Prefix()
            | Area()
            | Mask()
            | TopBottom()
            | HouseholdAges()
            | HouseholdCounts()
            | HouseholdBirthMonths()
        ):
            return "coarsened"
