"""How reading the policy tables fails.

KumobashiError
└── PolicyFailed
    ├── PolicyUnreadable     a table has a row that cannot be read: nothing is permitted
    ├── PolicyContradicts    two rows answer the same question on the same day
    ├── PolicyLoosened       a municipality's row permits what one of ours forbids
    ├── PolicyUnknownName    a row names a unit, kind or basis that no table has
    └── PolicyTableUnknown   the folder holds a table that a municipality cannot add to
"""

from kumobashi.kernel import KumobashiError


class PolicyFailed(KumobashiError):
    """The policy could not be asked."""

    code = "policy.failed"


class PolicyUnreadable(PolicyFailed):
    """A row of a table makes no sense."""

    code = "policy.unreadable"
    status = 500
    ja = "規則の表 {file} の {row}行目「{column}」を読めません（{got}）。"
    en = "Row {row} of {file} cannot be read: {column} is {got!r}."
    remedy_ja = "表を直すか、雲橋に付属のものへ戻してください。読めない間は何も送りません。"
    remedy_en = "Correct the table or restore ours; nothing is sent until it can be read."


class PolicyContradicts(PolicyFailed):
    """Two rows hold on the same day and answer the same question."""

    code = "policy.contradiction"
    status = 500
    ja = "規則の表の行が重なっています: {file} {row}行目と {other}（{day} に両方が有効、{why}）。"
    en = "Two rows overlap: {file}, line {row}, and {other} (both hold on {day}: {why_en})."
    remedy_ja = "期間を分けるか、片方を消すか、条件をどちらか一方だけ細かくしてください。"
    remedy_en = "Part their dates, delete one, or make just one of them more exact."


class PolicyLoosened(PolicyFailed):
    """A row of the municipality permits more than a row of ours."""

    code = "policy.loosened"
    status = 500
    ja = "{file} {row}行目は、付属の表の {other} が許さないこと（{why}）を許しています。"
    en = "{file}, line {row}, permits what {other} of ours does not ({why_en})."
    remedy_ja = (
        "団体の表でできるのは、付属の表にないことを許すことと、許されたことを狭めることです。"
    )
    remedy_en = "Rows of your own permit what ours do not mention, or narrow what ours permit."


class PolicyUnknownName(PolicyFailed):
    """A row names what no table has."""

    code = "policy.unknown_name"
    status = 500
    ja = "{file} {row}行目の「{column}」にある「{name}」は、{table} にありません。"
    en = "{file}, line {row}: {column} names {name!r}, which {table} does not have."
    remedy_ja = "名前を直すか、先に {table} に足してください。"
    remedy_en = "Correct the name, or add it to {table} first."


class PolicyTableUnknown(PolicyFailed):
    """A file that is no table of a municipality."""

    code = "policy.table_unknown"
    status = 500
    ja = "{file} は団体で足せる規則の表ではありません。"
    en = "{file} is no table that a municipality can add to."
    remedy_ja = "足せる表: {known}"
    remedy_en = "There are: {known}"
