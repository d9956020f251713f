"""The ways to whom an alert is for: mail, webhook, SMS, telephone, and out of closed zones."""

from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from kumobashi.directory.alert_people import MAIL
from kumobashi.directory.channel_models import MailChannel, SmsChannel
from kumobashi.directory.file_parts import FileModel, Ident, SecretRef
from kumobashi.storage.mistakes import Said

_HERE = frozenset({"localhost", "127.0.0.1", "::1"})
_URL = r"^https?://[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]{0,200})?$"


class AlertMail(MailChannel):
    """The mail server that takes alerts."""

    relay: bool = Field(
        default=False, description="LGWAN のメール中継か。閉じた領域から出られるのはこれだけです"
    )


class Webhook(FileModel):
    """Where alerts are posted as signed JSON."""

    url: str = Field(pattern=_URL, examples=["https://alerts.example.jp/kumobashi"])
    secret: SecretRef = Field(examples=["file:private/hall-core/webhook.secret"])
    inside: bool = Field(default=False, description="庁内の（グローバルでない）アドレスでもよいか")
    authorities: SecretRef | None = Field(default=None, examples=["file:keys/alerts-ca.pem"])

    @model_validator(mode="after")
    def _is_never_plain_on_a_line(self) -> Self:
        _check_plain(self.url)
        return self


class Telephone(FileModel):
    """The gateway that places calls."""

    url: str = Field(pattern=_URL, examples=["https://phone.example.jp/v1/calls"])
    token: SecretRef = Field(examples=["file:private/hall-core/phone.token"])
    inside: bool = Field(default=False, description="庁内の（グローバルでない）アドレスでもよいか")
    authorities: SecretRef | None = Field(default=None, examples=["file:keys/phone-ca.pem"])

    @model_validator(mode="after")
    def _is_never_plain_on_a_line(self) -> Self:
        _check_plain(self.url)
        return self


class Carried(FileModel):
    """Another way, out of a closed zone: a mail to a bridge outside does it."""

    way: Literal["webhook", "sms", "telephone"] = Field(examples=["telephone"])
    by: Ident = Field(examples=["relay-mail"], description="載せるメールの連絡手段")
    bridge: str = Field(pattern=MAIL, max_length=254, examples=["bridge@alerts.example.jp"])
    secret: SecretRef = Field(examples=["file:private/hall-core/bridge.secret"])


class AlertChannel(FileModel):
    """One way to people; exactly one of the kinds."""

    channel: Ident = Field(examples=["relay-mail"])
    mail: AlertMail | None = None
    webhook: Webhook | None = None
    sms: SmsChannel | None = None
    telephone: Telephone | None = None
    carried: Carried | None = None
    most_in_ten_minutes: int = Field(
        default=20, ge=1, le=1_000, description="10分に送る数。超えた分は1通にまとめます"
    )

    @model_validator(mode="after")
    def _is_of_one_kind(self) -> Self:
        kinds = (self.mail, self.webhook, self.sms, self.telephone, self.carried)
        if sum(kind is not None for kind in kinds) != 1:
            raise Said(
                "mail・webhook・sms・telephone・carried のどれか1つだけを書いてください。",
                "Write exactly one of mail, webhook, sms, telephone, carried.",
                example="mail: {host: mail.example.jp, sender: alert@city.example.jp}",
            )
        return self

    @property
    def way(self) -> Literal["mail", "webhook", "sms", "telephone"]:
        """By what it reaches people in the end."""
        if self.carried:
            return self.carried.way
        if self.mail:
            return "mail"
        return "webhook" if self.webhook else "sms" if self.sms else "telephone"

    @property
    def leaves_by_relay(self) -> bool:
        """Whether a site in a closed zone may use it; a carried one is as its mail is."""
        return self.mail is not None and self.mail.relay


def _check_plain(url: str) -> None:
    if url.startswith("http://") and urlsplit(url).hostname not in _HERE:
        raise Said(
            "暗号化しない http は、同じ機械にしか使えません。",
            "Plain http is for this machine only.",
            example="url: https://alerts.example.jp/kumobashi",
            at=("url",),
        )
