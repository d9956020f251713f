"""``sign-on/<provider>.yaml``: where the municipality's staff sign in, and what that makes them."""

from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from kumobashi.directory.file_parts import FileModel, Ident, Name, SecretRef
from kumobashi.storage.mistakes import Said

_HERE = frozenset({"localhost", "127.0.0.1", "::1"})
RoleName = Literal[
    "operator",
    "approver",
    "auditor",
    "viewer",
    "shared-office",
    "data-centre",
    "vendor",
    "account-admin",
]
Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"]


def _is_sealed(address: str) -> str:
    """Refuse what goes over a line in the clear; this machine's own addresses may."""
    parts = urlsplit(address)
    is_ours = parts.scheme == "http" and parts.hostname in _HERE
    if not (parts.scheme == "https" or is_ours) or not parts.hostname or parts.username is not None:
        raise Said(
            "https:// の住所を書いてください（http:// は同じ機械の中だけ）。",
            "Write an https:// address; http:// is for this machine only.",
            example="https://login.city.example.jp",
        )
    if parts.query or parts.fragment:
        raise Said(
            "住所に ? や # は書けません。",
            "The address has neither ? nor #.",
            example="https://login.city.example.jp",
        )
    return address


Address = Annotated[str, AfterValidator(_is_sealed), Field(max_length=300)]


class RoleRule(FileModel):
    """Who gets a role: all of what ``when`` says has to hold; the first rule that fits counts."""

    role: RoleName = Field(examples=["operator"])
    when: dict[
        Annotated[str, Field(min_length=1, max_length=100)],
        Annotated[tuple[Annotated[str, Field(max_length=200)], ...], Field(min_length=1)],
    ] = Field(
        min_length=1,
        examples=[{"groups": ["情報政策課", "情報システム係"]}],
        description="属性の名前と、そのどれか1つがあればよい値。値の終わりの * は前方一致",
    )


class OpenIdClient(FileModel):
    """How the provider knows this console."""

    issuer: Address = Field(examples=["https://login.city.example.jp/realms/city"])
    client_id: str = Field(min_length=1, max_length=200, examples=["kumobashi"])
    client_secret: SecretRef | None = Field(
        default=None, examples=["file:private/hall-core/sign-on.secret"]
    )
    scopes: tuple[str, ...] = Field(default=("openid", "profile", "email"))
    algorithms: Annotated[tuple[Algorithm, ...], Field(min_length=1)] = (
        "RS256",
        "PS256",
        "ES256",
        "EdDSA",
    )
    shown: str = Field(default="name", examples=["name"], description="画面での呼び方にする属性")


def _plain(fingerprint: str) -> str:
    """Return a fingerprint without the colons that programs put between its bytes."""
    return fingerprint.replace(":", "").lower()


Fingerprint = Annotated[
    str,
    Field(pattern=r"^[0-9A-Fa-f]{2}(:?[0-9A-Fa-f]{2}){31}$"),
    AfterValidator(_plain),
]


class SamlProvider(FileModel):
    """What people approved of a provider that speaks SAML 2.0."""

    entity: str = Field(
        min_length=1,
        max_length=1024,
        examples=["https://login.city.example.jp/saml"],
        description="認証基盤の entityID",
    )
    metadata: Annotated[
        str, Field(pattern=r"^sign-on/[a-z0-9][a-z0-9.-]*\.xml$", max_length=100)
    ] = Field(examples=["sign-on/city-saml.xml"], description="認証基盤のメタデータ")
    certificates: Annotated[tuple[Fingerprint, ...], Field(min_length=1, max_length=4)] = Field(
        examples=[["5f" * 32]], description="認めた署名証明書の SHA-256。入れ替えの間は2つ"
    )
    metadata_certificate: Fingerprint | None = Field(
        default=None, description="メタデータに署名する証明書の SHA-256"
    )
    subject: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(
        default=None,
        examples=["urn:oid:0.9.2342.19200300.100.1.1"],
        description="人を変わらずに指す属性。なければ NameID",
    )
    contexts: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=200)], ...], Field(max_length=10)
    ] = Field(default=(), description="認証基盤に求める認証の方法（AuthnContextClassRef）")
    encrypted: bool = Field(default=False, description="暗号化されたアサーションも受け取るか")
    shown: str = Field(default="displayName", description="画面での呼び方にする属性")


class ProviderFile(FileModel):
    """``sign-on/<provider>.yaml``."""

    kumobashi: Literal[1]
    provider: Ident = Field(examples=["city-login"])
    name: Name = Field(examples=["庁内認証基盤"])
    site: Ident = Field(examples=["hall-core"], description="どのサイトのコンソールに入るか")
    console: Address = Field(
        examples=["https://kumobashi.city.example.jp"], description="コンソールの住所"
    )
    openid: OpenIdClient | None = None
    saml: SamlProvider | None = None
    second_factor: tuple[str, ...] = Field(
        default=("mfa", "otp", "hwk", "swk", "sc", "fpt", "face"),
        description="どれかが要る認証の方法（RFC 8176）。空なら求めない",
    )
    rules: Annotated[tuple[RoleRule, ...], Field(min_length=1, max_length=200)]

    @model_validator(mode="after")
    def _speaks_one_language(self) -> Self:
        if (self.openid is None) == (self.saml is None):
            raise Said(
                "認証基盤への入り方は、openid か saml のどちらか一つを書いてください。",
                "Say how the provider is asked: either openid or saml.",
                example="openid: {issuer: https://login.city.example.jp, client_id: kumobashi}",
                at=("openid",),
            )
        return self
