"""The plan as a story: who gives what to whom, why, what becomes of it, which way, how long.

``plan`` decides and ``measuring`` counts; here both become what a person reads before she signs.
``rendering`` tells it at a terminal, ``page`` on paper, ``plan_json`` to machines.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kumobashi.planning.approval import Standing, drift, standing
from kumobashi.planning.approvals import ApprovalFile
from kumobashi.planning.doors import Ask, asks, doors
from kumobashi.planning.measured import Measured
from kumobashi.planning.pace import Pace, pace
from kumobashi.planning.plan import Plan
from kumobashi.planning.timing import Past, expected
from kumobashi.planning.told import Told, party
from kumobashi.planning.workspace import Workspace
from kumobashi.policy.tables import Tables

if TYPE_CHECKING:
    from kumobashi.planning.campaign_story import CampaignLine
    from kumobashi.planning.fictional import Example
    from kumobashi.release.comparing import Way

DROPPED = "dropped"
_OF_HOUSEHOLD = {"has_spouse", "household_ages", "household_birth_months"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemStory:
    """What becomes of one item, with the fictional resident's value before and after."""

    name: str
    ja: str
    source_ja: str  # "" when it is made from nothing
    form: str  # kept, coarsened, flag, token, derived, dropped
    said_ja: str
    said_en: str
    sensitivity: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Story(Told):
    """Everything a person is told about one bulk link."""

    plan: Plan
    measured: Measured | None
    items: tuple[ItemStory, ...]
    dropped: tuple[ItemStory, ...]
    person: str  # the fictional resident; empty: no example was made
    asks: tuple[Ask, ...]
    pace: Pace | None  # none: it passes no door, or nothing was counted
    why_not_counted: tuple[str, str] | None  # ja, en: the source did not answer
    campaigns: "tuple[CampaignLine, ...]" = ()  # that the link serves, as counted
    ways: "tuple[Way, ...]" = ()  # the three ways for all of them together

    @property
    def forms(self) -> Mapping[str, int]:
        """How many items leave in each form, and how many stay."""
        forms = [item.form for item in (*self.items, *self.dropped)]
        return {form: forms.count(form) for form in dict.fromkeys(forms)}


def tell(
    workspace: Workspace,
    plan: Plan,
    *,
    measured: Measured | None = None,
    approval: ApprovalFile | None = None,
    past: Sequence[Past] = (),
    example: "Example | None" = None,
    why_not_counted: tuple[str, str] | None = None,
    tables: Tables | None = None,
) -> Story:
    """Return the story of a plan; a table of many needs no ``fictional.example_of`` each."""
    way = doors(workspace, plan, tables or workspace.tables)
    counted = approval.counted if approval else None
    subjects = measured.extracted if measured else (counted.rows if counted else None)
    size = measured.bytes if measured else (counted.bytes if counted else None)
    ja, en = _sentence(workspace, plan)
    stands = standing(plan, approval, measured)
    return Story(
        plan=plan,
        measured=measured,
        approval=approval,
        standing=stands,
        changes=tuple(drift(plan, approval))
        if approval and stands in {Standing.DRIFTED, Standing.REFUSED}
        else (),
        giver=party(workspace, plan.link.from_),
        receiver=party(workspace, plan.link.to.system),
        sentence_ja=ja,
        sentence_en=en,
        items=_items(plan, example),
        dropped=_dropped(workspace, plan, example),
        person=example.person if example else "",
        doors=way,
        asks=asks(workspace, plan, way),
        pace=pace([(door.largest_part_bytes, door.profile) for door in way], size=size)
        if size is not None
        else None,
        expected=expected(past, subjects=subjects, size=size if way else 0),
        why_not_counted=why_not_counted,
    )


def _sentence(workspace: Workspace, plan: Plan) -> tuple[str, str]:
    rule = workspace.rules[plan.link.release]
    who_ja, who_en = "住民", "residents"
    if age := rule.subject.age:
        top_ja = f"から{age.to}歳の" if age.to < 120 else "以上の"  # noqa: PLR2004 - no end is meant
        ages_ja = f"{age.from_}歳の" if age.from_ == age.to else f"{age.from_}歳{top_ja}"
        who_ja = f"{ages_ja}{who_ja}"
        who_en = (
            f"{who_en} from {age.from_}" + (f" to {age.to}" if age.to < 120 else "")  # noqa: PLR2004
        )
    if rule.consent:
        head = rule.consent.by == "household_head"
        who_ja = f"{'世帯主' if head else '本人'}が同意した{who_ja}"
        who_en = f"{who_en} {'whose household head' if head else 'who'} consented"
    if rule.ties:
        service = rule.ties.service
        who_ja = f"サービス「{service}」と紐付けのある{who_ja}"
        who_en = f"{who_en}, tied to the service {service!r}"
    if measures := workspace.municipality.protective_measures:
        office = workspace.municipality.contacts[measures.contact].name
        who_ja = f"{who_ja}（支援措置の人は自動では出さず、{office}の個別対応リストへ）"
        who_en = f"{who_en} (protected persons never; {office} sees to them)"
    daily = plan.link.schedule.daily if plan.link.schedule else ""
    mode_ja = {"full": "全件", "difference": "前回との差分"}[plan.link.mode]
    when_ja = f"毎日 {daily} に{mode_ja}" if daily else mode_ja
    return (
        (
            f"{plan.from_site_name}の「{plan.from_name}」が、{who_ja}について、"
            f"{len(plan.items)} 項目を"
            f"{plan.to_site_name}の「{plan.to_name}」へ、{when_ja}で渡します。"
        ),
        (
            f"{plan.link.from_} at {plan.from_site_name} gives {len(plan.items)} items of"
            f" {who_en} to {plan.link.to.system} at {plan.to_site_name},"
            f" {plan.link.mode}{f', daily at {daily}' if daily else ''}."
        ),
    )


def _items(plan: Plan, example: "Example | None") -> tuple[ItemStory, ...]:
    before, after = (example.before, example.after) if example else ({}, {})
    return tuple(
        ItemStory(
            name=item.name,
            ja=item.ja,
            source_ja=item.source_ja or "",
            form=item.form,
            said_ja=item.operation_ja,
            said_en=item.operation_en,
            sensitivity=item.sensitivity,
            before=f"世帯 {example.household} 人分の{item.source_ja}"
            if example and item.operation["op"] in _OF_HOUSEHOLD
            else before.get(item.source or "", "―" if example else ""),
            after=_as_received(plan, after.get(item.name, "―" if example else "")),
        )
        for item in plan.items
    )


def _as_received(plan: Plan, value: str) -> str:
    """Return a value with the characters that were agreed on for the receiver's charset."""
    if plan.link.characters.charset == "cp932":
        for char, instead in plan.link.characters.substitutes.items():
            value = value.replace(char, instead)
    return value


def _dropped(workspace: Workspace, plan: Plan, example: "Example | None") -> tuple[ItemStory, ...]:
    """Return what the hall has of the person and the receiver never sees."""
    rule = workspace.rules[plan.link.release]
    used = {item.source for item in plan.items}
    asked = {rule.consent.source if rule.consent else "", ""}
    before = example.before if example else {}
    return tuple(
        ItemStory(
            name=f"{dataset}.{field.name}",
            ja=field.ja,
            source_ja=field.ja,
            form=DROPPED,
            said_ja="出さない",
            said_en="not sent",
            sensitivity=field.sensitivity,
            before=before.get(f"{dataset}.{field.name}", "―" if example else ""),
            after="",
        )
        for dataset, reference in rule.datasets.items()
        if dataset not in asked
        for field in workspace.layout(reference).fields
        if f"{dataset}.{field.name}" not in used
        and not (dataset != rule.subject.dataset and field.name == rule.subject.key)
    )
