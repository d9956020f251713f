"""Why a written time was not read.

KumobashiError
└── TimeUnfit               a text that says no one instant
    ├── TimeUnreadable      no form that is known, or no such day or hour
    ├── ZoneMissing         neither the text nor whoever asked says of which zone
    ├── TimeAmbiguous       two readings are possible
    └── TimeSkipped         that hour was left out when clocks were put forward
"""

from kumobashi.kernel.errors import KumobashiError


class TimeUnfit(KumobashiError):
    """A text that says no one instant; nothing was guessed."""

    code = "time.unfit"
    status = 400
    remedy_ja = "2026-11-24T09:15:00+09:00 の形で書いてください。"
    remedy_en = "Write it as 2026-11-24T09:15:00+09:00."


class TimeUnreadable(TimeUnfit):
    """No form that is known, or a day or an hour that does not exist."""

    code = "time.unreadable"
    ja = "時刻「{text}」を読めません（{part}）。"
    en = "The time {text!r} cannot be read ({part})."


class ZoneMissing(TimeUnfit):
    """Neither the text nor whoever asked says of which zone it is."""

    code = "time.zone_missing"
    ja = "時刻「{text}」が、どの時間帯のものかわかりません。"
    en = "The time {text!r} does not say of which zone it is."
    remedy_ja = "時差（+09:00 など）を付けるか、設定に時間帯を書いてください。"
    remedy_en = "Give its offset (+09:00), or name the zone where it comes from."


class TimeAmbiguous(TimeUnfit):
    """Two readings are possible."""

    code = "time.ambiguous"
    ja = "時刻「{text}」は、二とおりに読めます（{part}）。"
    en = "The time {text!r} can be read in two ways ({part})."


class TimeSkipped(TimeUnfit):
    """An hour that was left out when clocks were put forward."""

    code = "time.skipped"
    ja = "時刻「{text}」は、夏時間への切り替えで存在しません。"
    en = "The time {text!r} was left out when clocks were put forward."
