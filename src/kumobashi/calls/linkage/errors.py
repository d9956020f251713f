"""How a request of the internal-linkage profile is refused.

CallFailed
└── LinkageFailed
    ├── ClientUnproven      the client did not prove who it is
    ├── ClientUnfit         an id or a secret that the profile does not allow
    ├── TokenRequestUnfit   the request for a token is not in the form of RFC 6749
    ├── GrantRefused        another grant than client credentials, a refresh token too
    ├── ScopeRefused        no approved link stands behind a scope, or it is none
    ├── ProvidersMixed      scopes of two providers in one request
    ├── TokenRefused        no token, a spent one, one of another gateway
    ├── ScopeMissing        a token that is good for something else
    ├── BodyUnfit           no JSON in UTF-8
    ├── ItemsUnfit          items that break E0001 to E0003
    └── TooSlow             more than 30 seconds
"""

from collections.abc import Sequence
from typing import ClassVar

from kumobashi.calls.errors import CallFailed, Side
from kumobashi.catalogue.standard_errors import StandardError


class LinkageFailed(CallFailed):
    """A request of the internal-linkage profile was refused."""

    code = "linkage.failed"
    side = Side.ASKER
    oauth: ClassVar[str] = "invalid_request"  # what RFC 6749 (5.2) and RFC 6750 (3.1) call it


class ClientUnproven(LinkageFailed):
    """The client did not prove who it is."""

    code = "linkage.client_unproven"
    status = 401
    oauth = "invalid_client"
    ja = "クライアントを確かめられません（{reason}）。"
    en = "The client is not proven: {reason}."
    remedy_ja = "client_secret_jwt（HS256）を、aud・iss・sub・iat・exp・jti を入れて毎回作り直して"
    remedy_ja += "ください。"
    remedy_en = (
        "Make a new client_secret_jwt (HS256) each time, with aud, iss, sub, iat, exp and jti."
    )


class ClientUnfit(LinkageFailed):
    """A client id or secret is not in the form that the profile has."""

    code = "linkage.client_unfit"
    ja = "{system} のクライアントは使えません（{reason}）。"
    en = "The client of {system} cannot be used: {reason}."
    remedy_ja = "client_id は半角英数字32文字、client_secret は32文字以上です。作り直してください: "
    remedy_ja += "kumobashi call client {system} --anew"
    remedy_en = "A client_id has 32 letters and digits, a client_secret 32 characters or more. Make"
    remedy_en += " another one: kumobashi call client {system} --anew"


class TokenRequestUnfit(LinkageFailed):
    """A request for a token or an introspection is not in the form of RFC 6749 and RFC 7662."""

    code = "linkage.token_request_unfit"
    ja = "トークンの要求の形が正しくありません（{reason}）。"
    en = "The request for a token is malformed: {reason}."
    remedy_ja = (
        "application/x-www-form-urlencoded（UTF-8）の POST で、各項目を1回だけ送ってください。"
    )
    remedy_en = "Send a POST of application/x-www-form-urlencoded in UTF-8, each parameter once."


class GrantRefused(LinkageFailed):
    """Only client credentials are granted; there are no refresh tokens."""

    code = "linkage.grant_refused"
    oauth = "unsupported_grant_type"
    ja = "この grant_type は使えません。リフレッシュトークンはありません。"
    en = "This grant_type is not supported; there are no refresh tokens."
    remedy_ja = "grant_type=client_credentials で、新しいトークンを要求してください。"
    remedy_en = "Ask for a new token with grant_type=client_credentials."


class ScopeRefused(LinkageFailed):
    """A scope is malformed, or no link in force stands behind it."""

    code = "linkage.scope_refused"
    oauth = "invalid_scope"
    ja = "scope を認められません（{reason}）。"
    en = "The scope is not granted: {reason}."
    remedy_ja = "提供側の業務ID:API名:操作（Create・Read・Update・Delete）の形で、承認された"
    remedy_ja += "オンライン連携の操作だけを書いてください。"
    remedy_en = (
        "Write provider:API call name:operation (Create, Read, Update, Delete), and only what an"
    )
    remedy_en += " approved online link permits."


class ProvidersMixed(LinkageFailed):
    """One token is for one provider."""

    code = "linkage.providers_mixed"
    oauth = "invalid_scope"
    ja = "1つのトークンに、2つ以上の提供側の scope は入れられません。"
    en = "One token cannot hold scopes of two providers."
    remedy_ja = "提供側ごとにトークンを要求してください。"
    remedy_en = "Ask for a token for each provider."


class TokenRefused(LinkageFailed):
    """The request shows no token that counts here."""

    code = "linkage.token_refused"
    status = 401
    oauth = "invalid_token"
    ja = "アクセストークンが正しくありません（{reason}）。"
    en = "The access token is not valid: {reason}."
    remedy_ja = "Authorization: Bearer だけでトークンを送ってください。"
    remedy_ja += "期限が過ぎていれば取り直してください。"
    remedy_en = (
        "Send the token by Authorization: Bearer alone; get a new one when its time is over."
    )


class ScopeMissing(LinkageFailed):
    """The token is good, but for something else."""

    code = "linkage.scope_missing"
    status = 401  # the profile has no 403
    oauth = "insufficient_scope"
    ja = "このトークンでは {api} を照会できません。"
    en = "This token does not allow {api}."
    remedy_ja = "この提供側・API名・操作の scope でトークンを取り直してください。"
    remedy_en = "Get a token with the scope of this provider, API call name and operation."


class BodyUnfit(LinkageFailed):
    """The body is not a JSON object in UTF-8."""

    code = "linkage.body_unfit"
    ja = "本文を読めません（{reason}）。"
    en = "The body cannot be read: {reason}."
    remedy_ja = "UTF-8 の JSON（application/json）のオブジェクトを1つ送ってください。"
    remedy_en = "Send one JSON object (application/json) in UTF-8."


class ItemsUnfit(LinkageFailed):
    """Items of the request break the standard's checks; each is told with its code."""

    code = "linkage.items_unfit"
    ja = "照会の項目に誤りがあります（{count} 件）。"
    en = "Items of the request are wrong: {count}."
    remedy_ja = "errors の項目を直してください。"
    remedy_en = "Correct the items that errors names."

    def __init__(self, errors: Sequence[StandardError]) -> None:
        self.errors = tuple(errors)
        super().__init__(count=len(self.errors))


class TooSlow(LinkageFailed):
    """No answer within the 30 seconds of the profile."""

    code = "linkage.too_slow"
    status = 504
    ja = "30秒以内に回答がありません。届いたかもしれません。"
    en = "There is no answer within 30 seconds; the request may have been taken."
    remedy_ja = "登録や変更なら、結果を確かめてからもう一度照会してください。"
    remedy_en = "If the request changes something, look at the result before asking again."
