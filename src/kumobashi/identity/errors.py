"""How saying who one is fails.

KumobashiError
└── IdentityFailed
    ├── AccountUnknown
    ├── AccountExists
    ├── AccountNameUnfit
    ├── PasswordWeak
    ├── SignInRefused     name, password or code: it does not say which
    ├── LockedOut         too many refusals; it opens by itself
    ├── RoleMissing       a provider knows them, and no rule gives them a role
    ├── AccountClosed     they were shut out here
    ├── FactorMissing     the provider saw one factor only
    ├── ProviderAway      it does not answer
    ├── ProviderUnfit     what it answered cannot be believed
    ├── ProviderSwapped   its metadata are of another, or name no key that was approved
    ├── ProviderRefused   it recognised nobody
    ├── SignOnStale       the way to a provider was not begun here, or too long ago
    ├── NotPermitted      the role does not include this
    ├── OutOfScope        their account is bound to links, and this is not about those alone
    ├── OwnAccess         nobody reviews what they themselves may do
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


class RoleMissing(IdentityFailed):
    """A provider knows them, and no rule gives them a role."""

    code = "identity.role_missing"
    ja = "本人は確かめられましたが、この画面での役割がありません。"
    en = "You are known, but no rule gives you a role here."
    remedy_ja = (
        "管理者に、所属か役割の登録（sign-on/{provider}.yaml の rules）を確かめてもらってください。"
    )
    remedy_en = "Ask the administrator to look at the rules in sign-on/{provider}.yaml."


class AccountClosed(IdentityFailed):
    """They were shut out here."""

    code = "identity.account_closed"
    ja = "この利用者は、ここでは使えなくしてあります。"
    en = "This account was shut here."
    remedy_ja = "管理者に確かめてください。"
    remedy_en = "Ask the administrator."


class FactorMissing(IdentityFailed):
    """The provider saw one factor only."""

    code = "identity.factor_missing"
    ja = "二要素認証で入り直してください（パスワードだけでは入れません）。"
    en = "Sign in with two factors; a password alone does not do."
    remedy_ja = "認証基盤（{provider}）で、確認コードや鍵を使う設定にしてください。"
    remedy_en = "Set up a code or a key at the provider {provider}."


class ProviderAway(IdentityFailed):
    """The provider does not answer."""

    code = "identity.provider_away"
    retryable = True
    status = 503
    ja = "認証基盤「{provider}」が応答していません。"
    en = "The provider {provider} does not answer."
    remedy_ja = "少し待ってやり直すか、この画面の利用者名で入ってください。"
    remedy_en = "Wait and try again, or sign in with an account of this console."


class ProviderUnfit(IdentityFailed):
    """What the provider answered cannot be believed; it says which check failed, never a value."""

    code = "identity.provider_unfit"
    ja = "認証基盤「{provider}」の答えを確かめられないため、入れません（{check}）。"
    en = "What the provider {provider} answered cannot be believed ({check})."
    remedy_ja = "もう一度最初から入ってください。続くときは、この画面を管理者に見せてください。"
    remedy_en = "Begin again; if it goes on, show this page to the administrator."


class ProviderSwapped(IdentityFailed):
    """The metadata are of another provider, or name no certificate that was approved."""

    code = "identity.provider_swapped"
    ja = "認証基盤「{provider}」のメタデータが、承認されたものと違います。"
    en = "The metadata of the provider {provider} are not those that were approved."
    remedy_ja = (
        "認証基盤の管理者に電話などで確かめてから、"
        "sign-on/{provider}.yaml の saml を直してください。"
        "今のメタデータにあるもの: {found}"
    )
    remedy_en = (
        "Ask whoever runs the provider, by telephone, before you change saml in "
        "sign-on/{provider}.yaml. The metadata have now: {found}"
    )


class ProviderRefused(IdentityFailed):
    """The provider recognised nobody, or they turned back."""

    code = "identity.provider_refused"
    ja = "認証基盤「{provider}」でのサインインが終わっていません（{reason}）。"
    en = "Signing in at {provider} was not finished ({reason})."
    remedy_ja = "もう一度入ってください。続くときは、認証基盤の管理者に確かめてください。"
    remedy_en = "Sign in again; if it goes on, ask whoever runs the provider."


class SignOnStale(IdentityFailed):
    """The way to a provider was not begun by this browser, was taken, or is too long ago."""

    code = "identity.sign_on_stale"
    ja = "この画面から始めたサインインではないか、時間が経ちすぎています。"
    en = "This sign-on was not begun here, or too long ago."
    remedy_ja = "サインインの画面から、もう一度始めてください。"
    remedy_en = "Begin again at the sign-in page."


class NotPermitted(IdentityFailed):
    """The role does not include it."""

    code = "identity.not_permitted"
    ja = "この操作は「{role}」にはできません。"
    en = "The role {role!r} may not do this."
    remedy_ja = "できるのは次の役割です: {roles}"
    remedy_en = "These roles may: {roles}"


class OutOfScope(IdentityFailed):
    """An account that is bound to some links asked for what is not about those alone."""

    code = "identity.out_of_scope"
    ja = "この画面は、担当する連携に限った利用者には開けません。"
    en = "This page is not for an account that is bound to some links."
    remedy_ja = "担当する連携を変えるときは、利用者管理の担当者に頼んでください。"
    remedy_en = "Ask whoever manages accounts if this account should see other links."


class OwnAccess(IdentityFailed):
    """Somebody reviewed what they themselves may do."""

    code = "identity.own_access"
    ja = "自分の権限は、自分では点検できません。"
    en = "Nobody reviews what they themselves may do."
    remedy_ja = "点検できるほかの人（承認、利用者管理）に頼んでください。"
    remedy_en = "Ask another approver, or somebody who manages accounts."


class FormStale(IdentityFailed):
    """A form that was not drawn for this session."""

    code = "identity.form_stale"
    ja = "画面が古くなったため、何もしていません。"
    en = "The form is out of date; nothing was done."
    remedy_ja = "開き直して、もう一度行ってください。"
    remedy_en = "Open the page again and repeat it."
