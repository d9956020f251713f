"""How the proof of an address fails. No sentence and no fact holds an address, a code or a number.

KumobashiError
└── ChannelFailed
    ├── AddressUnfit          no address of this channel
    ├── ChannelClosed         nothing is set up that could send there
    ├── ChannelUnknown        no such row
    ├── ChannelMove           not in this state
    ├── ChannelUnproven       no proven address where one is needed
    ├── ResidentDied          nobody is reached any more
    ├── ChannelLimited        too often; try later
    ├── ChannelSettingsUnfit  what is written about a channel cannot be used
    ├── AddressUnreadable     its key is gone, or it was altered
    ├── SendingFailed
    │   ├── SenderAway        it may go through later
    │   └── AddressRefused    the channel says that there is no such address
    └── ChannelCodeFailed
        ├── ChannelCodeWrong
        ├── ChannelCodeLocked too many wrong ones
        └── ChannelCodeOver   it came too late
"""

from kumobashi.kernel import KumobashiError


class ChannelFailed(KumobashiError):
    """The address is not proven."""

    code = "channel.failed"


class AddressUnfit(ChannelFailed):
    """No address of this channel; the value is not repeated."""

    code = "channel.address_unfit"
    ja = "この連絡手段（{channel}）の宛先として使えません: {what}。"
    en = "This is no address of the channel {channel}: {what_en}."
    remedy_ja = "宛先を、本人が使っているとおりに入力し直してください。"
    remedy_en = "Type the address again, as the resident uses it."


class ChannelClosed(ChannelFailed):
    """Nothing is set up that could send there."""

    code = "channel.closed"
    status = 409
    ja = "連絡手段「{channel}」は使えるようになっていません。"
    en = "The channel {channel!r} is not set up."
    remedy_ja = "kumobashi.yaml の channels に、送る先の設定を書いてください。"
    remedy_en = "Write under channels in kumobashi.yaml how it is sent."


class ChannelUnknown(ChannelFailed):
    """No such row."""

    code = "channel.unknown"
    status = 404
    ja = "連絡先の記録 {record} はありません。"
    en = "There is no record {record} of an address."
    remedy_ja = "kumobashi consent channel list で番号を確かめてください。"
    remedy_en = "See the records: kumobashi consent channel list"


class ChannelMove(ChannelFailed):
    """Not in this state."""

    code = "channel.move"
    status = 409
    ja = "連絡先の記録は {now} なので、{then} にはできません。"
    en = "The address is {now}; it cannot become {then}."
    remedy_ja = "もう一度登録してください: kumobashi consent channel add"
    remedy_en = "Begin anew: kumobashi consent channel add"


class ChannelUnproven(ChannelFailed):
    """No proven address where one is needed."""

    code = "channel.unproven"
    status = 409
    ja = "連絡手段「{channel}」の、確認済みの連絡先がありません。"
    en = "There is no proven address for the channel {channel!r}."
    remedy_ja = "kumobashi consent channel add で登録し、届いたコードで確認してください。"
    remedy_en = "Register one with kumobashi consent channel add, and confirm the code."


class ResidentDied(ChannelFailed):
    """Nobody is reached any more."""

    code = "channel.resident_died"
    status = 409
    ja = "亡くなった方の連絡先は登録できません。"
    en = "No address is taken for a resident who died."
    remedy_ja = "宛名番号を確かめてください。"
    remedy_en = "Check the resident number."


class ChannelLimited(ChannelFailed):
    """Too often."""

    code = "channel.limited"
    status = 429
    ja = "回数の上限に達しました（{what_ja}）。{after} 以後にもう一度行ってください。"
    en = "Too often ({what}); try again after {after}."
    remedy_ja = "急ぐときは、窓口で本人確認書類を確かめてください。"
    remedy_en = "If it is urgent, check identity at the counter."


class ChannelSettingsUnfit(ChannelFailed):
    """What is written about a channel cannot be used."""

    code = "channel.settings_unfit"
    status = 409
    ja = "連絡手段「{channel}」の設定 {field} が使えません（{expected}）。"
    en = "The setting {field} of the channel {channel!r} cannot be used ({expected})."
    remedy_ja = "kumobashi.yaml の channels を直してください。"
    remedy_en = "Correct channels in kumobashi.yaml."


class AddressUnreadable(ChannelFailed):
    """Its key is gone, or it was altered."""

    code = "channel.address_unreadable"
    status = 500
    ja = "連絡先を開けません。鍵がないか、記録が書き換えられています。何も送りません。"
    en = "The address cannot be opened: its key is gone, or it was altered. Nothing is sent."
    remedy_ja = "この連絡先を取り消し、もう一度登録してください。鍵の控えも確かめてください。"
    remedy_en = "Remove the address and register it anew; look at the backups of keys."


class SendingFailed(ChannelFailed):
    """The code did not go out."""

    code = "channel.sending_failed"
    status = 502


class SenderAway(SendingFailed):
    """It may go through later; it is not known whether something went out."""

    code = "channel.sender_away"
    retryable = True
    ja = "連絡手段「{channel}」で送れませんでした（{reason}）。記録 {record} は残っています。"
    en = "Nothing went out by {channel} ({reason}); the record {record} is kept."
    remedy_ja = "送る先の設定と回線を確かめ、kumobashi consent channel resend を行ってください。"
    remedy_en = "Look at the settings and the line, then: kumobashi consent channel resend"


class AddressRefused(SendingFailed):
    """The channel says that there is no such address."""

    code = "channel.address_refused"
    status = 409
    ja = "連絡手段「{channel}」の側が、この宛先はないと答えました（{reason}）。"
    en = "The channel {channel} answered that there is no such address ({reason})."
    remedy_ja = "宛先を本人に確かめ、もう一度登録してください。"
    remedy_en = "Ask the resident for the address and register it anew."


class ChannelCodeFailed(ChannelFailed):
    """The code proves nothing."""

    code = "channel.code_failed"
    status = 403


class ChannelCodeWrong(ChannelCodeFailed):
    """Another code."""

    code = "channel.code_wrong"
    ja = "確認コードが違います（あと {left} 回）。"
    en = "The code is not the one that was sent; {left} tries are left."
    remedy_ja = "いちばん新しく届いたコードを入力してください。前のコードは使えません。"
    remedy_en = "Type the newest code that arrived; earlier ones are void."


class ChannelCodeLocked(ChannelCodeFailed):
    """Too many wrong ones."""

    code = "channel.code_locked"
    ja = "確認コードを {most} 回まちがえたため、この登録は終わりました。連絡先は消しました。"
    en = "After {most} wrong codes this registration is over and the address was erased."
    remedy_ja = "もう一度登録してください: kumobashi consent channel add"
    remedy_en = "Begin anew: kumobashi consent channel add"


class ChannelCodeOver(ChannelCodeFailed):
    """The code came too late."""

    code = "channel.code_over"
    ja = "確認コードの期限が過ぎています。連絡先は消しました。"
    en = "The code is too old; the address was erased."
    remedy_ja = "もう一度登録してください: kumobashi consent channel add"
    remedy_en = "Begin anew: kumobashi consent channel add"
