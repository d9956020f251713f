"""How agreements between offices fail.

KumobashiError
└── AgreementFailed
    ├── AgreementUnknown        no agreement of this number
    ├── AgreementsNotSet        kumobashi.yaml does not say who may do what
    ├── IllegalAct              the state does not allow it
    ├── AgreementChanged        somebody else was faster
    ├── NotYours
    │   ├── NotAMember          the account is in no office that may do it
    │   ├── WrongSection        another section's agreement
    │   ├── AccountLocked       the account is locked at this moment
    │   └── DeputyNotNamed      no deputy of this person on this day
    ├── FourEyes
    │   ├── ApplicantDecides    who applied may not review, concur or decide
    │   └── ReviewerConcurs     who reviewed may not concur
    ├── ApplicationUnfit        a field of the application is missing or wrong
    ├── NumberTaken
    ├── ClockBehind             the move would be dated before the one it follows
    ├── AgreementForged         history, signature or row is not what was decided
    ├── NotCovered
    │   ├── AgreementMissing    the link has none, and needs one
    │   ├── NotInForce          not decided, not begun, or over
    │   ├── AgreementEnded      withdrawn, expired or replaced
    │   ├── OutsideTerm         the business date lies outside the term
    │   ├── OtherLink           it is of another link
    │   └── PlanDrifted         it covers another plan
    ├── ProcessorsNotPermitted  a sub-processor has no permission that holds
    ├── AttachmentUnfit         name, size or number
    ├── AttachmentLost          the file is gone or was changed
    └── TemplateUnfit           a placeholder that there is not, or a mistake in the template
"""

from kumobashi.kernel import KumobashiError


class AgreementFailed(KumobashiError):
    """Nothing was changed."""

    code = "agreement.failed"


class AgreementUnknown(AgreementFailed):
    """No such agreement."""

    code = "agreement.unknown"
    status = 404
    ja = "利用協議「{agreement}」はありません（サイト {site}）。"
    en = "There is no agreement {agreement!r} at {site}."
    remedy_ja = "番号は kumobashi agreement list で見られます。"
    remedy_en = "See the numbers: kumobashi agreement list"


class AgreementsNotSet(AgreementFailed):
    """Nobody may apply where nobody is named."""

    code = "agreement.not_set"
    status = 409
    ja = "だれが申請・審査・合議・決定できるかが決まっていません。"
    en = "It is not said who may apply, review, concur and decide."
    remedy_ja = "kumobashi.yaml に agreements: を書いてください（members に利用者と課と役割）。"
    remedy_en = "Write agreements: into kumobashi.yaml, with members: account, section, may."


class IllegalAct(AgreementFailed):
    """The state does not allow it."""

    code = "agreement.illegal_act"
    status = 409
    ja = "「{state_ja}」の利用協議に「{act_ja}」はできません。何も変えていません。"
    en = "An agreement that is {state!r} does not allow {act!r}; nothing was changed."
    remedy_ja = "いまできることは {possible_ja} です。"
    remedy_en = "What can be done now: {possible}."


class AgreementChanged(AgreementFailed):
    """Somebody else was faster, or the page was drawn before a change."""

    code = "agreement.changed"
    status = 409
    retryable = True
    ja = "利用協議「{agreement}」は、表示した後で変わりました。何も変えていません。"
    en = "The agreement {agreement!r} has changed since it was shown; nothing was changed."
    remedy_ja = "開き直し、内容を確かめてから、もう一度行ってください。"
    remedy_en = "Look at it again, then repeat."


class NotYours(AgreementFailed):
    """Whoever asks may not do it."""

    code = "agreement.not_yours"
    status = 403


class NotAMember(NotYours):
    """The account is in no office that may do it."""

    code = "agreement.not_a_member"
    ja = "利用者「{account}」には「{act_ja}」の権限がありません。"
    en = "The account {account!r} may not {act}."
    remedy_ja = (
        "権限は kumobashi.yaml の agreements.members の may にあります（要る権限: {power}）。"
    )
    remedy_en = "See may of agreements.members in kumobashi.yaml; needed: {power}."


class WrongSection(NotYours):
    """It belongs to another section."""

    code = "agreement.wrong_section"
    ja = "「{act_ja}」は {expected} の仕事です（利用者「{account}」は {section}）。"
    en = "To {act} is for {expected}; {account!r} belongs to {section}."
    remedy_ja = "担当課の人が行うか、差戻しで課を直してください。"
    remedy_en = "Let that section do it, or have the application sent back and corrected."


class AccountLocked(NotYours):
    """The account may not act at this moment."""

    code = "agreement.account_locked"
    ja = "利用者「{account}」は、いま使えません（ロック中）。何も変えていません。"
    en = "The account {account!r} is locked at this moment; nothing was changed."
    remedy_ja = "待つか、管理者に頼んでください: kumobashi account reset"
    remedy_en = "Wait, or ask the administrator: kumobashi account reset"


class DeputyNotNamed(NotYours):
    """No deputy of this person on this day."""

    code = "agreement.deputy_not_named"
    ja = "{on} に「{account}」は「{instead_of}」の代決者ではありません。"
    en = "On {on} {account!r} is no deputy of {instead_of!r}."
    remedy_ja = "代決は kumobashi.yaml の agreements.deputies に、期間を付けて書きます。"
    remedy_en = "Name deputies in agreements.deputies of kumobashi.yaml, with their dates."


class FourEyes(AgreementFailed):
    """One person may not do both."""

    code = "agreement.four_eyes"
    status = 403
    remedy_ja = "別の人が行ってください。代決でも同じです。"
    remedy_en = "Another person has to do it; deputies count as both."


class ApplicantDecides(FourEyes):
    """Who applied may not review, concur or decide."""

    code = "agreement.applicant_decides"
    ja = "申請した人（{person}）は「{act_ja}」できません。何も変えていません。"
    en = "Who applied ({person}) may not {act}; nothing was changed."


class ReviewerConcurs(FourEyes):
    """Who reviewed may not concur."""

    code = "agreement.reviewer_concurs"
    ja = "審査した人（{person}）は合議できません。何も変えていません。"
    en = "Who reviewed ({person}) may not concur; nothing was changed."


class ApplicationUnfit(AgreementFailed):
    """A field of the application is missing or wrong."""

    code = "agreement.application_unfit"
    status = 422
    ja = "申請の「{field_ja}」が正しくありません: {reason}"
    en = "The application's {field!r} is wrong: {reason_en}"
    remedy_ja = "直して、もう一度行ってください。"
    remedy_en = "Correct it and repeat."


class NumberTaken(AgreementFailed):
    """The document number is another agreement's."""

    code = "agreement.number_taken"
    status = 409
    ja = "文書番号「{number}」はすでに使われています。"
    en = "The document number {number!r} is taken."
    remedy_ja = "別の番号にするか、--number を付けずに自動で採番してください。"
    remedy_en = "Take another, or leave --number out to have one given."


class ClockBehind(AgreementFailed):
    """The move would be dated before the one it follows."""

    code = "agreement.clock_behind"
    status = 409
    retryable = True
    ja = "この機械の時計（{now}）が、直前の手続の日時（{before}）より遅れています。"
    en = "The clock here ({now}) is behind the move before ({before}); nothing was changed."
    remedy_ja = "時刻を合わせてから、もう一度行ってください（取下げ・撤回はいつでもできます）。"
    remedy_en = "Set the clocks right and repeat; withdrawing is possible at any time."


class AgreementForged(AgreementFailed):
    """History, signature or row is not what was decided."""

    code = "agreement.forged"
    status = 409
    ja = "利用協議「{agreement}」の記録が改ざんされています: {what}"
    en = "The record of the agreement {agreement!r} was tampered with: {what_en}"
    remedy_ja = "何も送りません。kumobashi agreement verify で調べ、監査担当に知らせてください。"
    remedy_en = "Nothing is sent under it. Run kumobashi agreement verify and tell the auditor."


class NotCovered(AgreementFailed):
    """No agreement lets this transfer go."""

    code = "agreement.not_covered"
    status = 409


class AgreementMissing(NotCovered):
    """The link has none, and needs one."""

    code = "agreement.missing"
    ja = "連携「{link}」には、いま効力のある利用協議がありません。"
    en = "The link {link!r} has no agreement in force."
    remedy_ja = "申請してください: kumobashi agreement new {link}"
    remedy_en = "Apply for one: kumobashi agreement new {link}"


class NotInForce(NotCovered):
    """Not decided, or not begun."""

    code = "agreement.not_in_force"
    ja = "利用協議「{number}」は、まだ効力がありません（{state_ja}）。"
    en = "The agreement {number!r} is not in force: {state}."
    remedy_ja = "進みぐあいを見てください: kumobashi agreement show {number}"
    remedy_en = "See how far it is: kumobashi agreement show {number}"


class AgreementEnded(NotCovered):
    """Withdrawn, expired or replaced."""

    code = "agreement.ended"
    ja = "利用協議「{number}」は終わりました（{state_ja}）。"
    en = "The agreement {number!r} is over: {state}."
    remedy_ja = "続けるには、新しく申請してください: kumobashi agreement new {link}"
    remedy_en = "To go on, apply anew: kumobashi agreement new {link}"


class OutsideTerm(NotCovered):
    """The day lies outside the term."""

    code = "agreement.outside_term"
    ja = "{on} は利用協議「{number}」の期間（{first}〜{last}）の外です。"
    en = "{on} lies outside the term of {number!r}: {first} to {last}."
    remedy_ja = "延ばすには変更を申請します: kumobashi agreement new {link} --change {number}"
    remedy_en = "To extend it, apply for a change: kumobashi agreement new {link} --change {number}"


class OtherLink(NotCovered):
    """It is of another link."""

    code = "agreement.other_link"
    ja = "利用協議「{number}」は連携「{covers}」のもので、「{link}」のものではありません。"
    en = "The agreement {number!r} covers the link {covers!r}, not {link!r}."
    remedy_ja = "links/{link}.yaml の agreement: を直してください。"
    remedy_en = "Correct agreement: in links/{link}.yaml."


class PlanDrifted(NotCovered):
    """It covers another plan."""

    code = "agreement.plan_drifted"
    ja = "利用協議「{number}」のあとで連携の内容が変わりました: {changes}"
    en = "The link has changed since the agreement {number!r}: {changes_en}"
    remedy_ja = "変更を申請してください: kumobashi agreement new {link} --change {number}"
    remedy_en = "Apply for a change: kumobashi agreement new {link} --change {number}"


class ProcessorsNotPermitted(AgreementFailed):
    """A sub-processor has no permission that holds."""

    code = "agreement.processors_not_permitted"
    status = 409
    ja = "再委託台帳に、許可のない、または許可の切れた事業者があります: {names}"
    en = "The register names processors without a permission that holds: {names}"
    remedy_ja = (
        "許可を得て台帳を直してください: kumobashi agreement processors {number} --file 台帳.yaml"
    )
    remedy_en = "Get the permission, then: kumobashi agreement processors {number} --file FILE"


class AttachmentUnfit(AgreementFailed):
    """Name, size or number of attachments."""

    code = "agreement.attachment_unfit"
    status = 422
    ja = "添付できません: {reason}"
    en = "It cannot be attached: {reason_en}"
    remedy_ja = "ファイルを直して、もう一度添付してください。"
    remedy_en = "Correct the file and attach it again."


class AttachmentLost(AgreementFailed):
    """The file is gone or was changed."""

    code = "agreement.attachment_lost"
    status = 409
    ja = "添付「{name}」が、なくなったか、書き換えられています。"
    en = "The attachment {name!r} is gone or was changed."
    remedy_ja = "控えから戻してください（var/<サイト>/agreements/）。"
    remedy_en = "Restore it from a backup (var/<site>/agreements/)."


class TemplateUnfit(AgreementFailed):
    """A mistake in a template that the staff edited."""

    code = "agreement.template_unfit"
    status = 422
    ja = "様式 {file} の {line} 行目: {reason}"
    en = "Template {file}, line {line}: {reason_en}"
    remedy_ja = "差込項目は kumobashi agreement templates で見られます。消すと元の様式に戻ります。"
    remedy_en = "kumobashi agreement templates lists the placeholders; delete the file to go back."
