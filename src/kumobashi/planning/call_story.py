"""The plan of an online link as a story: who asks whom what, what comes back, what is hidden."""

from collections.abc import Mapping
from dataclasses import dataclass

from kumobashi.planning.approval import Standing, drift, standing
from kumobashi.planning.approvals import ApprovalFile
from kumobashi.planning.call_items import CallItem
from kumobashi.planning.call_plan import CallPlan
from kumobashi.planning.doors import doors
from kumobashi.planning.told import Told, party
from kumobashi.planning.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class CallStory(Told):
    """Everything a person is told about one online link."""

    plan: CallPlan
    way_ja: str  # how a call goes
    way_en: str

    @property
    def items(self) -> tuple[CallItem, ...]:
        """What the asking system gets."""
        return self.plan.items

    @property
    def dropped(self) -> tuple[CallItem, ...]:
        """What it does not get."""
        return self.plan.hidden

    @property
    def forms(self) -> Mapping[str, int]:
        """How many items the asking system gets, and how many are hidden."""
        return {"kept": len(self.plan.items), "dropped": len(self.plan.hidden)}


def tell_call(
    workspace: Workspace, plan: CallPlan, *, approval: ApprovalFile | None = None
) -> CallStory:
    """Return the story of an online link's plan."""
    stands = standing(plan, approval)
    has_changes = stands in {Standing.DRIFTED, Standing.REFUSED}
    ja, en = _sentence(workspace, plan)
    way_ja, way_en = _way(workspace, plan)
    return CallStory(
        plan=plan,
        approval=approval,
        standing=stands,
        changes=tuple(drift(plan, approval)) if approval and has_changes else (),
        giver=party(workspace, plan.link.from_),
        receiver=party(workspace, plan.link.to),
        sentence_ja=ja,
        sentence_en=en,
        doors=doors(workspace, plan, workspace.tables),
        way_ja=way_ja,
        way_en=way_en,
    )


def _sentence(workspace: Workspace, plan: CallPlan) -> tuple[str, str]:
    call = plan.link
    service, _ = workspace.service(call)
    names = dict.fromkeys(one.name for one in plan.operations)
    versions = "・".join(call.versions)
    hidden_ja = f"（ほかの {len(plan.hidden)} 項目は隠す）" if plan.hidden else ""
    hidden_en = f" ({len(plan.hidden)} others are hidden)" if plan.hidden else ""
    return (
        (
            f"{plan.to_site_name}の「{plan.to_name}」が、{plan.from_site_name}の「{plan.from_name}」の"
            f"「{service.name}」（{call.service} {versions}、操作 {'、'.join(names)}）に照会し、"
            f"{len(plan.items)} 項目{hidden_ja}の回答を {call.answer_seconds:g} 秒以内に受けます。"
        ),
        (
            f"{call.to} at {plan.to_site_name} asks {call.from_}.{call.service}"
            f" ({', '.join(call.versions)}: {', '.join(names)}) at {plan.from_site_name} and gets"
            f" {len(plan.items)} items{hidden_en} within {call.answer_seconds:g} seconds."
        ),
    )


def _way(workspace: Workspace, plan: CallPlan) -> tuple[str, str]:
    """Return how a call goes: straight, or waiting to be fetched; and where it goes instead."""
    first, *others = plan.ways
    ja = "照会は照会する側から送り、回答は同じ接続で戻ります。"
    en = "The request is sent from the asking side; the answer comes back the same way."
    if not first.hops or first.hops[0].by == "same_site":
        ja = "同じサイトの中で照会します。開ける扉はありません。"
        en = "It stays inside one site; no door is opened."
    if first.is_fetched:
        ja = (
            f"接続は{workspace.sites[first.site].name}から外へだけ開くため、照会は手前で待ち、"
            "回答する側が取りに来ます。回答も回答する側が届けます。"
        )
        en = (
            f"Connections open outward from {first.site} only: a call waits until the answering"
            " side fetches it, and the answering side brings the answer."
        )
    if others:
        names = "、".join(workspace.sites[way.site].name for way in others)
        ja += f"届かないときは{names}へ照会します。"
        en += f" When it is away, calls go to {', '.join(way.site for way in others)}."
    return ja, en
