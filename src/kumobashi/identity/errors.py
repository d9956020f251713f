"""How saying who one is fails.

KumobashiError
└── IdentityFailed
    ├── AccountUnknown
    ├── AccountExists
    ├── AccountNameUnfit
    ├── PasswordWeak
    ├── SignInRefused     name, password or code: it does not say which
    ├── LockedOut         too many refusals; it opens by itself
    ├── NotPermitted      the role does not include this
    └── FormStale         the form is not of this session
"""

from kumobashi.kernel import KumobashiError


class IdentityFailed(KumobashiError):
    """Somebody could not be recognised, or may not do it."""

    code = "identity.failed"
    status = 403


class AccountUnknown(IdentityFailed):
    """No such account."""

    code = "identity.account_unknown"
    status = 404
    ja = "利用者「{name}」はいません。"
    en = "There is no account {name!r}."
    remedy_ja = "一覧を見てください: kumobashi account list --site {site}"
    remedy_en = "See the list: kumobashi account list --site {site}"


class AccountExists(IdentityFailed):
    """The name is taken."""

    code = "identity.account_exists"
    status = 409
    ja = "利用者「{name}」はすでにいます。"
    en = "There is an account {name!r} already."
    remedy_ja = "別の名前にするか、入り直せるようにしてください: kumobashi account reset {name}"
    remedy_en = "Take another name, or let them in again: kumobashi account reset {name}"


class AccountNameUnfit(IdentityFailed):
    """A name of an account is short and plain."""

    code = "identity.name_unfit"
    status = 400
    ja = "利用者名「{name}」は使えません。"
    en = "{name!r} cannot be the name of an account."
    remedy_ja = "半角の英小文字・数字・「-」「.」で2〜32文字にしてください。例: sato"
    remedy_en = "Write 2 to 32 of a-z, 0-9, '-' and '.', for example sato."


class PasswordWeak(IdentityFailed):
    """A password that is too short."""

    code = "identity.password_weak"
    status = 400
    ja = "パスワードが短すぎます（{least}文字以上）。"
    en = "The password is too short: at least {least} characters."
    remedy_ja = "いくつかの言葉を並べた長いものにしてください。"
    remedy_en = "Several words in a row make a long one."


class SignInRefused(IdentityFailed):
    """Name, password and code do not belong together."""

    code = "identity.sign_in_refused"
    status = 401
    ja = "利用者名・パスワード・確認コードのどれかが違います。"
    en = "Name, password or code is wrong."
    remedy_ja = "確認コードは30秒ごとに変わります。忘れたときは管理者に頼んでください。"
    remedy_en = "The code changes every 30 seconds. Ask the administrator if you have lost them."


class LockedOut(IdentityFailed):
    """Too many refusals in a row."""

    code = "identity.locked_out"
    retryable = True
    status = 429
    ja = "続けて失敗したため、{minutes}分間は入れません。"
    en = "Too many failures; try again in {minutes} minutes."
    remedy_ja = "待つか、管理者に頼んでください: kumobashi account reset"
    remedy_en = "Wait, or ask the administrator: kumobashi account reset"


class NotPermitted(IdentityFailed):
    """The role does not include it."""

    code = "identity.not_permitted"
    ja = "この操作は「{role}」にはできません。"
    en = "The role {role!r} may not do this."
    remedy_ja = "できるのは次の役割です: {roles}"
    remedy_en = "These roles may: {roles}"


class FormStale(IdentityFailed):
    """A form that was not drawn for this session."""

    code = "identity.form_stale"
    ja = "画面が古くなったため、何もしていません。"
    en = "The form is out of date; nothing was done."
    remedy_ja = "開き直して、もう一度行ってください。"
    remedy_en = "Open the page again and repeat it."
