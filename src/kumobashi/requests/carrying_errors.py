"""How carrying out what was granted fails, and ending a suspension.

KumobashiError
└── RequestFailed
    ├── DeciderCarriesOut   whoever decided it may not carry it out
    ├── ScopeNeeded         granted in part: nobody said which links are suspended
    ├── ScopeWider          more links than were asked for
    ├── SuspendedSince      suspended after the rows were read: they are read anew
    ├── ReceiverUnknown     not a receiver of this request
    ├── ReceiversOpen       receivers have not confirmed
    ├── LiftUnasked         nobody asked to lift it
    └── NotSuspended        nothing is suspended by this request
"""

from kumobashi.requests.errors import RequestFailed


class DeciderCarriesOut(RequestFailed):
    """Whoever decided it may not carry it out."""

    code = "request.decider_carries_out"
    status = 403
    ja = "訂正・利用停止は、決定した本人が実施することはできません。"
    en = "A correction or suspension is carried out by another person than decided it."
    remedy_ja = "運用の役の人に頼んでください: kumobashi request carry-out <請求>"
    remedy_en = "Ask an operator: kumobashi request carry-out REQUEST"


class ScopeNeeded(RequestFailed):
    """Granted in part: nobody said which links are suspended."""

    code = "request.scope_needed"
    status = 409
    ja = "一部を認めた利用停止です。止める連携が示されていません。"
    en = "It was granted in part, and nobody said which links are suspended."
    remedy_ja = "止める連携を --link で示してください（いくつでも）。"
    remedy_en = "Name each link that is suspended with --link."


class ScopeWider(RequestFailed):
    """More links than were asked for."""

    code = "request.scope_wider"
    status = 409
    ja = "連携 {link} は、この請求の対象ではありません。"
    en = "The link {link} is not among those that this request is about."
    remedy_ja = "対象の連携: {known}"
    remedy_en = "It is about: {known}"


class SuspendedSince(RequestFailed):
    """Suspended after the rows were read: they are read anew."""

    code = "request.suspended_since"
    retryable = True
    status = 409
    ja = "抽出のあとに利用停止が {suspended} 件実施されました。封をせず、作り直します。"
    en = "{suspended} suspensions came after the rows were read; it is made anew before sealing."
    remedy_ja = "自動でやり直します。"
    remedy_en = "It is done again by itself."


class ReceiverUnknown(RequestFailed):
    """Not a receiver of this request."""

    code = "request.receiver_unknown"
    status = 404
    ja = "連携 {link} は、この請求の受け取り先にありません。"
    en = "No receiver of this request is reached by the link {link}."
    remedy_ja = "受け取り先の連携: {known}"
    remedy_en = "Links of its receivers: {known}"


class ReceiversOpen(RequestFailed):
    """Receivers have not confirmed."""

    code = "request.receivers_open"
    status = 409
    ja = "受け取り先の確認が {open} 件残っています（{links}）。終了していません。"
    en = "{open} receivers have not confirmed yet ({links}); it was not ended."
    remedy_ja = (
        "次の転送を待つか、文書で確かめたら kumobashi request receiver <請求> --link <連携>"
        " --confirmed と記録してください。"
    )
    remedy_en = (
        "Wait for the next transfer, or record what was confirmed on paper:"
        " kumobashi request receiver REQUEST --link LINK --confirmed"
    )


class LiftUnasked(RequestFailed):
    """Nobody asked to lift it."""

    code = "request.lift_unasked"
    status = 409
    ja = "利用停止の解除は、まず一人が申し出て、別の承認者が行います。申出がありません。"
    en = "A suspension is lifted by two: nobody asked for it yet."
    remedy_ja = "先に kumobashi request lift <請求> --reason <理由> で申し出てください。"
    remedy_en = "Ask first: kumobashi request lift REQUEST --reason REASON"


class NotSuspended(RequestFailed):
    """Nothing is suspended by this request."""

    code = "request.not_suspended"
    status = 409
    ja = "この請求で止めているものはありません。"
    en = "Nothing is suspended by this request."
    remedy_ja = "いまの状態を確かめてください: kumobashi request show <請求>"
    remedy_en = "See its state: kumobashi request show REQUEST"
