"""A release rule explained by one fictional resident, at every step of every ladder.

What stands at a step is what the rule makes there: the same SQL as at night runs on the invented
rows of ``fictional``, once for each height that all ladders together have.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from kumobashi.planning.campaign_story import campaigns_of
from kumobashi.planning.fictional import example_of
from kumobashi.planning.gating import is_outside_hall
from kumobashi.planning.story import Story, tell
from kumobashi.release.columns import Drop, Token
from kumobashi.release.gates import Gate
from kumobashi.release.ladders import steps
from kumobashi.release.saying import said

if TYPE_CHECKING:
    from kumobashi.planning.plan import Plan
    from kumobashi.planning.workspace import Workspace
    from kumobashi.release.column_parts import Role
    from kumobashi.release.columns import AnyColumn
    from kumobashi.release.gate_report import GateReport
    from kumobashi.release.gate_words import Said
    from kumobashi.release.rules import ReleaseRule


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One step of a ladder and what it makes of the fictional resident."""

    said: "Said"
    value: str  # empty: nothing leaves at this step
    is_dropped: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """One column: what the hall has of the resident, and what leaves at each step."""

    name: str
    ja: str
    role: "Role"
    before: str
    is_of_birthday: bool  # a neighbour's birthday tells something about it
    is_token: bool
    rungs: tuple[Rung, ...]  # the first is what the rule says

    @property
    def has_ladder(self) -> bool:
        """Whether it may become coarser."""
        return len(self.rungs) > 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """The campaign whose code would leave instead of attributes."""

    code: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A link's rule as one fictional resident goes through it."""

    link: str
    name: str  # of the link
    rule_name: str
    rule_version: int
    on: date
    person: str  # "𠮷田 髙子（38歳）", invented
    columns: tuple[Explained, ...]
    kept_back: tuple[tuple[str, str], ...]  # what the hall has and never sends: name, value
    notice: Notice | None  # none: the workspace has no campaign
    listed: "Said"  # what being among those who are sent tells by itself; empty: nothing
    is_gated: bool
    is_outside: bool  # it leaves the hall
    is_predicate_only: bool

    def levels(self, report: "GateReport | None") -> Mapping[str, int] | None:
        """Return how high each column went; None: the report is of another form of the rule."""
        if report is None:
            return {}
        climbs = {climb.column: climb for climb in report.climbs}
        there = {column.name: column for column in self.columns if column.has_ladder}
        if climbs.keys() - there.keys() or set(report.names) != {c.name for c in self.columns}:
            return None
        for name, climb in climbs.items():
            written = tuple((step.ja, step.en) for step in climb.steps)
            if written != tuple(rung.said for rung in there[name].rungs):
                return None
        return {name: climb.level for name, climb in climbs.items()}

    def clues(self, levels: Mapping[str, int]) -> tuple["Said", "Said"]:
        """Return what of a birthday leaves, and what else a neighbour may compare.

        ``levels`` are of what leaves; a column that is not named is as the rule says.
        """
        told = [
            (column, column.rungs[levels.get(column.name, 0)])
            for column in self.columns
            if column.role == "quasi"
        ]
        left = [(column, rung) for column, rung in told if not rung.is_dropped]
        born = [pair for pair in left if pair[0].is_of_birthday]
        more = [pair for pair in left if not pair[0].is_of_birthday]
        ja, en = _listed(born)
        birthday = (
            f"誕生日を知っていても、見比べられるのは{ja}だけです。",
            f"Of a birthday, only this can be compared: {en}.",
        )
        if not born:
            birthday = (
                "誕生日から分かる項目は出ません。誕生日を知っていても手がかりになりません。",
                "Nothing leaves that a birthday tells; knowing it does not help.",
            )
        ja, en = _listed(more)
        beside = (
            f"ほかに見比べられるのは{ja}です。隣人がこれも知っているものとして考えます。",
            f"What else can be compared: {en}. We take it that a neighbour knows it too.",
        )
        if not more:
            beside = (
                "ほかに、人を見分けられる項目は出ません。",
                "Nothing else leaves that tells people apart.",
            )
        return birthday, beside


def _listed(pairs: list[tuple[Explained, Rung]]) -> "Said":
    return (
        "、".join(f"「{column.ja}: {rung.said[0]}」" for column, rung in pairs),
        ", ".join(f"{column.name} ({rung.said[1]})" for column, rung in pairs),
    )


def explain(workspace: "Workspace", decided: "Plan") -> Explanation:
    """Take the fictional resident of a plan's link through its rule, at every step."""
    rule = workspace.rules[decided.link.release]
    ladders = {column.name: steps(column) for column in rule.released}
    stories = [_told(workspace, decided, levels) for levels in _heights(ladders)]
    first = stories[0]
    notice = next(iter(campaigns_of(workspace, decided.link)), None) or next(
        (campaign for _, campaign in sorted(workspace.campaigns.items())), None
    )
    receiver = workspace.systems[decided.link.to.system]
    return Explanation(
        link=decided.link.link,
        name=decided.link.name,
        rule_name=rule.name,
        rule_version=rule.version,
        on=decided.on,
        person=first.person,
        columns=tuple(_columns(rule, ladders, stories)),
        kept_back=tuple((item.ja, item.before) for item in first.dropped),
        notice=Notice(code=notice.campaign, name=notice.name) if notice else None,
        listed=_of_being_listed(workspace, rule),
        is_gated=isinstance(rule.gate, Gate),
        is_outside=is_outside_hall(workspace.sites[receiver.site]),
        is_predicate_only=rule.predicate_only,
    )


def _heights(ladders: Mapping[str, tuple["AnyColumn", ...]]) -> Iterator[dict[str, int]]:
    """Give the levels of all columns at each height; what is dropped needs no run."""
    tops = {
        name: max(level for level, step in enumerate(held) if not isinstance(step, Drop))
        for name, held in ladders.items()
    }
    for height in range(max(tops.values()) + 1):
        yield {name: min(height, top) for name, top in tops.items()}


def _told(workspace: "Workspace", decided: "Plan", levels: Mapping[str, int]) -> Story:
    example = example_of(workspace, decided.link, on=decided.on, levels=levels)
    return tell(workspace, decided, example=example)


def _columns(
    rule: "ReleaseRule", ladders: Mapping[str, tuple["AnyColumn", ...]], stories: list[Story]
) -> Iterator[Explained]:
    values = [{item.name: item.after for item in story.items} for story in stories]
    columns = {column.name: column for column in rule.released}
    for item in stories[0].items:
        column = columns[item.name]
        yield Explained(
            name=item.name,
            ja=item.ja,
            role=rule.role_of(column),
            before=item.before,
            is_of_birthday=getattr(column, "of", None) == rule.subject.birth_date,
            is_token=isinstance(column, Token),
            rungs=tuple(
                Rung(said=said(step), value="", is_dropped=True)
                if isinstance(step, Drop)
                else Rung(said=said(step), value=values[level][item.name], is_dropped=False)
                for level, step in enumerate(ladders[item.name])
            ),
        )


def _of_being_listed(workspace: "Workspace", rule: "ReleaseRule") -> "Said":
    """Return what the rule asks of everybody whom it sends: who is listed meets it."""
    ja, en = [], []
    if age := rule.subject.age:
        same = age.from_ == age.to
        ja.append(f"{age.from_}歳であること" if same else f"{age.from_}〜{age.to}歳であること")
        en.append(f"aged {age.from_}" if same else f"aged {age.from_} to {age.to}")
    if without := rule.subject.without:
        reference = rule.datasets[without.dataset]
        ja.append(f"「{workspace.layout(reference).ja}」に記録がないこと")
        en.append(f"without a record in {reference}")
    if not ja:
        return "", ""
    return (
        "出した人の中にいると分かれば、それだけで" + "、".join(ja) + "が分かります。",
        "Who is known to be listed is known to be " + " and ".join(en) + ".",
    )
