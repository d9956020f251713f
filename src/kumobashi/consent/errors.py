"""How consent fails.

KumobashiError
└── ConsentFailed
    ├── PurposeUnknown        no text for this purpose
    ├── VersionUnknown        the text has no such version
    ├── TextUnlike            another text than the one that the version has now
    ├── TierUnknown           the version asks for no such data
    ├── StatedInFuture        the stated time lies ahead of this clock
    ├── SubjectUnfit          no number of a resident
    ├── ConsentUnknown        no such record
    ├── ConsentMove           not in this state
    ├── KeyOfConsentsMissing  the site has no secret that numbers could be sealed under
    ├── NumberUnreadable      sealed under another secret, or altered
    ├── ConsentChanged        somebody withdrew while a release was being made
    ├── ImportUnreadable      the file has not the columns that are asked for
    ├── RevisionTouched       somebody changed what was written; verification returns these
    ├── ProofFailed           the applicant could not be shown to be the resident
    │   ├── CodeUnknown       no code was sent, or it was used
    │   ├── CodeOver          it came too late
    │   ├── CodeWrong
    │   ├── CodeLocked        too many wrong ones
    │   └── IdentityLimited   compared too often for one resident
    ├── RegisterUnknown       no dataset, or several, that residents could be compared with
    ├── DocumentUnknown       no kind of document that counts on this day
    └── ConsentReceiptWrong   no receipt, altered, or of another site
"""

from kumobashi.kernel import KumobashiError


class ConsentFailed(KumobashiError):
    """Nothing was changed in the ledger of consents."""

    code = "consent.failed"


class PurposeUnknown(ConsentFailed):
    """No file of a text says this purpose."""

    code = "consent.purpose_unknown"
    status = 404
    ja = "目的「{purpose}」の同意文がありません。"
    en = "There is no consent text for the purpose {purpose!r}."
    remedy_ja = "consents/{purpose}.yaml を置くか、目的の名前を確かめてください。"
    remedy_en = "Add consents/{purpose}.yaml, or check the name of the purpose."


class VersionUnknown(ConsentFailed):
    """The consent is for a version that the text never had."""

    code = "consent.version_unknown"
    status = 409
    ja = "目的「{purpose}」の同意文に版 {version} はありません。同意は記録していません。"
    en = "The text for {purpose!r} has no version {version}; no consent was recorded."
    remedy_ja = "本人が見た文の版を確かめてください。版は consents/{purpose}.yaml にあります。"
    remedy_en = "See which version the person was shown; versions stand in consents/{purpose}.yaml."


class TextUnlike(ConsentFailed):
    """The person agreed to another text than the version has."""

    code = "consent.text_unlike"
    status = 409
    ja = "目的「{purpose}」の版 {version} の文が、本人の見た文と違います。"
    en = "The text of {purpose!r}, version {version}, is not the one that was shown."
    remedy_ja = "文を直したときは版を上げます。元の文に戻し、新しい文は新しい版にしてください。"
    remedy_en = "A changed text is a new version: restore this one and add the new text as another."


class TierUnknown(ConsentFailed):
    """The version asks for no such data."""

    code = "consent.tier_unknown"
    status = 409
    ja = "目的「{purpose}」の版 {version} は、情報の区分「{tier}」の同意を求めていません。"
    en = "Version {version} of {purpose!r} asks for no consent to {tier!r} data."
    remedy_ja = "区分（register: 住民基本台帳等、tax: 税情報）を確かめてください。"
    remedy_en = "Check the tier: register or tax."


class StatedInFuture(ConsentFailed):
    """The stated time is later than this clock and its tolerance."""

    code = "consent.stated_in_future"
    status = 409
    ja = "申出の日時が、この機械の時計より {minutes} 分を超えて先です。記録していません。"
    en = "The stated time is more than {minutes} minutes ahead of this clock; nothing was recorded."
    remedy_ja = "受付の機械とこの機械の時計を合わせてから、もう一度行ってください。"
    remedy_en = "Set the clocks of the desk and of this machine, then try again."


class SubjectUnfit(ConsentFailed):
    """Not a number of a resident; the value is not repeated."""

    code = "consent.subject_unfit"
    status = 400
    ja = "宛名番号ではない値です（英数字とハイフン、1〜20桁）。"
    en = "This is no resident number (1 to 20 letters, digits or hyphens)."
    remedy_ja = "宛名番号を確かめてください。個人番号は使えません。"
    remedy_en = "Check the number; individual numbers are never used."


class ConsentUnknown(ConsentFailed):
    """No such record."""

    code = "consent.unknown"
    status = 404
    ja = "同意の記録 {record} はありません。"
    en = "There is no consent record {record}."
    remedy_ja = "kumobashi consent list で番号を確かめてください。"
    remedy_en = "See the records: kumobashi consent list"


class ConsentMove(ConsentFailed):
    """Not in this state."""

    code = "consent.move"
    status = 409
    ja = "同意の記録は {now} なので、{then} にはできません。"
    en = "The consent record is {now}; it cannot become {then}."
    remedy_ja = "kumobashi consent history で経過を確かめてください。"
    remedy_en = "See what happened: kumobashi consent history"


class KeyOfConsentsMissing(ConsentFailed):
    """The site has no secret."""

    code = "consent.key_missing"
    status = 409
    ja = "サイト {site} には、宛名番号を封じる鍵（token.key）がありません。"
    en = "The site {site} has no secret (token.key) to seal resident numbers under."
    remedy_ja = "同意の台帳は、住民の情報を送り出す庁内のサイトに置きます。"
    remedy_en = "The ledger stands at the site in the hall that sends residents' data."


class NumberUnreadable(ConsentFailed):
    """Sealed under another secret, or altered."""

    code = "consent.number_unreadable"
    status = 500
    ja = "同意の台帳の宛名番号を開けません。鍵（token.key）が違うか、台帳が書き換えられています。"
    en = "A number in the ledger cannot be opened: another token.key, or the ledger was altered."
    remedy_ja = "kumobashi consent verify を実行し、鍵の控えと照らしてください。何も送りません。"
    remedy_en = "Run kumobashi consent verify and compare the key with its backup. Nothing leaves."


class ConsentChanged(ConsentFailed):
    """Somebody withdrew between the join and the seal."""

    code = "consent.changed"
    retryable = True
    status = 409
    ja = "抽出のあとに {withdrawn} 件の撤回などがありました。封をせず、作り直します。"
    en = "{withdrawn} consents ended after the rows were joined; it is made anew before sealing."
    remedy_ja = "自動でやり直します。"
    remedy_en = "It is done again by itself."


class ImportUnreadable(ConsentFailed):
    """The file has not the columns that are asked for."""

    code = "consent.import_unreadable"
    status = 400
    ja = "取り込むファイルを読めません（{what}）。何も取り込んでいません。"
    en = "The file cannot be imported ({what}); nothing was."
    remedy_ja = "列は resident_no, purpose, tier, version, granted_on, withdrawn_on です。"
    remedy_en = "Its columns are resident_no, purpose, tier, version, granted_on, withdrawn_on."


class RevisionTouched(ConsentFailed):
    """A revision is not what was written."""

    code = "consent.revision_touched"
    status = 409
    ja = (
        "同意の記録 {record} の {number} 番目の改訂から、書いたときのものではありません（{what}）。"
    )
    en = "From revision {number} on, the record {record} is not what was written ({what})."
    remedy_ja = "台帳を使わず、控えと証跡で確かめてください。"
    remedy_en = "Do not use the ledger; compare with a backup and the evidence log."


class ConsentReceiptWrong(ConsentFailed):
    """No receipt of a consent, altered, or of another site."""

    code = "consent.receipt_wrong"
    status = 409
    ja = "同意の受領証として確かめられません（{reason}）。"
    en = "This is no receipt of a consent that can be verified ({reason})."
    remedy_ja = "発行した団体に、もう一度発行してもらってください。"
    remedy_en = "Ask the municipality to issue it again."


class ProofFailed(ConsentFailed):
    """The applicant could not be shown to be the resident; what was unlike is not said."""

    code = "consent.proof_failed"
    status = 403
    ja = "本人と確かめられませんでした。"
    en = "The applicant could not be shown to be the resident."
    remedy_ja = "窓口で本人確認書類を確かめてください。"
    remedy_en = "Check identity at the counter."


class CodeUnknown(ProofFailed):
    """No code waits for this application."""

    code = "consent.code_unknown"
    ja = "この申込に使える郵送コードはありません。"
    en = "No mailed code waits for this application."
    remedy_ja = "新しいコードを郵送してください: kumobashi consent code <記録>"
    remedy_en = "Send a new code: kumobashi consent code RECORD"


class CodeOver(ProofFailed):
    """The code came too late."""

    code = "consent.code_over"
    ja = "郵送コードの期限が過ぎています。"
    en = "The mailed code is too old."
    remedy_ja = "新しいコードを郵送してください: kumobashi consent code <記録>"
    remedy_en = "Send a new code: kumobashi consent code RECORD"


class CodeWrong(ProofFailed):
    """Another code."""

    code = "consent.code_wrong"
    ja = "郵送コードが違います（あと {left} 回）。"
    en = "The code is not the one that was mailed; {left} tries are left."
    remedy_ja = "届いた手紙のコードを、そのまま入力してください。"
    remedy_en = "Type the code as it stands in the letter."


class CodeLocked(ProofFailed):
    """Too many wrong ones."""

    code = "consent.code_locked"
    ja = "郵送コードを {most} 回まちがえたため、この申込では使えません。"
    en = "After {most} wrong codes this application takes none any more."
    remedy_ja = "新しいコードを郵送してください: kumobashi consent code <記録>"
    remedy_en = "Send a new code: kumobashi consent code RECORD"


class IdentityLimited(ProofFailed):
    """Four items were compared too often for one resident."""

    code = "consent.identity_limited"
    status = 429
    ja = "この方の4情報の照合は、上限（{most} 回）に達しました。{after} 以後に行えます。"
    en = "Four items were compared {most} times for this resident; again after {after}."
    remedy_ja = "窓口で本人確認書類を確かめるか、コードを郵送してください。"
    remedy_en = "Check identity at the counter, or send a code by post."


class RegisterUnknown(ConsentFailed):
    """No dataset, or several, that residents could be compared with."""

    code = "consent.register_unknown"
    status = 409
    ja = "4情報を照らす住民基本台帳のデータセットが、1つに決まりません（{found} 個）。"
    en = "There are {found} datasets of residents to compare four items with; one is needed."
    remedy_ja = "レイアウト resident-registry（版 1）のデータセットを、1つだけ置いてください。"
    remedy_en = "Let one system have a dataset of the layout resident-registry, version 1."


class DocumentUnknown(ConsentFailed):
    """No kind of document that counts on this day."""

    code = "consent.document_unknown"
    status = 409
    ja = "本人確認書類の種類「{document}」は、この日（{on}）には使えません。"
    en = "The kind of document {document!r} does not count on {on}."
    remedy_ja = "kumobashi consent documents で、使える種類を確かめてください。"
    remedy_en = "See the kinds that count: kumobashi consent documents"
