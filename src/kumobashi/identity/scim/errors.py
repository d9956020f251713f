"""How keeping a list of accounts by SCIM fails.

KumobashiError
└── ScimFailed
    ├── TokenRefused      no token, or none of a provider of this site
    ├── NotThere          no such person, group or address
    ├── SearchRefused     what describes the service cannot be searched
    ├── NotUnique         somebody else on the list has that name
    ├── VersionStale      it was changed in between
    ├── FilterUnfit, PathUnfit, ValueUnfit, SyntaxUnfit, TargetMissing
    ├── Unchangeable      an attribute that stays as it is
    ├── RoleUnknown       a group whose name is no role
    ├── MemberUnknown     a member who is not on the list
    ├── TooLarge          a body, or a bulk of operations
    ├── TooMany           a search that would return too much
    ├── MediaUnfit, MethodUnfit, NotOffered
    ├── ListFull          as many people as a list may hold
    ├── FarAway           a linked cloud does not answer in time
    ├── FarRefused        it does not take our token
    ├── FarUnfit          what it answered cannot be understood
    └── ManyOut           a push would shut out most of those who are there
"""

from collections.abc import Mapping
from typing import ClassVar

from kumobashi.kernel import KumobashiError


class ScimFailed(KumobashiError):
    """A request about accounts could not be met; ``scim_type`` is that of RFC 7644, table 9."""

    code = "scim.failed"
    scim_type: ClassVar[str] = ""

    def scim(self) -> Mapping[str, object]:
        """Return the error as SCIM writes it: our code, then the sentences for people."""
        sentences = (self.say("ja"), self.remedy("ja"), self.say("en"))
        body = {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
            "status": str(self.status),
            "detail": f"{self.code}: {' '.join(part for part in sentences if part)}",
        }
        return body | ({"scimType": self.scim_type} if self.scim_type else {})


class TokenRefused(ScimFailed):
    """No token, or none that this site knows."""

    code = "scim.token_refused"
    status = 401
    ja = "このトークンでは、アカウントを受け取れません。"
    en = "This token belongs to no provider of this site."
    remedy_ja = "private/{site}/scim/ に置いたトークンと同じものを、認証基盤に登録してください。"
    remedy_en = "Give the provider the token that lies in private/{site}/scim/."


class NotThere(ScimFailed):
    """No such person, group or address on this provider's list."""

    code = "scim.not_there"
    status = 404
    ja = "この認証基盤の名簿に、そのような利用者・グループ・宛先はありません。"
    en = "This provider's list has no such person, group or address."


class SearchRefused(ScimFailed):
    """What describes the service is read as a whole."""

    code = "scim.search_refused"
    status = 403
    ja = "この一覧は検索できません。"
    en = "What describes the service cannot be searched."


class NotUnique(ScimFailed):
    """Somebody on the list has it already."""

    code = "scim.not_unique"
    status = 409
    scim_type = "uniqueness"
    ja = "{attribute} は、名簿のほかの利用者が使っています。"
    en = "Another person on the list has this {attribute}."


class VersionStale(ScimFailed):
    """It was changed in between."""

    code = "scim.version_stale"
    status = 412
    ja = "読んだあとに変更されています。読み直してください。"
    en = "It was changed since it was read; read it again."


class FilterUnfit(ScimFailed):
    """A filter that cannot be read or is too long or too deep."""

    code = "scim.filter_unfit"
    scim_type = "invalidFilter"
    ja = "検索条件を読めません（{most}文字まで、深い入れ子はできません）。"
    en = "The filter cannot be read, or is longer than {most} characters, or nested too deep."


class PathUnfit(ScimFailed):
    """A path of an attribute that cannot be read, or of none that is kept."""

    code = "scim.path_unfit"
    scim_type = "invalidPath"
    ja = "属性の指定を読めません。"
    en = "The path of an attribute cannot be read, or is of none that is kept here."


class TargetMissing(ScimFailed):
    """A path that leads to nothing."""

    code = "scim.target_missing"
    scim_type = "noTarget"
    ja = "変更する属性の指定がないか、当てはまるものがありません。"
    en = "What is to be changed is not named, or nothing matches it."


class ValueUnfit(ScimFailed):
    """A value of the wrong kind, too long, or missing."""

    code = "scim.value_unfit"
    scim_type = "invalidValue"
    ja = "値を使えません: {where}"
    en = "A value is missing, too long or of the wrong kind: {where}"


class SyntaxUnfit(ScimFailed):
    """A body that cannot be read."""

    code = "scim.syntax_unfit"
    scim_type = "invalidSyntax"
    ja = "本文を読めません: {where}"
    en = "The body cannot be read: {where}"


class Unchangeable(ScimFailed):
    """An attribute that stays as it is."""

    code = "scim.unchangeable"
    scim_type = "mutability"
    ja = "変えられない属性です: {where}"
    en = "The attribute stays as it is: {where}"


class RoleUnknown(ScimFailed):
    """A group whose name is no role."""

    code = "scim.role_unknown"
    scim_type = "invalidValue"
    ja = "グループの名前が、どの役割でもありません。"
    en = "The name of the group is that of no role."
    remedy_ja = "使える名前: {roles}"
    remedy_en = "Names that can be used: {roles}"


class MemberUnknown(ScimFailed):
    """A member who is not on the list; groups are no members."""

    code = "scim.member_unknown"
    scim_type = "invalidValue"
    ja = "グループの構成員が、名簿の利用者ではありません。"
    en = "A member of the group is no person on the list."


class TooLarge(ScimFailed):
    """A body of too many bytes, or a bulk of too many operations."""

    code = "scim.too_large"
    status = 413
    ja = "いちどに受け取れる大きさを超えています（{most_bytes}バイト、{most}件まで）。"
    en = "At most {most_bytes} bytes and {most} operations are taken at once."


class TooMany(ScimFailed):
    """A search or a patch that asks for too much."""

    code = "scim.too_many"
    scim_type = "tooMany"
    ja = "いちどに扱える数（{most}）を超えています。"
    en = "More than {most} at once."


class MediaUnfit(ScimFailed):
    """A body that does not say it is JSON."""

    code = "scim.media_unfit"
    status = 415
    ja = "本文は application/scim+json で送ってください。"
    en = "Send bodies as application/scim+json."


class MethodUnfit(ScimFailed):
    """A method that an address does not have."""

    code = "scim.method_unfit"
    status = 405
    ja = "この宛先では使えないメソッドです。"
    en = "The address does not have this method."


class NotOffered(ScimFailed):
    """A part of the protocol that is not offered."""

    code = "scim.not_offered"
    status = 501
    ja = "この操作は提供していません。"
    en = "This is not offered."


class ListFull(ScimFailed):
    """As many people as one provider's list may hold."""

    code = "scim.list_full"
    status = 507
    ja = "名簿がいっぱいです（{most}件まで）。"
    en = "The list is full: it holds {most}."
    remedy_ja = "使わなくなった利用者を、認証基盤で割り当てから外してください。"
    remedy_en = "Have the provider unassign those who are not there any more."


class FarAway(ScimFailed):
    """A linked cloud does not answer, or says for too long that it cannot now."""

    code = "scim.far_away"
    retryable = True
    status = 504
    ja = "相手のサービスが応答しません。"
    en = "The service at the far side does not answer."
    remedy_ja = "時間をおいて、もういちど同じように実行してください。終わった分は繰り返しません。"
    remedy_en = "Run the same again later; what was done is not done twice."


class FarRefused(ScimFailed):
    """A linked cloud does not take our token."""

    code = "scim.far_refused"
    status = 403
    ja = "相手のサービスが、このトークンを受け付けません。"
    en = "The service at the far side does not take this token."
    remedy_ja = "相手の管理者に、トークンと権限を確かめてもらってください。"
    remedy_en = "Ask whoever runs it to look at the token and what it may do."


class FarUnfit(ScimFailed):
    """What a linked cloud answered cannot be understood."""

    code = "scim.far_unfit"
    status = 502
    ja = "相手のサービスの応答を読めません（{check}）。"
    en = "What the far side answered cannot be understood ({check})."
    remedy_ja = "アドレスが SCIM 2.0 のもの（…/scim/v2）か、確かめてください。"
    remedy_en = "See that the address is one of SCIM 2.0 (…/scim/v2)."


class ManyOut(ScimFailed):
    """A push would shut out most of those who are there."""

    code = "scim.many_out"
    status = 409
    ja = "相手にいる{there}人のうち{out}人が使えなくなるため、止めました。"
    en = "Stopped: of {there} people at the far side, {out} would be shut out."
    remedy_ja = "--dry-run で確かめ、そのとおりでよければ --even-many を付けてください。"
    remedy_en = "Look with --dry-run; if it is meant, add --even-many."
