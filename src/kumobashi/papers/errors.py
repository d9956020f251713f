"""How papers and incidents fail.

KumobashiError
└── PaperFailed
    ├── PaperTemplateUnfit   a placeholder that there is not, or a mistake in the template
    ├── PaperRulesMissing    no dated row says what holds on a day
    ├── NothingToCompare     nobody approved the link, and no older folder was given
    └── IncidentFailed
        ├── IncidentUnknown  no such incident
        ├── IncidentUnfit    a field that cannot be
        ├── IncidentMove     not in this state
        └── IncidentTouched  somebody changed what was written
"""

from kumobashi.kernel import KumobashiError


class PaperFailed(KumobashiError):
    """The paper was not drawn up."""

    code = "paper.failed"


class PaperTemplateUnfit(PaperFailed):
    """A mistake in a template that the staff edited."""

    code = "paper.template_unfit"
    status = 422
    ja = "様式 {file} の {line} 行目: {reason}"
    en = "Template {file}, line {line}: {reason_en}"
    remedy_ja = "差込項目は kumobashi papers templates で見られます。消すと元の様式に戻ります。"
    remedy_en = "kumobashi papers templates lists the placeholders; delete the file to go back."


class PaperRulesMissing(PaperFailed):
    """No dated row says what holds on a day."""

    code = "paper.rules_missing"
    status = 409
    ja = "{day} に有効な「{what}」の行が、規則の表 {table} にありません。書類は作っていません。"
    en = "No row of {table} says {what} for {day}; the paper was not drawn up."
    remedy_ja = "日付を確かめてください。表は新しい版のプログラムに入っています。"
    remedy_en = "See whether the day is right; newer releases bring newer tables."


class NothingToCompare(PaperFailed):
    """There is nothing the plan could be compared with."""

    code = "paper.nothing_to_compare"
    status = 409
    ja = "連携「{link}」には、比べる前の判定がありません。"
    en = "There is no earlier decision of the link {link!r} to compare with."
    remedy_ja = (
        "承認のファイルを --since で、変更前の連携設定フォルダを --before で示してください。"
    )
    remedy_en = "Name an approval with --since, or the folder of before with --before."


class IncidentFailed(PaperFailed):
    """Nothing was changed."""

    code = "incident.failed"


class IncidentUnknown(IncidentFailed):
    """No such incident."""

    code = "incident.unknown"
    status = 404
    ja = "事案「{incident}」はありません。"
    en = "There is no incident {incident!r}."
    remedy_ja = "kumobashi incident list --all で確かめてください。"
    remedy_en = "See kumobashi incident list --all"


class IncidentUnfit(IncidentFailed):
    """A field that cannot be; what it held is not repeated, for it may name somebody."""

    code = "incident.unfit"
    status = 422
    ja = "事案の「{field}」が正しくありません（{reason}）。何も記録していません。"
    en = "The field {field!r} of the incident cannot be: {reason_en}. Nothing was kept."
    remedy_ja = "直して、もう一度試してください。"
    remedy_en = "Correct it and try again."


class OpenerCloses(IncidentFailed):
    """Whoever noted it closes it without a report."""

    code = "incident.same_person"
    status = 403
    ja = "報告しないまま終えるときは、事案を記録した本人ではない承認者が終えます。"
    en = "Without a report it is closed by another approver than who noted it."
    remedy_ja = "ほかの承認者に頼んでください。報告したあとなら、だれでも終えられます。"
    remedy_en = "Ask another approver; once it is reported, any approver closes it."


class IncidentMove(IncidentFailed):
    """Not in this state."""

    code = "incident.move"
    status = 409
    ja = "事案は「{state}」なので、「{act}」はできません。"
    en = "The incident is {state_en}: {act_en} is not possible."
    remedy_ja = "kumobashi incident show で経過を確かめてください。"
    remedy_en = "See its history: kumobashi incident show"


class IncidentTouched(IncidentFailed):
    """Somebody changed what was written."""

    code = "incident.touched"
    status = 409
    ja = "事案 {incident} の記録（第{number}版）が、書いたときのままではありません（{what}）。"
    en = "Incident {incident}, revision {number}, is not as it was written: {what}."
    remedy_ja = "証跡を検証し（kumobashi evidence verify）、控えから戻してください。"
    remedy_en = "Verify the evidence (kumobashi evidence verify) and restore from a backup."
