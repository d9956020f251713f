"""What goes wrong with an interconnection test itself.

KumobashiError
└── CallFailed
    ├── ProbeUnfit      the other gateway cannot read what is asked of it
    ├── AnswerUnfit     what came back of a probe is not what was asked for
    ├── TlsUnfit        the other end is not whom its certificate should name
    ├── OverCourier     a medium is carried on the way: nothing answers
    └── RecordUnfit     a record of a test is not as both sides signed it
"""

from kumobashi.calls.errors import CallFailed, Side


class ProbeUnfit(CallFailed):
    """It is none of the requests that a test consists of."""

    code = "link_test.probe_unfit"
    side = Side.ASKING_GATEWAY
    status = 400
    ja = "接続テストの要求を読めません（{reason}）。"
    en = "A request of the interconnection test cannot be read: {reason}."
    remedy_ja = "両方のゲートウェイの版を確かめてください。"
    remedy_en = "Compare the versions of the two gateways."


class AnswerUnfit(CallFailed):
    """A probe came back otherwise than it was sent."""

    code = "link_test.answer_unfit"
    side = Side.ANSWERING_GATEWAY
    status = 502
    ja = "接続テストの回答が、送ったものと合いません（{reason}）。"
    en = "The answer to the interconnection test is not what was sent: {reason}."
    remedy_ja = "両方のゲートウェイの版と、途中の機器の設定を確かめてください。"
    remedy_en = "Compare the versions of the two gateways, and look at the devices between."


class TlsUnfit(CallFailed):
    """TLS does not come about with the next gateway."""

    code = "link_test.tls_unfit"
    side = Side.LINE
    status = 502
    ja = "{site_name}との TLS が成り立ちません（{reason}）。"
    en = "TLS with {site} does not come about: {reason}."
    remedy_ja = "証明書の期限・名前・発行者と、途中の機器を確かめてください。連絡先: {contact}"
    remedy_en = "Look at the certificate's dates, name and issuer, and between. Call: {contact}"


class OverCourier(CallFailed):
    """Somebody carries a medium on the way."""

    code = "link_test.over_courier"
    side = Side.ASKING_GATEWAY
    status = 409
    ja = "連携 {link} の経路には媒体の持ち運びがあり、通信では試せません。"
    en = "A medium is carried on the way of {link}; it cannot be tried over the line."
    remedy_ja = "kumobashi bundle で、試験用の媒体を作って持ち運んでください。"
    remedy_en = "Make a medium with kumobashi bundle, and carry it."


class RecordUnfit(CallFailed):
    """The record was changed, or a signature is not of the site that it names."""

    code = "link_test.record_unfit"
    side = Side.ASKING_GATEWAY
    status = 422
    ja = "接続テストの記録を確かめられません（{reason}）。"
    en = "The record of the interconnection test does not hold: {reason}."
    remedy_ja = "書き換えられていない記録で、もう一度確かめてください。"
    remedy_en = "Verify the record as it was written."
