"""An alert: one cause, told once, with what a person needs at three in the morning.

Made of a fault when it opens, worsens or ends; channels only carry it. No resident's data gets in:
identifiers, codes, sides and sentences of our own.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Urgency(StrEnum):
    """How soon somebody has to look."""

    NOW = "now"  # 至急: also at night
    TODAY = "today"  # 当日: when the office opens
    NOTE = "note"  # 参考: shown, told with the next letter


class Moment(StrEnum):
    """What happened to the fault that an alert is of."""

    OPENED = "opened"  # 発生
    WORSENED = "worsened"  # 拡大
    ENDED = "ended"  # 復旧


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """What people are told of one fault at one moment."""

    id: str  # UUIDv7; the same for every channel and every repeat
    fault: str  # id of the fault record
    moment: Moment
    urgency: Urgency
    code: str  # of the cause, for example "network.access_line"
    side: str  # site or party at fault, for example "cloud"
    title_ja: str  # one line: cause and side
    title_en: str
    lines_ja: tuple[str, ...]  # cause, effect, contact, what was tried, what happens next
    lines_en: tuple[str, ...]
    links: tuple[str, ...]  # ids of the links it stops, at most 20
    more_links: int  # how many others
    at: datetime  # when the fault began to be seen, UTC
