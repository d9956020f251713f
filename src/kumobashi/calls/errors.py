"""How a call fails, and on which side the fault is.

Every refusal of a call names one of six sides, so that whoever is called by telephone is the one
who can do something. A gateway that hears a refusal from further on passes it on as it is.

KumobashiError
└── CallFailed
    ├── HeaderUnreadable      the common header is not in the agreed form
    ├── MessageMalformed      the message inside is not
    ├── SystemUnproven        the asking system did not show its token
    ├── …                     what nobody has permitted: ``permission_errors``
    ├── CallForeign           signed by or meant for somebody else
    ├── NotHere               the service is not at this site (any more)
    ├── RequestTooLarge, AnswerTooLarge
    ├── CallOver              its time was over before it was handed on
    ├── ServiceAway, ServiceSilent, ServiceUnfit
    ├── PeerAway, PeerSilent
    ├── CertificateRefused    the next site's entrance wants a client certificate, and not ours
    ├── AnswerUntrusted       the answer is not signed, or not to this request
    ├── CallsWaiting          too many at once; come again
    ├── JournalBroken         it cannot be recorded, so it does not go on
    ├── JournalTouched        a record of calls is not as it was
    └── RelayedRefusal        what another gateway refused with, as it said it
"""

from enum import StrEnum
from typing import ClassVar

from kumobashi.kernel import KumobashiError


class Side(StrEnum):
    """Where the fault is."""

    ASKER = "asker"  # the system that asks
    ASKING_GATEWAY = "asking_gateway"
    LINE = "line"  # the network between two gateways
    RELAY = "relay"
    ANSWERING_GATEWAY = "answering_gateway"
    ANSWERER = "answerer"  # the system that answers

    @property
    def ja(self) -> str:
        """What people call it."""
        return {
            "asker": "照会した側の業務システム",
            "asking_gateway": "照会した側のゲートウェイ",
            "line": "ゲートウェイの間の回線",
            "relay": "中継",
            "answering_gateway": "回答する側のゲートウェイ",
            "answerer": "回答する側の業務システム",
        }[self]


class CallFailed(KumobashiError):
    """A call was refused, or could not be answered."""

    code = "call.failed"
    side: ClassVar[Side] = Side.ASKING_GATEWAY

    @property
    def at(self) -> Side:
        """The side, where the same code can come from several."""
        told = self.facts.get("side")
        return told if isinstance(told, Side) else self.side

    def problem(self) -> dict[str, object]:
        """Return the error as an RFC 9457 problem document: side and site at fault."""
        side = {"side": self.at.value, "side_ja": self.at.ja}
        site = self.facts.get("site")
        return super().problem() | side | ({"site": site} if isinstance(site, str) else {})


class HeaderUnreadable(CallFailed):
    """The common header is missing, too long, or not in the agreed form."""

    code = "call.header_unreadable"
    ja = "照会の共通ヘッダーを読めません（{reason}）。"
    en = "The common header of the call cannot be read: {reason}."
    remedy_ja = "照会した側のゲートウェイの版を確かめてください。"
    remedy_en = "Check the release of the asking gateway."


class MessageMalformed(CallFailed):
    """The message inside a call is not Binary HTTP of known length (RFC 9292)."""

    code = "call.message_malformed"
    ja = "照会または回答の中身の形が正しくありません（{reason}）。"
    en = "The message inside the call is malformed: {reason}."
    remedy_ja = "送った側のゲートウェイの版を確かめてください。"
    remedy_en = "Check the release of the gateway that sent it."


class SystemUnproven(CallFailed):
    """The asking system is not named, unknown here, or its token is wrong."""

    code = "call.system_unproven"
    side = Side.ASKER
    status = 401
    ja = "照会した業務システムを確かめられません。"
    en = "The asking system is not proven."
    remedy_ja = "このサイトの業務システムの名前と、その合言葉（token）を送ってください: "
    remedy_ja += "kumobashi call token SYSTEM"
    remedy_en = "Send the system's name and token of this site: kumobashi call token SYSTEM"


class CallForeign(CallFailed):
    """The call is of another municipality, or its sender is not who signed."""

    code = "call.foreign"
    status = 403
    ja = "この照会は、ここで受けるものではありません（{field}）。"
    en = "This call is not for here: {field}."
    remedy_ja = "照会した側のディレクトリの版を確かめてください。"
    remedy_en = "Check the directory of the asking gateway."


class NotHere(CallFailed):
    """The service does not run at this site, or not any more."""

    code = "call.not_here"
    side = Side.ANSWERING_GATEWAY
    status = 421  # misdirected request
    retryable = True
    ja = "{service} はこのサイト（{site}）にはありません。"
    en = "{service} is not at {site}."
    remedy_ja = "新しいディレクトリが届けば、照会は移った先へ行きます。"
    remedy_en = "With the newer directory the call goes to where it has moved."


class RequestTooLarge(CallFailed):
    """The request is larger than one call may be."""

    code = "call.request_too_large"
    side = Side.ASKER
    status = 413
    ja = "照会が大きすぎます（上限 {limit} バイト）。"
    en = "The request is too large; the limit is {limit} bytes."
    remedy_ja = "多くの行は一括の連携で送ってください。"
    remedy_en = "Send many rows by a bulk link."


class AnswerTooLarge(CallFailed):
    """The answer is larger than the link permits."""

    code = "call.answer_too_large"
    side = Side.ANSWERER
    status = 502
    ja = "回答が、連携で決めた上限（{limit} バイト）を超えています。"
    en = "The answer is larger than the link permits ({limit} bytes)."
    remedy_ja = "絞って照会するか、largest_answer_bytes を見直してください。"
    remedy_en = "Ask for less, or reconsider largest_answer_bytes."


class CallOver(CallFailed):
    """Nobody waits for this call any more."""

    code = "call.over"
    side = Side.LINE
    status = 504
    retryable = True
    ja = "照会の制限時間（{budget_ms} ミリ秒）が過ぎていました。"
    en = "The call's time ({budget_ms} ms) was over."
    remedy_ja = "もう一度照会してください。続くなら、回線と相手の負荷を確かめてください。"
    remedy_en = "Ask again; if it goes on, look at the line and at the other side's load."


class ServiceAway(CallFailed):
    """The answering system takes no connection."""

    code = "call.service_away"
    side = Side.ANSWERER
    status = 502
    retryable = True
    ja = "{service} につながりません。照会は業務システムに届いていません。"
    en = "{service} takes no connection; nothing has reached the system."
    remedy_ja = "回答する側の業務システムが動いているか確かめてください。"
    remedy_en = "See whether the answering system runs."


class ServiceSilent(CallFailed):
    """The answering system took the request and gave no answer in time."""

    code = "call.service_silent"
    side = Side.ANSWERER
    status = 504
    ja = "{service} が時間内に答えません。届いたかもしれません。"
    en = "{service} gave no answer in time; it may have taken the request."
    remedy_ja = "登録や変更なら、結果を確かめてからもう一度照会してください。"
    remedy_en = "If the request changes something, look at the result before asking again."


class ServiceUnfit(CallFailed):
    """The answer of the system broke off, or cannot be read where it has to be."""

    code = "call.service_unfit"
    side = Side.ANSWERER
    status = 502
    ja = "{service} の回答が正しくありません（{reason}）。"
    en = "The answer of {service} is unfit: {reason}."
    remedy_ja = "回答する側の業務システムの担当に知らせてください。"
    remedy_en = "Tell whoever runs the answering system."


class PeerAway(CallFailed):
    """The next gateway takes no connection; nothing has been handed on."""

    code = "call.peer_away"
    side = Side.LINE
    status = 502
    retryable = True
    ja = "{site_name} のゲートウェイにつながりません。照会は届いていません。"
    en = "The gateway of {site} takes no connection; the call was not handed on."
    remedy_ja = "回線と相手のゲートウェイを確かめてください: {contact}"
    remedy_en = "Look at the line and at the gateway there: {contact}"


class PeerSilent(CallFailed):
    """The next gateway took the call and gave no answer in time, or broke off."""

    code = "call.peer_silent"
    side = Side.LINE
    status = 504
    ja = "{site_name} のゲートウェイから時間内に回答がありません。届いたかもしれません。"
    en = "No answer came from the gateway of {site} in time; it may have taken the call."
    remedy_ja = "登録や変更なら、結果を確かめてからもう一度照会してください: {contact}"
    remedy_en = "If the request changes something, look before asking again: {contact}"


class CertificateRefused(CallFailed):
    """What stands before the next gateway asks for a client certificate and did not get a good one.

    How it refuses, with a page or by breaking TLS off, makes no difference.
    """

    code = "call.certificate_refused"
    side = Side.ASKING_GATEWAY
    status = 502
    ja = "{site_name} の入口が、こちらのクライアント証明書を受け付けません（{reason}）。"
    ja += "照会は届いていません。"
    en = "The entrance of {site} does not take our client certificate ({reason_en}); the call was"
    en += " not handed on."
    remedy_ja = "private/<サイト>/tls/ の client.crt・client.key の有無・期限・発行者を確かめて"
    remedy_ja += "ください。正しければ、相手に確かめてもらってください: {contact}"
    remedy_en = "Look at client.crt and client.key in private/<site>/tls/: there, valid, of the"
    remedy_en += " issuer that they take? If so, ask the other side: {contact}"


class AnswerUntrusted(CallFailed):
    """The answer is not signed by the answering site, or not an answer to this request."""

    code = "call.answer_untrusted"
    side = Side.ANSWERING_GATEWAY
    status = 502
    ja = "回答の署名を確かめられません（{reason}）。回答は渡していません。"
    en = "The answer cannot be trusted ({reason}); it was not handed on."
    remedy_ja = "途中で書き換えられたおそれがあります。相手に電話で確かめてください。"
    remedy_en = "Somebody may have changed it on the way; ask the other side by telephone."


class CallsWaiting(CallFailed):
    """As many calls wait as may; this one was not taken."""

    code = "call.waiting"
    status = 503
    retryable = True
    ja = "照会が混み合っています（{what}）。この照会は受けていません。"
    en = "Too many calls at once ({what}); this one was not taken."
    remedy_ja = "{seconds} 秒ほど待って、もう一度照会してください。"
    remedy_en = "Wait some {seconds} seconds and ask again."


class JournalBroken(CallFailed):
    """The record of a call does not reach the disk; without it the call does not go on."""

    code = "call.not_recorded"
    status = 503
    retryable = True
    ja = "照会の記録を書けないため、照会を止めました（{reason}）。"
    en = "The call cannot be recorded and did not go on: {reason}."
    remedy_ja = "ディスクの空きを確かめてください: kumobashi doctor"
    remedy_en = "Look at the free space of the disk: kumobashi doctor"


class JournalTouched(CallFailed):
    """A line of a journal is gone, changed, or not signed by whom it names."""

    code = "call.journal_touched"
    status = 500
    ja = (
        "照会の記録 {journal} の {first} 番から {last} 番のどれかが、書いた時のままではありません。"
    )
    en = "Something between the records {first} and {last} of {journal} is not as it was written."
    remedy_ja = "控えのファイルと比べ、システムの管理者と監査の担当に知らせてください。"
    remedy_en = "Compare it with the backup, and tell the administrator and the auditor."


class RelayedRefusal(CallFailed):
    """Another gateway refused the call; its code, words and side are passed on as they came."""

    code = "call.refused"
    ja = "ほかのゲートウェイが照会を断りました。"
    en = "Another gateway refused the call."

    def __init__(self, *, code: str, said: dict[str, object], side: Side, status: int) -> None:
        super().__init__(side=side, refused_with=code)
        self._said = said
        self.passed_on = code
        self.__dict__["status"] = status  # that of whoever refused

    def problem(self) -> dict[str, object]:
        """Return what the other gateway said, with the members that every problem has."""
        kept = {
            name: value
            for name, value in self._said.items()
            if name in _MEMBERS and isinstance(value, str | bool | int)
        }
        return super().problem() | kept | {"code": self.passed_on, "status": self.status}


_MEMBERS = frozenset(
    {
        "type",
        "title",
        "detail",
        "remedy",
        "remedy_en",
        "retryable",
        "side",
        "side_ja",
        "site",
        "said_by",
    }
)
