"""How ties fail.

KumobashiError
└── TieFailed
    ├── ServiceUnknown     no such service
    ├── ServiceTaken       there is a service of this id
    ├── ServiceUnfit       a field of a service that cannot be
    ├── ServiceOver        not offered on this day
    ├── ServiceTied        residents are tied to it still
    ├── TermsUnfit         terms that cannot be
    ├── TermsWiden         an answer that asks for more than was offered
    ├── TermsUnlike        accepted are other terms than stand now
    ├── TieUnknown         no such tie
    ├── TieMove            not in this state
    ├── TieTwice           the resident has a live tie with this service
    ├── TieStatedInFuture  the stated time lies ahead of this clock
    ├── TieStatedBefore    accepted before there was something to accept
    ├── WithdrawnBefore    the resident withdrew later than this was stated
    ├── TieSubjectUnfit    no sealed number of a resident
    ├── ResidentGone       the resident died, or has another number
    ├── StatusOlder        a newer status is known
    ├── TiesChanged        a tie ended, or was narrowed, between the join and the seal
    └── TieTouched         somebody changed what was written; verification returns these
"""

from kumobashi.kernel import KumobashiError


class TieFailed(KumobashiError):
    """Nothing was changed in the registry."""

    code = "tie.failed"


class ServiceUnknown(TieFailed):
    """No such service."""

    code = "tie.service_unknown"
    status = 404
    ja = "サービス「{service}」は登録されていません。"
    en = "There is no service {service!r}."
    remedy_ja = "kumobashi tie service list で確かめてください。"
    remedy_en = "See the services: kumobashi tie service list"


class ServiceTaken(TieFailed):
    """There is one of this id; ids are not used again."""

    code = "tie.service_taken"
    status = 409
    ja = "サービス「{service}」の符号は、すでに使われています。"
    en = "The id {service!r} is, or was, that of a service."
    remedy_ja = "別の符号にするか、kumobashi tie service add --replace で登録を改めてください。"
    remedy_en = "Choose another id, or change the one there is: kumobashi tie service add --replace"


class ServiceUnfit(TieFailed):
    """A field of a service that cannot be."""

    code = "tie.service_unfit"
    ja = "サービスの登録の「{field}」が正しくありません。登録していません。"
    en = "The field {field!r} of the service cannot be; nothing was registered."
    remedy_ja = (
        "符号は英小文字・数字・ハイフンで63字まで、ほかは1〜200字、終わりは初めより後、"
        "システムはほかの拠点にあるものです。"
    )
    remedy_en = (
        "The id: lower-case letters, digits, hyphens, at most 63; other texts 1 to 200 characters;"
        " the last day is not before the first; the system is one at another site."
    )


class ServiceOver(TieFailed):
    """Not offered on this day."""

    code = "tie.service_over"
    status = 409
    ja = "サービス「{service}」は、この日（{on}）には提供されていません。"
    en = "The service {service!r} is not offered on {on}."
    remedy_ja = "サービスの期間を確かめてください。"
    remedy_en = "See the service's first and last day."


class ServiceTied(TieFailed):
    """Residents are tied to it still."""

    code = "tie.service_tied"
    status = 409
    ja = (
        "サービス「{service}」には、終わっていない紐付けが {ties} 件あります。"
        "削除も、扱うシステムの変更もしていません。"
    )
    en = (
        "{ties} ties with the service {service!r} have not ended; it was neither deleted nor moved"
        " to another system."
    )
    remedy_ja = "先に紐付けを終えてください: kumobashi tie end <紐付け>"
    remedy_en = "End the ties first: kumobashi tie end TIE"


class TermsUnfit(TieFailed):
    """Terms that cannot be; the value is not repeated."""

    code = "tie.terms_unfit"
    ja = "紐付けの条件の「{field}」が正しくありません（{expected_ja}）。"
    en = "The terms cannot be: {field} ({expected})."
    remedy_ja = "条件を直して、もう一度行ってください。"
    remedy_en = "Correct the terms, then try again."


class TermsWiden(TieFailed):
    """An answer may only ask for less."""

    code = "tie.terms_widen"
    status = 409
    ja = "回答の「{field}」が、示された条件より広くなっています。受け付けていません。"
    en = "The answer asks for more than was offered ({field}); it was refused."
    remedy_ja = "項目・手段・頻度・期間は、狭めることだけができます。広げるには新しい申出です。"
    remedy_en = "An answer can only narrow; wider terms need a new proposal of the service."


class TermsUnlike(TieFailed):
    """Accepted are other terms than stand now."""

    code = "tie.terms_unlike"
    status = 409
    ja = "受け入れようとした条件は、いまの条件と違います。"
    en = "The accepted terms are not those that stand now."
    remedy_ja = "いまの条件を見てから、もう一度受け入れてください: kumobashi tie show <紐付け>"
    remedy_en = "Look at the terms, then accept again: kumobashi tie show TIE"


class TieUnknown(TieFailed):
    """No such tie."""

    code = "tie.unknown"
    status = 404
    ja = "紐付け {tie} はありません。"
    en = "There is no tie {tie}."
    remedy_ja = "kumobashi tie list で番号を確かめてください。"
    remedy_en = "See the ties: kumobashi tie list"


class TieMove(TieFailed):
    """Not in this state."""

    code = "tie.move"
    status = 409
    ja = "紐付けは「{state_ja}」なので、「{act_ja}」はできません。"
    en = "The tie is {state}; {act} is not possible."
    remedy_ja = "いまの状態を確かめてください: kumobashi tie show <紐付け>"
    remedy_en = "See its state: kumobashi tie show TIE"


class TieTwice(TieFailed):
    """A live tie is there."""

    code = "tie.twice"
    status = 409
    ja = "この人とサービス「{service}」の間には、終わっていない紐付けがあります。"
    en = "There is a tie between this resident and the service {service!r} that has not ended."
    remedy_ja = "その紐付けを終えてから、新しく申し出てください。"
    remedy_en = "End that tie before a new proposal."


class TieStatedInFuture(TieFailed):
    """The stated time is later than this clock and its tolerance."""

    code = "tie.stated_in_future"
    status = 409
    ja = "申出の日時が、この機械の時計より {minutes} 分を超えて先です。記録していません。"
    en = "The stated time is more than {minutes} minutes ahead of this clock; nothing was recorded."
    remedy_ja = "受付の機械とこの機械の時計を合わせてから、もう一度行ってください。"
    remedy_en = "Set the clocks of the desk and of this machine, then try again."


class TieStatedBefore(TieFailed):
    """Accepted before there was something to accept."""

    code = "tie.stated_before"
    status = 409
    ja = "受け入れた日時が、条件の示された日時より {minutes} 分を超えて前です。"
    en = "Accepted more than {minutes} minutes before these terms were stated."
    remedy_ja = "受付の機械の時計を確かめ、いまの条件をもう一度受け入れてください。"
    remedy_en = "Check the clock of the desk, and accept the terms that stand now."


class WithdrawnBefore(TieFailed):
    """The resident withdrew later than this was stated, or so near that clocks may disagree."""

    code = "tie.withdrawn_before"
    status = 409
    ja = "本人がサービス「{service}」への撤回をしているため、受け付けられません。"
    en = "The resident withdrew from the service {service!r}; this was not stated after it."
    remedy_ja = "本人が望むなら、サービスから新しく申し出てください。"
    remedy_en = "If the resident wishes, the service proposes anew."


class TieSubjectUnfit(TieFailed):
    """No sealed number of a resident; the value is not repeated."""

    code = "tie.subject_unfit"
    ja = "住民の符号ではない値です。"
    en = "This is no sealed number of a resident."
    remedy_ja = "番号は、台帳のあるサイトで封じてから渡されます。"
    remedy_en = "Numbers are sealed at the site of the ledger before they come here."


class ResidentGone(TieFailed):
    """The resident died, or has another number."""

    code = "tie.resident_gone"
    status = 409
    ja = "この番号の住民との紐付けはできません（死亡、または番号の統合）。"
    en = "No tie can be made under this number: its resident died, or has another number."
    remedy_ja = "住民記録で確かめてください。"
    remedy_en = "See the resident record."


class StatusOlder(TieFailed):
    """A newer status is known."""

    code = "tie.status_older"
    status = 409
    ja = "サービス「{service}」の状態は、もっと新しい時点のものが登録されています。"
    en = "A status of the service {service!r} as of a later time is known."
    remedy_ja = "時点を確かめてください。"
    remedy_en = "Check the as-of time."


class TiesChanged(TieFailed):
    """What a transfer rests on changed between the join and the seal."""

    code = "tie.changed"
    retryable = True
    status = 409
    ja = (
        "抽出のあとに、サービス「{service}」の紐付け {changed} 件か、サービスの登録か、"
        "使った回数が変わりました。封をせず、作り直します。"
    )
    en = (
        "After the rows were joined, {changed} ties with {service!r}, the service itself or how"
        " often they were used changed; it is made anew before sealing."
    )
    remedy_ja = "自動でやり直します。"
    remedy_en = "It is done again by itself."


class TieTouched(TieFailed):
    """A revision, or the row that stands on it, is not what was written."""

    code = "tie.touched"
    status = 409
    ja = "記録 {record} は、{number} 番目の改訂から、書いたときのものではありません（{what}）。"
    en = "From revision {number} on, the record {record} is not what was written ({what})."
    remedy_ja = "この紐付けでは何も許可されません。控えと証跡で確かめてください。"
    remedy_en = "Nothing is permitted under it; compare with a backup and the evidence log."
