"""How reading the policy tables fails.

KumobashiError
└── PolicyFailed
    └── PolicyUnreadable     a table has a row that cannot be read: nothing is permitted
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
