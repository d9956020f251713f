"""How requests of residents fail; how what was granted fails is in ``carrying_errors``.

KumobashiError
└── RequestFailed
    ├── RequestUnknown      no such request
    ├── RequestMove         not in this state
    ├── RequestTwice        the same request is under way
    ├── RequestInFuture     dated after today by this clock
    ├── RequestBefore       dated before what was done last
    ├── RequestUnfit        a field that cannot be; the value is not repeated
    ├── RequesterUnchecked  nobody wrote down how identity was checked
    ├── SubjectDied         the resident died, or has another number
    ├── SubjectProtected    asked for somebody who is protected: the section answers first
    ├── ExtendedTwice       a deadline is put off once
    ├── ExtendedLate        the deadline has passed
    ├── ExtendedFar         further than the law lets
    ├── DeadlineUnknown     no row of the law holds on this day
    ├── ClauseUnfit         no clause on which this can be decided
    ├── ReasonMissing       a refusal without its reason
    ├── AnswerMissing       nothing was composed that could be disclosed
    ├── AnswerUnlike        not the answer that was decided on
    ├── ProposalNeeded      this is proposed by one person and decided by another
    ├── ProposalUnlike      another proposal than the one that lies there
    ├── ProposerDecides     whoever proposed it may not decide it
    ├── TransferUnknown     the law has no transfer of this kind of request
    ├── PaperUnfit          this paper is not one of this request
    ├── RequestTemplateUnfit  a mistake in a template that the staff edited
    └── RequestTouched      somebody changed what was written; verification returns these
"""

from kumobashi.kernel import KumobashiError


class RequestFailed(KumobashiError):
    """Nothing was changed in the book of requests."""

    code = "request.failed"


class RequestUnknown(RequestFailed):
    """No such request."""

    code = "request.unknown"
    status = 404
    ja = "請求 {request} はありません。"
    en = "There is no request {request}."
    remedy_ja = "kumobashi request list で番号を確かめてください。"
    remedy_en = "See the requests: kumobashi request list"


class RequestMove(RequestFailed):
    """Not in this state."""

    code = "request.move"
    status = 409
    ja = "請求は「{state_ja}」なので、「{act_ja}」はできません。"
    en = "The request is {state}; {act} is not possible."
    remedy_ja = "いまの状態を確かめてください: kumobashi request show <請求>"
    remedy_en = "See its state: kumobashi request show REQUEST"


class RequestTwice(RequestFailed):
    """The same request is under way."""

    code = "request.twice"
    status = 409
    ja = "同じ人の同じ請求 {request} が、まだ終わっていません。受け付けていません。"
    en = "The same request of the same person, {request}, is under way; nothing was recorded."
    remedy_ja = "その請求を進めるか、対象の連携が違うなら --link で示してください。"
    remedy_en = "Go on with that one, or name the links with --link if they are others."


class RequestInFuture(RequestFailed):
    """Dated after today by this clock."""

    code = "request.in_future"
    status = 409
    ja = "日付 {on} は、この機械の今日（{today}）より先です。記録していません。"
    en = "The date {on} lies after today by this clock ({today}); nothing was recorded."
    remedy_ja = "日付と、機械の時計を確かめてください。"
    remedy_en = "Check the date, and the clock of this machine."


class RequestBefore(RequestFailed):
    """Dated before what was done last."""

    code = "request.before"
    status = 409
    ja = "日付 {on} は、この請求の前の手続（{last}）より前です。記録していません。"
    en = "The date {on} lies before the act before it ({last}); nothing was recorded."
    remedy_ja = "経過を見て、日付を直してください: kumobashi request show <請求>"
    remedy_en = "See what was done and correct the date: kumobashi request show REQUEST"


class RequestUnfit(RequestFailed):
    """A field that cannot be; the value is not repeated."""

    code = "request.unfit"
    ja = "「{field}」が正しくありません（{expected_ja}）。"
    en = "{field} cannot be: {expected}."
    remedy_ja = "直して、もう一度行ってください。"
    remedy_en = "Correct it, then try again."


class RequesterUnchecked(RequestFailed):
    """Nobody wrote down how identity was checked."""

    code = "request.unchecked"
    status = 409
    ja = "本人（または代理人）であることの確認の方法が、まだ記録されていません。"
    en = "How it was checked who asks is not on record yet."
    remedy_ja = "確かめてから、--identity で方法を示してください。"
    remedy_en = "Check it, then name the way with --identity."


class SubjectDied(RequestFailed):
    """The resident died, or has another number."""

    code = "request.subject_gone"
    status = 409
    ja = "この番号の方は、死亡または番号の統合の記録があります。受け付けていません。"
    en = "The resident of this number died, or has another number; nothing was recorded."
    remedy_ja = (
        "保護法の請求は生存する本人のものです。遺族の請求は、遺族自身の個人情報に当たるか、"
        "団体の別の手続があるかを総務課で判断してください。番号の統合なら新しい番号で行います。"
    )
    remedy_en = (
        "The law's request is of the living person. Let general affairs judge whether what heirs"
        " ask for is about themselves or has a way of its own; after a merger use the new number."
    )


class SubjectProtected(RequestFailed):
    """Asked for somebody who is protected (支援措置)."""

    code = "request.subject_protected"
    status = 409
    ja = "この番号の方は支援措置の対象です。担当課の確認なしには受け付けられません。"
    en = "The resident of this number is protected; the responsible section must be asked first."
    remedy_ja = (
        "相手に知らせずに担当課へ相談し、確認した課を --section-asked で示してください。"
        "代理人の請求は、加害者からのものでないかを確かめます。"
    )
    remedy_en = (
        "Ask the section without a word to whoever asks, and name it with --section-asked; make"
        " sure that a representative does not act for the aggressor."
    )


class ExtendedTwice(RequestFailed):
    """A deadline is put off once."""

    code = "request.extended_twice"
    status = 409
    ja = "この請求の期限は、すでに延長されています。"
    en = "The deadline of this request was put off already."
    remedy_ja = "延長は1回だけです。決定の期限は kumobashi request show で見られます。"
    remedy_en = "It is put off once; kumobashi request show tells the deadline."


class ExtendedLate(RequestFailed):
    """The deadline has passed."""

    code = "request.extended_late"
    status = 409
    ja = "期限（{due}）を過ぎているので、延長できません。"
    en = "The deadline ({due}) has passed; it cannot be put off."
    remedy_ja = "できるだけ早く決定してください。期限後の決定であることが記録に残ります。"
    remedy_en = "Decide as soon as possible; that it was late stands in the record."


class ExtendedFar(RequestFailed):
    """Further than the law lets, or no later than now."""

    code = "request.extended_far"
    ja = "延長は {article} の範囲（{most}）です。"
    en = "{article} lets it be put off by {most_en}."
    remedy_ja = "日数、または --until の日を確かめてください。"
    remedy_en = "Check the days, or the day given by --until."


class DeadlineUnknown(RequestFailed):
    """No row of the law holds on this day."""

    code = "request.deadline_unknown"
    status = 409
    ja = "{on} の{kind_ja}の期限を定める行が、規則の表にありません。"
    en = "No row of the tables gives the deadline of a {kind} request made on {on}."
    remedy_ja = "受付の日を確かめてください。令和5年4月1日より前の請求は扱いません。"
    remedy_en = "Check the day; requests made before 2023-04-01 are not handled here."


class ClauseUnfit(RequestFailed):
    """No clause on which this can be decided."""

    code = "request.clause_unfit"
    ja = "条項「{clause}」では、この決定はできません。"
    en = "This cannot be decided on the clause {clause!r}."
    remedy_ja = "使える条項: {known}"
    remedy_en = "Clauses: {known}"


class ReasonMissing(RequestFailed):
    """A refusal, or an extension, without its reason."""

    code = "request.reason_missing"
    ja = "理由がありません。通知書に理由を書かなければなりません。"
    en = "The reason is missing; the notice must give it."
    remedy_ja = "--reason で理由を示してください（個人の情報は書かないでください）。"
    remedy_en = "Give it with --reason, without anybody's data."


class AnswerMissing(RequestFailed):
    """Nothing was composed that could be disclosed."""

    code = "request.answer_missing"
    status = 409
    ja = "開示する記録が、まだ作られていません。"
    en = "The record that is to be disclosed was not composed yet."
    remedy_ja = "先に作ってください: kumobashi request answer <請求> --output FILE"
    remedy_en = "Compose it first: kumobashi request answer REQUEST --output FILE"


class AnswerUnlike(RequestFailed):
    """Not the answer that was decided on."""

    code = "request.answer_unlike"
    status = 409
    ja = "この回答のファイルは、決定に添えたもの（{digest}）ではありません。"
    en = "This file is not the answer that was decided on ({digest})."
    remedy_ja = "決定のときのファイルを使ってください。なければ、決定の前なら作り直せます。"
    remedy_en = "Use the file of the decision; before the decision it can be composed anew."


class ProposalNeeded(RequestFailed):
    """One person proposes it and another decides."""

    code = "request.proposal_needed"
    status = 409
    ja = "一部または全部を認めない決定は、決定案を出した人とは別の人が決定します。"
    en = "A refusal, in whole or in part, is proposed by one person and decided by another."
    remedy_ja = "決定案を出してから、承認の役の人が decide --confirm で決定してください。"
    remedy_en = "Propose it; then another person decides: decide --confirm"


class ProposalUnlike(RequestFailed):
    """Another proposal than the one that lies there."""

    code = "request.proposal_unlike"
    status = 409
    ja = "示された決定案は、いまの決定案ではありません。"
    en = "The proposal that was named is not the one that lies there now."
    remedy_ja = "いまの決定案を見てから、もう一度行ってください: kumobashi request show <請求>"
    remedy_en = "Look at the one that lies there: kumobashi request show REQUEST"


class ProposerDecides(RequestFailed):
    """Whoever proposed it may not decide it."""

    code = "request.same_person"
    status = 403
    ja = "決定案を出した本人は決定できません。"
    en = "Whoever proposed it may not decide it."
    remedy_ja = "ほかの承認者に頼んでください。"
    remedy_en = "Ask another approver."


class TransferUnknown(RequestFailed):
    """The law has no transfer of this kind of request."""

    code = "request.no_transfer"
    status = 409
    ja = "{kind_ja}に、事案の移送はありません。"
    en = "A {kind} request cannot be transferred to another office."
    remedy_ja = "移送の規定は開示（85条）と訂正（96条）にだけあります。"
    remedy_en = "The law transfers disclosure (art. 85) and correction (art. 96) only."


class PaperUnfit(RequestFailed):
    """Not a paper of such a request."""

    code = "request.paper_unfit"
    status = 409
    ja = "この請求では、その紙（{paper}）は出せません。"
    en = "The paper {paper!r} does not fit this request."
    remedy_ja = "出せる紙: {known}"
    remedy_en = "Papers that fit: {known}"


class RequestTemplateUnfit(RequestFailed):
    """A mistake in a template that the staff edited."""

    code = "request.template_unfit"
    status = 422
    ja = "様式 {file} の {line} 行目: {reason}"
    en = "Template {file}, line {line}: {reason_en}"
    remedy_ja = "差込項目は kumobashi request templates で見られます。消すと元の様式に戻ります。"
    remedy_en = "kumobashi request templates lists the placeholders; delete the file to go back."


class RequestTouched(RequestFailed):
    """A revision, or the row that stands on it, is not what was written."""

    code = "request.touched"
    status = 409
    ja = "請求 {record} は、{number} 番目の改訂から、書いたときのものではありません（{what}）。"
    en = "From revision {number} on, the request {record} is not what was written ({what})."
    remedy_ja = "この請求では何もできません。控えと証跡で確かめてください。"
    remedy_en = "Nothing can be done with it; compare with a backup and the evidence log."
