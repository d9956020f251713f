"""By which ways a site reaches residents: ``channels:`` of the workspace, put together."""

from collections.abc import Collection, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from kumobashi.consent.channels.errors import ChannelSettingsUnfit
from kumobashi.consent.channels.letters import LetterSender, keep_only
from kumobashi.consent.channels.ports import Sender
from kumobashi.consent.channels.sms import SmsRoute, SmsSender
from kumobashi.consent.channels.smtp import MailRoute, SmtpSender
from kumobashi.consent.channels.states import Channel
from kumobashi.consent.channels.wording import Office
from kumobashi.directory.channel_models import MailChannel, SmsChannel
from kumobashi.planning.workspace import Workspace
from kumobashi.service.secrets import secret

_LETTERS = "letters"
_HTTP, _HTTPS = 80, 443


def keys_folder(workspace: Path, site: str) -> Path:
    """Return where a site keeps its erasable keys."""
    return workspace / "var" / site / "keys"


def senders_of(workspace: Workspace, site: str) -> Mapping[Channel, Sender]:
    """Return who brings codes, by channel; a channel that is not written about has nobody.

    Raises:
        SecretMissing, ChannelSettingsUnfit: a password or a certificate is not there.
    """
    said = workspace.municipality.channels
    if said is None:
        return {}
    contact = workspace.municipality.contacts[said.contact]
    office = Office(
        municipality=workspace.municipality.municipality.name,
        name=contact.name,
        phone=contact.phone,
        hours=contact.hours,
    )
    found: dict[Channel, Sender] = {}
    if said.mail:
        found[Channel.MAIL] = SmtpSender(_route(workspace.folder, said.mail), office)
    if said.sms:
        authorities = _authorities(workspace.folder, said.sms, Channel.SMS)
        route = sms_route(workspace.folder, said.sms, authorities)
        found[Channel.SMS] = SmsSender(route, office)
    if said.post:
        found[Channel.POST] = LetterSender(workspace.folder / "var" / site / _LETTERS, office)
    return found


def keep_letters_only(var: Path, records: Collection[str]) -> None:
    """Destroy the letters of a site, below its ``var`` folder, whose codes are of no use."""
    keep_only(var / _LETTERS, records)


def _authorities(folder: Path, said: MailChannel | SmsChannel, channel: Channel) -> str | None:
    authorities = secret(folder, said.authorities) if said.authorities else None
    if authorities is not None and "BEGIN CERTIFICATE" not in authorities:
        raise ChannelSettingsUnfit(channel=channel.value, field="authorities", expected="PEM")
    return authorities


def sms_route(folder: Path, said: SmsChannel, authorities: str | None) -> SmsRoute:
    """Return the gateway for short messages; raise ``SecretMissing``."""
    url = urlsplit(said.url)
    is_encrypted = url.scheme == "https"
    return SmsRoute(
        host=said.host,
        port=url.port or (_HTTPS if is_encrypted else _HTTP),
        is_encrypted=is_encrypted,
        path=url.path or "/",
        reports=said.reports,
        user=said.user,
        password=secret(folder, said.password),
        longest=said.longest,
        refused=frozenset(said.refused),
        authorities=authorities,
    )


def _route(folder: Path, said: MailChannel) -> MailRoute:
    return MailRoute(
        host=said.host,
        port=said.port,
        security=said.security,
        sender=said.sender,
        user=said.user,
        password=secret(folder, said.password) if said.password else None,
        authorities=_authorities(folder, said, Channel.MAIL),
    )
