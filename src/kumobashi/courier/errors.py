"""How carrying by hand fails.

KumobashiError
└── CourierFailed
    ├── CourierNotAllowed     the link does not permit media
    ├── NothingToCarry        not sealed yet, or no receipts yet
    ├── PermitFailed
    │   ├── AccountsMissing   nobody has an account, so there are no two persons
    │   ├── PermitUnknown
    │   ├── PermitMove        not in this state
    │   ├── SamePerson        who asked may not approve
    │   ├── PermitOver        the day of return has passed
    │   ├── ReturnTooLate     the day of return is too far away, or gone
    │   └── MediaUsedUp       no medium of the permit is left
    ├── MediumFailed
    │   ├── MediumNotEmpty
    │   ├── MediumTooSmall
    │   ├── MediumUnfaithful  reading back gives other bytes
    │   ├── MediumMissing     nothing of ours is there
    │   ├── MediumIncomplete  the export did not come to its end
    │   ├── MediumForeign     sealed to another site, or damaged at its beginning
    │   ├── MediumStrange     something lies there that is not ours: a link, a device, a folder
    │   ├── MediumTooMany
    │   ├── MediumDamaged
    │   ├── MediumKeyless     without the key that its manifest names
    │   ├── MediumExpired
    │   └── MediumKnown       it was read in before
    ├── NoRoom                it claims more than fits here
    └── CodeFailed
        ├── CodeMistyped      the check character does not fit
        ├── CodeWrong
        ├── CodeLocked        too many wrong ones
        ├── CodeNotYet        the receiver has not come to an end
        ├── RefusedByCode     the code says that the receiver refused
        └── ReceiptContradicts  a receipt is not the one that a code spoke of
"""

from kumobashi.kernel import KumobashiError


class CourierFailed(KumobashiError):
    """Nothing was carried."""

    code = "courier.failed"


class CourierNotAllowed(CourierFailed):
    """Media are off unless a link says otherwise."""

    code = "courier.not_allowed"
    status = 403
    ja = "連携「{link}」は媒体での持ち運びを許していません。何もしていません。"
    en = "The link {link!r} does not permit media; nothing was done."
    remedy_ja = (
        "許すなら links/{link}.yaml に courier: {{longest_days: 7}} と書き、"
        "事前点検を承認し直します。"
    )
    remedy_en = (
        "To permit it write courier: {{longest_days: 7}} into links/{link}.yaml, and approve."
    )


class NothingToCarry(CourierFailed):
    """There is nothing that could go on a medium."""

    code = "courier.nothing_to_carry"
    status = 409
    ja = "持ち出せるものがありません（{what_ja}）。"
    en = "There is nothing to carry: {what}."
    remedy_ja = "転送の状態を見てください: kumobashi link status"
    remedy_en = "See how the transfers stand: kumobashi link status"


class PermitFailed(CourierFailed):
    """The permit does not cover it."""

    code = "courier.permit_failed"
    status = 409


class AccountsMissing(PermitFailed):
    """Two persons are needed, and nobody is known here."""

    code = "courier.accounts_missing"
    ja = "持出許可には2人が要りますが、{site} に利用者が登録されていません。"
    en = "A permit needs two persons, and {site} has no accounts."
    remedy_ja = "登録してください: kumobashi account add sato --role operator --site {site}"
    remedy_en = "Add them: kumobashi account add sato --role operator --site {site}"


class PermitUnknown(PermitFailed):
    """No such permit."""

    code = "courier.permit_unknown"
    status = 404
    ja = "持出許可「{permit}」はありません。"
    en = "There is no permit {permit!r}."
    remedy_ja = "一覧を見てください: kumobashi courier list --site {site}"
    remedy_en = "See the list: kumobashi courier list --site {site}"


class PermitMove(PermitFailed):
    """A permit goes its way in order."""

    code = "courier.permit_move"
    ja = "持出許可はいま「{now_ja}」なので、「{then_ja}」にできません。"
    en = "The permit is {now!r} and cannot become {then!r}."
    remedy_ja = "いまの状態を見てください: kumobashi courier show {permit} --site {site}"
    remedy_en = "See how it stands: kumobashi courier show {permit} --site {site}"


class SamePerson(PermitFailed):
    """Two persons are two persons."""

    code = "courier.same_person"
    status = 403
    ja = "願い出た人は、自分の持出しを許可できません。"
    en = "Whoever asked for a permit may not approve it."
    remedy_ja = "ほかの承認者に頼んでください。"
    remedy_en = "Ask another approver."


class PermitOver(PermitFailed):
    """The day of return has passed."""

    code = "courier.permit_over"
    ja = "持出許可の返却期日（{return_by}）を過ぎています。何も書いていません。"
    en = "The permit ended on {return_by}; nothing was written."
    remedy_ja = "新しい持出許可を願い出てください。"
    remedy_en = "Ask for a new permit."


class ReturnTooLate(PermitFailed):
    """The day of return does not fit the link."""

    code = "courier.return_too_late"
    status = 400
    ja = "返却期日は {first} から {last} までの日にしてください。"
    en = "The day of return must be from {first} to {last}."
    remedy_ja = "もっと長く要るなら、連携の courier.longest_days を変えて承認し直します。"
    remedy_en = "If longer is needed change courier.longest_days of the link, and approve again."


class MediaUsedUp(PermitFailed):
    """Each medium is written once, and every one needs its number on the permit."""

    code = "courier.media_used_up"
    ja = "持出許可の媒体（{count} 本）はすべて書き終えていますが、まだ残りがあります。"
    en = "All {count} media of the permit are written, and something is left."
    remedy_ja = "残りの媒体の番号で、新しい持出許可を願い出てください。"
    remedy_en = "Ask for a permit with the numbers of further media."


class MediumFailed(CourierFailed):
    """A medium cannot be used."""

    code = "courier.medium_failed"
    status = 422
    remedy_ja = "媒体の番号と送り側の控えを確かめ、送り側に書き直しを頼んでください。"
    remedy_en = "Compare the medium's number with the sender's list; have it written again."


class MediumNotEmpty(MediumFailed):
    """A medium carries one consignment."""

    code = "courier.medium_not_empty"
    status = 409
    ja = "媒体には前の持ち運びの内容が残っています。上書きしません。"
    en = "The medium holds an earlier consignment; it is not written over."
    remedy_ja = "受け取りと返却を確かめてから、媒体を消去してください。"
    remedy_en = "Erase the medium once what it carried has arrived and was noted."


class MediumTooSmall(MediumFailed):
    """Not even one part fits."""

    code = "courier.medium_too_small"
    status = 409
    ja = "媒体の空きが足りません（必要 {needed_bytes} バイト、空き {free_bytes} バイト）。"
    en = "The medium is too small: {needed_bytes} bytes are needed, {free_bytes} are free."
    remedy_ja = "空きの大きい媒体を使うか、媒体を消去してください。"
    remedy_en = "Take a larger medium, or erase it."


class MediumUnfaithful(MediumFailed):
    """What was written does not come back."""

    code = "courier.medium_unfaithful"
    ja = "媒体から読み戻した内容が、書いたものと違います（{file}）。"
    en = "The medium does not give back what was written ({file})."
    remedy_ja = "この媒体は使わず、別の媒体で持出許可を取り直してください。"
    remedy_en = "Do not use this medium; take another one, with a permit of its own."


class MediumMissing(MediumFailed):
    """Nothing of ours is there."""

    code = "courier.medium_missing"
    status = 404
    ja = "このフォルダには持ち運びの内容（{folder}）がありません。"
    en = "This folder holds no consignment ({folder})."
    remedy_ja = "媒体が正しくつながっているか、フォルダの指定を確かめてください。"
    remedy_en = "Check that the medium is mounted, and the folder that you named."


class MediumIncomplete(MediumFailed):
    """The export did not come to its end, or the copy did not."""

    code = "courier.medium_incomplete"
    ja = "媒体は書きかけです（{what_ja}）。何も取り込んでいません。"
    en = "The medium is not complete ({what}); nothing was taken in."
    remedy_ja = "送り側で同じ持出許可の export をもう一度実行すると、続きから書きます。"
    remedy_en = "Run the same export again at the sender: it goes on where it ended."


class MediumKeyless(MediumFailed):
    """The bundle is there, and what opens it is not."""

    code = "courier.medium_keyless"
    ja = "媒体に転送 {transfer} の鍵がありません。何も取り込んでいません。"
    en = "The medium lacks the key of transfer {transfer}; nothing was taken in."
    remedy_ja = (
        "鍵のない媒体は復号できません。送り側で、新しい持出許可で書き直してもらってください。"
    )
    remedy_en = "It could not be opened. Have it written again at the sender, under a new permit."


class MediumForeign(MediumFailed):
    """It cannot be opened here."""

    code = "courier.medium_foreign"
    status = 403
    ja = "この媒体は {site} あてではないか、初めの部分が壊れています。何も取り込んでいません。"
    en = "This medium is not for {site}, or its beginning is damaged; nothing was taken in."
    remedy_ja = "媒体の番号を送り側に伝え、あて先を確かめてください。"
    remedy_en = "Tell the sender the medium's number and ask where it should have gone."


class MediumStrange(MediumFailed):
    """Only plain files of ours lie in the folder of a consignment."""

    code = "courier.medium_strange"
    ja = "媒体に持ち運びのものでないものがあります（{what_ja}）。何も取り込んでいません。"
    en = "Something on the medium is not of a consignment ({what}); nothing was taken in."
    remedy_ja = "媒体を抜き、情報セキュリティの担当に渡してください。中を開かないでください。"
    remedy_en = "Take the medium out and hand it to whoever is in charge of security; open nothing."


class MediumTooMany(MediumFailed):
    """More files than a medium ever holds."""

    code = "courier.medium_too_many"
    ja = "媒体のファイルが多すぎます（{limit} 個を超えます）。何も取り込んでいません。"
    en = "The medium holds more than {limit} files; nothing was taken in."


class MediumDamaged(MediumFailed):
    """Bytes that are not those that the sender signed."""

    code = "courier.medium_damaged"
    ja = "媒体の内容が、送り側の署名したものと違います（{file}）。取り込みを止めました。"
    en = "The medium is not what its sender signed ({file}); taking in was stopped."


class MediumExpired(MediumFailed):
    """Its time is over."""

    code = "courier.medium_expired"
    status = 410
    ja = "媒体の有効期限（{expires}）を過ぎています。何も取り込んでいません。"
    en = "The medium could be taken in until {expires}; nothing was taken in."
    remedy_ja = "送り側に送り直しを頼んでください。"
    remedy_en = "Ask the sender to send it again."


class MediumKnown(MediumFailed):
    """A second reading changes nothing, and may be a replay."""

    code = "courier.medium_known"
    status = 409
    ja = "この媒体は {at} に取り込み済みです。何も変えていません。"
    en = "This medium was read in at {at}; nothing was changed."
    remedy_ja = "媒体を消去して返却してください。覚えがなければ担当に知らせてください。"
    remedy_en = "Erase and return it. If you do not remember reading it in, report it."


class NoRoom(CourierFailed):
    """What a medium claims to carry does not fit on this disk."""

    code = "courier.no_room"
    status = 507
    ja = "媒体の内容（{claimed_bytes} バイト）は、ここの空き（{free_bytes} バイト）に入りません。"
    en = "The medium claims {claimed_bytes} bytes and {free_bytes} are free here."
    remedy_ja = (
        "空きを作ってから、もう一度取り込んでください。量に覚えがなければ送り側に確かめます。"
    )
    remedy_en = "Free some space and import again; ask the sender if the size surprises you."


class CodeFailed(CourierFailed):
    """A confirmation code confirms nothing."""

    code = "courier.code_failed"
    status = 422


class CodeMistyped(CodeFailed):
    """A slip: wrong length, a strange letter, or the check character does not fit."""

    code = "courier.code_mistyped"
    ja = "確認番号の打ち間違いです（16文字のうちどれかが違います）。"
    en = "The code was mistyped: one of its 16 characters is not right."
    remedy_ja = "受け取り側に、4文字ずつ読み上げてもらってください。"
    remedy_en = "Have the receiver read it out again, four characters at a time."


class CodeWrong(CodeFailed):
    """Typed right, and not of this transfer."""

    code = "courier.code_wrong"
    status = 403
    ja = "この確認番号は、この転送のものではありません（あと {left} 回）。"
    en = "This code is not of this transfer ({left} tries are left)."
    remedy_ja = "転送の番号を確かめ、受け取り側に問い合わせてください。"
    remedy_en = "Check which transfer it is, and ask the receiver."


class CodeLocked(CodeFailed):
    """Guessing is over."""

    code = "courier.code_locked"
    status = 429
    ja = "確認番号を続けて間違えたため、この持出しは番号では確認できません。"
    en = "Too many wrong codes: this consignment can no longer be confirmed by a code."
    remedy_ja = "到達確認を媒体で受け取ってください（courier import）。"
    remedy_en = "Have the receipts brought on a medium (courier import)."


class CodeNotYet(CodeFailed):
    """There is a code once the receiver has come to an end."""

    code = "courier.code_not_yet"
    status = 409
    ja = "まだ確認番号はありません（いま「{state}」）。"
    en = "There is no code yet; the bundle is {state!r}."
    remedy_ja = "取込か拒否に至ると出せます。媒体で届いた転送に限ります。"
    remedy_en = "It can be had once the bundle is applied or refused, and if a medium brought it."


class RefusedByCode(CodeFailed):
    """The receiver refused; a code has no room to say why."""

    code = "courier.refused_by_code"
    ja = "受け取り側が拒否したことを、確認番号で確かめました。"
    en = "The receiver refused; a confirmation code said so."
    remedy_ja = "拒否の理由を受け取り側に聞き、直してから送り直してください。"
    remedy_en = "Ask the receiver why, correct it, and send it again."


class ReceiptContradicts(CodeFailed):
    """Two statements of the receiver do not agree."""

    code = "courier.receipt_contradicts"
    status = 409
    ja = "届いた到達確認は、確認番号が示したものと違います（転送 {transfer}）。"
    en = "The receipt is not the one that the code spoke of (transfer {transfer})."
    remedy_ja = "証跡を書き出し、受け取り側と情報セキュリティの担当に知らせてください。"
    remedy_en = "Export the evidence; tell the receiver and whoever is in charge of security."
