"""The steps of an interconnection test, in the order in which they can fail."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from kumobashi.calls.errors import Side


class Stage(StrEnum):
    """What a step is about."""

    PLAN = "plan"
    REACH = "reach"
    TLS = "tls"
    WAY = "way"
    SIGNATURE = "signature"
    CLOCK = "clock"
    PLAN_THERE = "plan_there"
    SIZES = "sizes"
    CHARACTERS = "characters"
    CANARY = "canary"
    SYSTEM = "system"
    RECEIPTS = "receipts"

    @property
    def ja(self) -> str:
        """What people call it."""
        return _NAMES[self][0]

    @property
    def en(self) -> str:
        """The same in English."""
        return _NAMES[self][1]


_NAMES: Final = {
    Stage.PLAN: ("事前点検と承認", "Plan and approval"),
    Stage.REACH: ("隣のゲートウェイへの接続", "Connection to the next gateway"),
    Stage.TLS: ("TLS と証明書", "TLS and certificate"),
    Stage.WAY: ("相手のゲートウェイまでの経路", "Way to the other gateway"),
    Stage.SIGNATURE: ("電子署名", "Signatures"),
    Stage.CLOCK: ("時計", "Clocks"),
    Stage.PLAN_THERE: ("相手の事前点検と承認", "Plan and approval there"),
    Stage.SIZES: ("データの大きさ", "Sizes"),
    Stage.CHARACTERS: ("文字", "Characters"),
    Stage.CANARY: ("架空の1件の往復", "A fictional record, there and back"),
    Stage.SYSTEM: ("相手の業務システム", "The system there"),
    Stage.RECEIPTS: ("双方の記録", "Records of both sides"),
}


class Outcome(StrEnum):
    """What became of a step."""

    PASSED = "passed"
    WARNED = "warned"  # it works, and somebody should look at it
    FAILED = "failed"
    SKIPPED = "skipped"  # there is nothing to try here
    NOT_RUN = "not_run"  # an earlier one failed


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one step came to, for people and for the record."""

    stage: Stage
    outcome: Outcome
    ja: str
    en: str
    site: str = ""  # where it stopped, as far as anybody knows
    side: Side | None = None  # whose it is to mend
    code: str = ""
    remedy_ja: str = ""
    remedy_en: str = ""
    microseconds: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return it for the record."""
        found: dict[str, Any] = {
            "stage": self.stage.value,
            "stage_ja": self.stage.ja,
            "outcome": self.outcome.value,
            "ja": self.ja,
            "en": self.en,
            "microseconds": self.microseconds,
        }
        if self.outcome is Outcome.FAILED:
            side = {"side": self.side.value, "side_ja": self.side.ja} if self.side else {}
            remedy = {"remedy_ja": self.remedy_ja, "remedy_en": self.remedy_en}
            found |= {"site": self.site, "code": self.code, **side, **remedy}
        return found
