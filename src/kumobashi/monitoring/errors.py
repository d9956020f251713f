"""How watching, and keeping faults, fails.

KumobashiError
└── MonitoringFailed
    ├── FaultUnknown
    ├── FaultClosed       it was closed; open another one
    ├── NoteMissing       an enquiry, a cause or a measure without words
    ├── StillOpen         a fault that goes on is not closed
    └── PulseUnknown      an older release has no answer to a pulse
"""

from kumobashi.kernel import KumobashiError


class MonitoringFailed(KumobashiError):
    """Something about a fault could not be done."""

    code = "monitor.failed"
    status = 400


class FaultUnknown(MonitoringFailed):
    """No such fault."""

    code = "monitor.fault_unknown"
    status = 404
    ja = "障害「{fault}」はありません。"
    en = "There is no fault {fault!r}."
    remedy_ja = "一覧を見てください: kumobashi fault list"
    remedy_en = "See the list: kumobashi fault list"


class FaultClosed(MonitoringFailed):
    """It was closed; what is said of it stays as it is."""

    code = "monitor.fault_closed"
    status = 409
    ja = "この障害票はすでに閉じられています。"
    en = "The record of this fault is closed."
    remedy_ja = "続きがあれば、新しい障害票として書いてください。"
    remedy_en = "Note what follows in a record of its own."


class NoteMissing(MonitoringFailed):
    """Nothing was said."""

    code = "monitor.note_missing"
    ja = "何も書かれていないため、記録していません。"
    en = "Nothing was said, so nothing was noted."
    remedy_ja = "内容を書いてください（2,000文字まで）。住民の情報は書かないでください。"
    remedy_en = "Say what happened, in at most 2,000 letters; nothing about residents."


class StillOpen(MonitoringFailed):
    """A fault that goes on."""

    code = "monitor.still_open"
    status = 409
    ja = "障害が続いているため、閉じられません。"
    en = "The fault goes on; it cannot be closed."
    remedy_ja = "復旧すると自動で「復旧」になります。それから原因を書いて閉じてください。"
    remedy_en = "It ends by itself when all is well; note its cause then, and close it."


class PulseUnknown(MonitoringFailed):
    """The peer runs a release that knows no pulse."""

    code = "monitor.pulse_unknown"
    ja = "相手のゲートウェイは、生存確認を知らない版です。"
    en = "The gateway there is of a release that knows no pulse."
    remedy_ja = "相手を新しい版に上げると、経路と時計が見えるようになります。"
    remedy_en = "With a newer release there, ways and clocks can be seen."
