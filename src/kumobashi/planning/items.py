"""The items of a link: from which column each is made, how, and what comes out."""

from dataclasses import dataclass
from typing import Any

from kumobashi.planning.campaign_items import asked_items
from kumobashi.planning.links import LinkFile
from kumobashi.planning.rule_columns import source_of
from kumobashi.planning.workspace import Workspace
from kumobashi.policy.deciding import Where
from kumobashi.release.rules import (
    BaseDate,
    CampaignCode,
    Column,
    Constant,
    Flag,
    HasSpouse,
    HouseholdAges,
    HouseholdBirthMonths,
    Keep,
    Prefix,
    ReleaseRule,
    Token,
    Truncate,
)

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
    receiving = workspace.layout(f"{link.to.system}.{link.to.dataset}")
    found = []
    for number, column in enumerate(rule.columns):
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
                operation=column.model_dump(mode="json"),
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


def _form(column: Column) -> str:
    match column:
        case Token():
            return "token"
        case Keep():
            return "kept"
        case Flag() | HasSpouse() | CampaignCode():
            return "flag"
        case BaseDate() | Constant():
            return "derived"
        case Truncate() | Prefix() | HouseholdAges() | HouseholdBirthMonths():
            return "coarsened"


def said(column: Column) -> tuple[str, str]:  # noqa: C901, PLR0911, PLR0912 - one for each
    """Return how a column is made, in Japanese and English."""
    match column:
        case Token(of="household_head"):
            return "世帯主の符号に", "token of the household's head"
        case Token():
            return "送り先ごとの符号に", "token for this destination"
        case BaseDate():
            return "年齢基準日", "base date"
        case CampaignCode():
            return "庁内で判定した通知のコード", "code of the campaign, decided in the hall"
        case Constant(value=value):
            return f"固定値 {value}", f"always {value}"
        case Keep():
            return "そのまま", "as it is"
        case Truncate(to="month"):
            return "年月まで", "to the month"
        case Truncate():
            return "年まで", "to the year"
        case Prefix(length=length):
            return f"先頭{length}桁まで", f"first {length} characters"
        case HasSpouse():
            return "配偶者の有無", "has a spouse"
        case HouseholdAges(top=top):
            return (
                f"世帯の年齢（{top}歳以上は{top}）",
                f"ages of the household, {top} and more as {top}",
            )
        case HouseholdBirthMonths(under=under):
            return f"世帯の{under}歳未満の生年月", f"birth months of members under {under}"
        case Flag():
            return "有無", "flag"
