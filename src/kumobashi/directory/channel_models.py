"""``channels:`` of ``kumobashi.yaml``: by which ways residents are reached, and how it is sent."""

from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from kumobashi.directory.file_parts import FileModel, Ident, SecretRef
from kumobashi.storage.mistakes import Said

_TAKEN = 200
_HERE = frozenset({"localhost", "127.0.0.1", "::1"})


class MailChannel(FileModel):
    """The mail server that takes the municipality's mail."""

    host: str = Field(pattern=r"^[A-Za-z0-9.:-]{1,253}$", examples=["mail.example.jp"])
    port: int = Field(default=587, ge=1, le=65_535)
    security: Literal["starttls", "tls", "none"] = Field(
        default="starttls", description="暗号化。none は同じ機械の中継サーバにだけ使えます"
    )
    sender: str = Field(
        pattern=r"^[A-Za-z0-9._+-]{1,64}@[a-z0-9-]+(\.[a-z0-9-]+)+$",
        max_length=254,
        examples=["no-reply@city.example.jp"],
        description="差出人のアドレス",
    )
    user: str | None = Field(default=None, max_length=200, examples=["kumobashi"])
    password: SecretRef | None = Field(
        default=None, examples=["file:private/hall-core/mail.password"]
    )
    authorities: SecretRef | None = Field(
        default=None,
        examples=["file:keys/mail-ca.pem"],
        description="サーバの証明書を出した認証局（PEM）。書かなければ、この機械が信頼するもの",
    )

    @model_validator(mode="after")
    def _is_never_plain_on_a_line(self) -> "MailChannel":
        if self.security == "none" and self.host not in _HERE:
            raise Said(
                "暗号化しないメールは、同じ機械の中継サーバにしか渡せません。",
                "Mail without encryption is handed to a server on this machine only.",
                example="security: starttls",
                at=("security",),
            )
        if (self.user is None) != (self.password is None):
            raise Said(
                "user と password は両方書くか、両方書かないでください。",
                "Write user and password both, or neither.",
                example="{user: kumobashi, password: file:private/hall-core/mail.password}",
                at=("user",),
            )
        if self.user is not None and self.security == "none":
            raise Said(
                "暗号化しないときは、user と password を使えません。",
                "No password goes over a line without encryption.",
                example="security: starttls",
                at=("security",),
            )
        return self


class SmsChannel(FileModel):
    """The gateway that takes the municipality's short messages, over HTTPS."""

    url: str = Field(
        pattern=r"^https?://[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]{0,200})?$",
        examples=["https://sms.example.jp/sms/api/"],
        description="送信の受け口。http は同じ機械の中継サーバにだけ使えます",
    )
    reports: str | None = Field(
        default=None,
        pattern=r"^/[A-Za-z0-9._~/-]{0,200}$",
        examples=["/sms/report/"],
        description="送達結果を尋ねる受け口（同じサーバの中の道）",
    )
    user: str = Field(max_length=200, examples=["kumobashi"])
    password: SecretRef = Field(examples=["file:private/hall-core/sms.password"])
    longest: Literal[70, 660] = Field(
        default=70, description="1通の文字数。660 は長文の契約があるとき"
    )
    refused: list[int] = Field(
        default=[],
        max_length=50,
        examples=[[560]],
        description="「その番号はない」を表す結果コード（事業者の仕様書から）。"
        "書かなければ、どの結果コードでも連絡先を終わらせません",
    )
    authorities: SecretRef | None = Field(
        default=None,
        examples=["file:keys/sms-ca.pem"],
        description="サーバの証明書を出した認証局（PEM）。書かなければ、この機械が信頼するもの",
    )

    @model_validator(mode="after")
    def _is_never_plain_on_a_line(self) -> "SmsChannel":
        if self.url.startswith("http://") and self.host not in _HERE:
            raise Said(
                "暗号化しない SMS の送信は、同じ機械の中継サーバにしか渡せません。",
                "Short messages without encryption are handed to a server on this machine only.",
                example="url: https://sms.example.jp/sms/api/",
                at=("url",),
            )
        if _TAKEN in self.refused:
            raise Said(
                "結果コード 200 は「受け付けた」です。",
                "The result code 200 says that a message was taken.",
                example="refused: [560]",
                at=("refused",),
            )
        return self

    @property
    def host(self) -> str:
        """The name of the server."""
        return urlsplit(self.url).hostname or ""


class PostChannel(FileModel):
    """Letters that an office prints and posts; they are laid into ``var/<site>/letters``."""


class ChannelRules(FileModel):
    """By which ways residents are reached; a way that is not written is closed."""

    contact: Ident = Field(
        examples=["it-desk"], description="届いた人が問い合わせる窓口（contacts の名前）"
    )
    mail: MailChannel | None = Field(default=None, description="電子メール")
    sms: SmsChannel | None = Field(default=None, description="SMS（携帯電話の番号）")
    post: PostChannel | None = Field(default=None, description="郵便", examples=[{}])
