"""How telling people fails. No sentence holds an address or a number of a person.

KumobashiError
└── TellingFailed
    ├── ChannelAway            it may go through later
    ├── LetterRefused          the far side does not take it, now or later
    ├── ChannelNotFromZone     from a closed zone only mail to the relay leaves
    ├── AlertChannelUnfit      what is written about a channel cannot be used
    ├── CallbackUnsigned       who says that a call was answered is not the gateway
    └── DailyLetterUnknown     nothing waits to be confirmed
"""

from kumobashi.kernel import KumobashiError


class TellingFailed(KumobashiError):
    """People could not be told."""

    code = "alert.failed"


class ChannelAway(TellingFailed):
    """It did not go through, or nobody knows; another try may."""

    code = "alert.channel_away"
    retryable = True
    status = 503
    ja = "連絡手段「{channel}」で渡せませんでした（{reason}）。"
    en = "The channel {channel!r} did not take it ({reason})."
    remedy_ja = "自動で送り直し、次の手段へ進みます。続くときは相手を調べてください。"
    remedy_en = "It is tried again, and the next step goes by another way; look at the server."


class LetterRefused(TellingFailed):
    """The far side does not take it, now or later."""

    code = "alert.letter_refused"
    status = 502
    ja = "連絡手段「{channel}」の相手が受け取りを断りました（{reason}）。"
    en = "The far side of {channel!r} refused it ({reason})."
    remedy_ja = "alerts.yaml の宛先と、相手のサーバの設定を確かめてください。"
    remedy_en = "Check the address in alerts.yaml and the settings of the server there."


class ChannelNotFromZone(TellingFailed):
    """From a closed zone only mail to the relay leaves."""

    code = "monitor.channel_not_from_zone"
    status = 422
    ja = "サイト「{site}」は{zone_ja}にあるため、連絡手段「{channel}」で直接は送れません。"
    en = "The channel {channel!r} must not leave from {site!r}, in the zone {zone}."
    remedy_ja = (
        "LGWAN のメール中継（relay: true の mail）だけが使えます。"
        "ほかの手段は carried でそのメールに載せてください。"
    )
    remedy_en = "Only mail with relay: true leaves; let such a mail carry the others (carried)."


class AlertChannelUnfit(TellingFailed):
    """What is written about a channel cannot be used."""

    code = "alert.channel_unfit"
    status = 422
    ja = "alerts.yaml の連絡手段「{channel}」の {field} が使えません（{expected}）。"
    en = "In alerts.yaml {field} of the channel {channel!r} cannot be used ({expected})."
    remedy_ja = "設定を直してください。"
    remedy_en = "Correct the settings."


class CallbackUnsigned(TellingFailed):
    """Who says that a call was answered is not the gateway."""

    code = "alert.callback_unsigned"
    status = 401
    ja = "電話ゲートウェイからの知らせの署名が正しくないため、受け取りません。"
    en = "What is said about a call is not signed by the gateway; it counts for nothing."
    remedy_ja = "双方の秘密の値と時計を確かめてください。"
    remedy_en = "Check the secret and the clocks of both sides."


class DailyLetterUnknown(TellingFailed):
    """Nothing waits to be confirmed."""

    code = "alert.daily_letter_unknown"
    status = 404
    ja = "確認を待っている便り「{word}」はありません。"
    en = "No daily letter {word!r} waits to be confirmed."
    remedy_ja = "届いた便りにある合言葉を、そのまま入力してください。"
    remedy_en = "Type the word of the letter as it came."
