"""Who is told, put together: ``alerts.yaml``, its channels, the book, the loop.

What the file says is judged against the site's zone before anything is sent: from a closed zone
only mail to the relay leaves, and what such a mail carries.
"""

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from kumobashi.consent.channels.smtp import MailRoute
from kumobashi.directory.alert_channels import AlertChannel, AlertMail, Telephone, Webhook
from kumobashi.directory.alert_models import AlertsFile
from kumobashi.directory.channel_models import SmsChannel as SmsSettings
from kumobashi.directory.models import SiteFile
from kumobashi.kernel import Clock, KumobashiError
from kumobashi.kernel.zones import Zone
from kumobashi.monitoring.alerts import Alert
from kumobashi.monitoring.book import FaultBook, watch_file
from kumobashi.monitoring.channels.carried import CarriedByMail
from kumobashi.monitoring.channels.mail import MailChannel
from kumobashi.monitoring.channels.ports import Channel
from kumobashi.monitoring.channels.posting import Target
from kumobashi.monitoring.channels.sms import SmsChannel
from kumobashi.monitoring.channels.telephone import TelephoneChannel
from kumobashi.monitoring.channels.webhook import WebhookChannel
from kumobashi.monitoring.telling.book import TellingBook, telling_file
from kumobashi.monitoring.telling.dispatching import Dispatcher
from kumobashi.monitoring.telling.errors import AlertChannelUnfit, ChannelNotFromZone
from kumobashi.monitoring.telling.ports import Setup
from kumobashi.monitoring.telling.taking import BookedFaults
from kumobashi.planning.errors import WorkspaceBroken
from kumobashi.planning.monitor_references import ALERTS
from kumobashi.service.channels import sms_route
from kumobashi.service.secrets import secret
from kumobashi.storage.documents import Document, read

log = logging.getLogger(__name__)
_CLOSED = frozenset({Zone.MYNUMBER, Zone.LGWAN})
_LEAST_SECRET = 16  # letters of a secret that signs
_HTTP, _HTTPS = 80, 443


@dataclass(slots=True, kw_only=True)
class Telling:
    """Meets ``Teller``: takes alerts over durably, and has people told behind that."""

    dispatcher: Dispatcher
    _ended: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def tell(self, alert: Alert) -> None:
        """Take an alert over; durable when this returns."""
        self.dispatcher.book.tell(alert)

    def start(self) -> None:
        """Begin to have people told."""
        name = "telling"
        self._thread = threading.Thread(target=self.dispatcher.run, args=(self._ended,), name=name)
        self._thread.start()

    def close(self) -> None:
        """Let what is being handed over end, and stop."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()


def telling_of(
    workspace: Path, site: str, faults: FaultBook, *, tenant: str, clock: Clock
) -> Telling:
    """Return who has people told of a site's alerts.

    Raises:
        WorkspaceBroken: ``alerts.yaml`` or the site's file cannot be read.
        ChannelNotFromZone: a channel must not leave from the site's zone.
        AlertChannelUnfit, SecretMissing: a channel cannot be used as it is written.
    """
    folder = workspace / "var" / site
    book = TellingBook(telling_file(folder), tenant=tenant, clock=clock)
    record = BookedFaults(file=watch_file(folder), book=faults, tenant=tenant)
    setup = AlertSettings(workspace, site)
    return Telling(dispatcher=Dispatcher(book=book, setup=setup, faults=record, clock=clock))


class AlertSettings:
    """``alerts.yaml`` and its channels as they are now; the last good ones while it is broken."""

    def __init__(self, workspace: Path, site: str) -> None:
        self._path = workspace / ALERTS
        self._root = workspace
        self._site = site
        self._stamp = self._stamped()
        self._held = self._read()

    def __call__(self) -> Setup:
        """Return what is in force."""
        stamp = self._stamped()
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                self._held = self._read()
            except KumobashiError as error:
                log.warning(
                    "the channels cannot be used; telling goes on with what it knew",
                    extra={"code": error.code},
                )
        return self._held

    def _stamped(self) -> tuple[int, int] | None:
        try:
            held = self._path.stat()
        except OSError:
            return None
        return held.st_mtime_ns, held.st_size

    def _read(self) -> Setup:
        plan = read(self._path, AlertsFile, root=self._root)
        if not isinstance(plan, Document):
            raise WorkspaceBroken(plan)
        place = read(self._root / "sites" / f"{self._site}.yaml", SiteFile, root=self._root)
        if not isinstance(place, Document):
            raise WorkspaceBroken(place)
        check_zone(plan.value, self._site, place.value.zone)
        return Setup(plan=plan.value, channels=channels_of(self._root, plan.value))


def check_zone(plan: AlertsFile, site: str, zone: Zone) -> None:
    """Raise ``ChannelNotFromZone`` for a channel that a site in a closed zone must not use."""
    if zone not in _CLOSED:
        return
    for one in plan.channels:
        leaving = plan.channel(one.carried.by) if one.carried else one
        if not leaving.leaves_by_relay:
            raise ChannelNotFromZone(
                site=site, zone=zone.value, zone_ja=zone.ja, channel=one.channel
            )


def channels_of(folder: Path, plan: AlertsFile) -> Mapping[str, Channel]:
    """Return the channels by name; raise ``AlertChannelUnfit`` or ``SecretMissing``."""
    return {one.channel: _channel(folder, plan, one) for one in plan.channels}


def _channel(folder: Path, plan: AlertsFile, said: AlertChannel) -> Channel:
    name = said.channel
    if said.mail:
        return MailChannel(name, _mail_route(folder, name, said.mail))
    if said.sms:
        return _sms(folder, name, said.sms)
    if said.webhook:
        return WebhookChannel(
            target=_target(folder, name, said.webhook),
            secret=_key(folder, name, said.webhook.secret),
        )
    if said.telephone:
        return TelephoneChannel(
            target=_target(folder, name, said.telephone), token=secret(folder, said.telephone.token)
        )
    if said.carried:
        mail = plan.channel(said.carried.by).mail
        if mail is not None:
            return CarriedByMail(
                name=name,
                way=said.carried.way,
                route=_mail_route(folder, name, mail),
                bridge=said.carried.bridge,
                secret=_key(folder, name, said.carried.secret),
            )
    raise AlertChannelUnfit(channel=name, field="channel", expected="mail | webhook | …")


def _mail_route(folder: Path, name: str, said: AlertMail) -> MailRoute:
    return MailRoute(
        host=said.host,
        port=said.port,
        security=said.security,
        sender=said.sender,
        user=said.user,
        password=secret(folder, said.password) if said.password else None,
        authorities=_authorities(folder, name, said.authorities),
    )


def _sms(folder: Path, name: str, said: SmsSettings) -> Channel:
    return SmsChannel(name, sms_route(folder, said, _authorities(folder, name, said.authorities)))


def _target(folder: Path, name: str, said: Webhook | Telephone) -> Target:
    url = urlsplit(said.url)
    is_encrypted = url.scheme == "https"
    return Target(
        channel=name,
        host=url.hostname or "",
        port=url.port or (_HTTPS if is_encrypted else _HTTP),
        path=url.path or "/",
        is_encrypted=is_encrypted,
        may_be_inside=said.inside,
        authorities=_authorities(folder, name, said.authorities),
    )


def _authorities(folder: Path, name: str, reference: str | None) -> str | None:
    if reference is None:
        return None
    found = secret(folder, reference)
    if "BEGIN CERTIFICATE" not in found:
        raise AlertChannelUnfit(channel=name, field="authorities", expected="PEM")
    return found


def _key(folder: Path, name: str, reference: str) -> bytes:
    found = secret(folder, reference).encode()
    if len(found) < _LEAST_SECRET:
        raise AlertChannelUnfit(channel=name, field="secret", expected=f"≥ {_LEAST_SECRET}")
    return found
