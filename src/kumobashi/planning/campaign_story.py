"""What people and machines are told of campaigns: the error table, data times, the three ways."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kumobashi.kernel import JST, KumobashiError, Language, to_wire
from kumobashi.messages.freshness import Freshness
from kumobashi.planning.campaign_items import AskedItem
from kumobashi.planning.links import LinkFile
from kumobashi.planning.workspace import Workspace
from kumobashi.release.abstraction import AbstractionError
from kumobashi.release.campaigns import Campaign
from kumobashi.release.comparing import Kind, Way
from kumobashi.release.rules import ReleaseRule
from kumobashi.release.verdicts import Counts, Error, Verdict

SMALL = 5  # fewer people than this are too few to hide among
VERDICTS: Mapping[Verdict, tuple[str, str]] = {
    Verdict.PINPOINT: ("ピンポイント可", "fit for single persons"),
    Verdict.GENERAL: ("制度案内のみ可", "general notices only"),
    Verdict.UNFIT: ("不可", "unfit"),
}
ERRORS: Mapping[Error, tuple[str, str]] = {
    Error.NONE: ("誤差なし", "no error"),
    Error.SMALL: ("許容範囲", "small error"),
    Error.UNACCEPTABLE: ("許容できない誤差", "unacceptable error"),
    Error.LARGE: ("大きな誤差", "large error"),
    Error.NOBODY: ("対象者が0人", "nobody is meant"),
}
EXACT_ONLY = ("庁内判定のみ", "decided in the hall only")
WAYS: Mapping[Kind, tuple[str, str]] = {
    Kind.RAW: ("生データ", "raw"),
    Kind.COARSENED: ("抽象化", "coarsened"),
    Kind.CLIMBED: ("もっと粗く", "coarser"),
    Kind.PREDICATE: ("庁内判定", "predicate-only"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignLine:
    """One campaign: how far its coarsened condition is off, and whether its data may be used."""

    campaign: Campaign
    rule: str  # the release rule that it was counted with
    counted: AbstractionError
    items: tuple[AskedItem, ...]  # what its code follows from
    freshness: Freshness | None  # none: some data are of an unknown moment
    stopped: KumobashiError | None  # why it may not use its data
    named: Mapping[str, str] = field(default_factory=dict)  # released columns in Japanese
    ways: tuple[Way, ...] = field(default=())

    @property
    def has_coarsened(self) -> bool:
        """Whether a coarsened condition was counted at all."""
        coarsened = self.campaign.coarsened
        return coarsened is not None and coarsened.rule == self.rule

    @property
    def verdict(self) -> tuple[str, str]:
        """The verdict in words."""
        return VERDICTS[self.counted.verdict] if self.has_coarsened else EXACT_ONLY

    @property
    def error(self) -> tuple[str, str]:
        """The error in words."""
        return ERRORS[self.counted.error] if self.has_coarsened else ("―", "-")

    @property
    def is_small(self) -> bool:
        """Whether so few who consented are meant that the code itself singles them out."""
        return 0 < self.counted.consenting.exact < SMALL


def rule_of(workspace: Workspace, campaign: Campaign) -> ReleaseRule | None:
    """Return the rule that a campaign is counted with: that of its coarsened condition first."""
    if campaign.coarsened:
        return workspace.rules[campaign.coarsened.rule]
    return next((r for r in workspace.rules.values() if campaign.campaign in r.campaigns), None)


def campaigns_of(workspace: Workspace, link: LinkFile) -> list[Campaign]:
    """Return the campaigns that a link serves, by codes it sends or by columns of its rule."""
    rule = workspace.rules[link.release]
    if rule.predicate_only:
        return [workspace.campaigns[code] for code in rule.campaigns]
    return [
        campaign
        for _, campaign in sorted(workspace.campaigns.items())
        if campaign.coarsened and campaign.coarsened.rule == rule.release
    ]


def tells(line: CampaignLine) -> tuple[str, str]:
    """Return what somebody who sees the code learns of the person, in both languages."""
    ja = "・".join(dict.fromkeys(item.ja for item in line.items))
    en = ", ".join(dict.fromkeys(item.column or item.reference for item in line.items))
    few = line.counted.consenting.exact
    special = any(item.sensitivity == "special" for item in line.items)
    more_ja = f"同意した対象者は {few:,} 人" + ("だけです。" if line.is_small else "です。")
    more_ja += "要配慮の項目から決まります。" if special else ""
    said_ja = f"コード {line.campaign.campaign} が付いた人は、{ja} の条件に当てはまるとわかります。"
    said_en = f"The code {line.campaign.campaign} says that the person meets a condition on {en};"
    said_en += f" {few:,} who consented do{', only these' if line.is_small else ''}."
    said_en += " It follows from specially protected items." if special else ""
    return said_ja + more_ja, said_en


def of_which_moment(line: CampaignLine) -> tuple[str, str]:
    """Return of which moment the data are and until when they may be used."""
    if line.stopped is not None:
        return line.stopped.say("ja"), line.stopped.say("en")
    if line.freshness is None:
        return "データの時点がわかりません。", "Of which moment the data are is unknown."
    core, taken, until = (
        f"{at.astimezone(JST):%Y-%m-%d %H:%M}"
        for at in (line.freshness.core_at, line.freshness.taken_at, line.freshness.usable_until)
    )
    return (
        f"データは業務システム {core} 時点、統合DB {taken} 時点。{until} まで使えます。",
        f"Data of {core} (core systems), taken {taken}; usable until {until}.",
    )


def way_columns(way: Way, lines: Sequence[CampaignLine], lang: Language) -> str:
    """Return what leaves in one of the ways."""
    if lang == "en":
        return ", ".join(way.columns)
    known = {
        **{item.column or item.reference.partition(".")[2]: item.ja
           for line in lines for item in line.items},
        **(lines[0].named if lines and way.kind in {Kind.COARSENED, Kind.CLIMBED} else {}),
        "campaign": "通知のコード",
    }  # fmt: skip
    plain = (column.rpartition(".")[2] for column in way.columns)
    return "・".join(dict.fromkeys(known.get(column, column) for column in plain))


def first_to_end(lines: Sequence[CampaignLine]) -> CampaignLine | None:
    """Return the campaign whose data may be used the shortest, of those that may use theirs."""
    good = [line for line in lines if line.freshness and line.stopped is None]
    return min(good, key=_end, default=None)


def _end(line: CampaignLine) -> str:
    return to_wire(line.freshness.usable_until) if line.freshness else ""


def percent(share: float | None) -> str:
    """Return a share as a table shows it; never 100 % when something is missing.

    >>> percent(0.99999), percent(1.0), percent(0.4235), percent(None)
    ('99.9%', '100%', '42.3%', '―')
    """
    if share is None:
        return "―"
    return "100%" if share == 1 else f"{int(share * 1000) / 10:.1f}%"


def line_json(line: CampaignLine) -> dict[str, Any]:
    """Return a line for machines."""
    told = line.counted
    return {
        "campaign": line.campaign.campaign,
        "name": line.campaign.name,
        "version": line.campaign.version,
        "rule": line.rule,
        "people": told.counts.people,
        **_counts_json(told.counts),
        "climbed": _counts_json(told.climbed) if told.climbed else None,
        "consenting": {"people": told.consenting.people, **_counts_json(told.consenting)},
        "unknown": {"exact": told.unknown_exact, "coarsened": told.unknown_coarsened},
        "min_precision": line.campaign.min_precision,
        "min_recall": line.campaign.min_recall,
        "error": told.error.value if line.has_coarsened else None,
        "verdict": told.verdict.value if line.has_coarsened else None,
        "verdict_ja": line.verdict[0],
        "code_tells": [
            {"item": f"{item.reference}.{item.column}".rstrip("."), "sensitivity": item.sensitivity}
            for item in line.items
        ],
        "is_small": line.is_small,
        "data": {
            "core_at": to_wire(line.freshness.core_at),
            "taken_at": to_wire(line.freshness.taken_at),
            "usable_until": to_wire(line.freshness.usable_until),
        }
        if line.freshness
        else None,
        "stopped": {
            "code": line.stopped.code,
            "ja": line.stopped.say("ja"),
            "en": line.stopped.say("en"),
        }
        if line.stopped
        else None,
        "ways": ways_json(line.ways),
    }


def ways_json(ways: Sequence[Way]) -> list[dict[str, Any]]:
    """Return the three ways for machines."""
    return [
        {
            "way": way.kind.value,
            "columns": list(way.columns),
            "wrong": way.wrong,
            "missed": way.missed,
            "rows": way.rows,
            "bytes": way.bytes,
            "people": way.people,
            "classes": way.classes,
            "smallest_class": way.smallest,
            "alone": way.alone,
        }
        for way in ways
    ]


def _counts_json(counts: Counts) -> dict[str, Any]:
    return {
        "exact": counts.exact,
        "coarsened": counts.coarsened,
        "true_positives": counts.both,
        "false_positives": counts.wrong,
        "false_negatives": counts.missed,
        "precision": counts.precision,
        "recall": counts.recall,
    }
