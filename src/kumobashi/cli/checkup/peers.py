"""Whether the gateway of each site answers, and if not, why not.

All sites are asked at once, each with a limit for the whole answer: a site that gives one byte a
second is a site that does not answer.
"""

import http.client
import json
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import Enum
from types import MappingProxyType
from urllib.parse import urlsplit

from kumobashi import __version__
from kumobashi.cli.checkup.checks import Check, State, fine, words
from kumobashi.cli.checkup.clocks import Reading
from kumobashi.crypto.client_tls import Shown
from kumobashi.exchange.entrances import is_shut
from kumobashi.exchange.views import Words
from kumobashi.kernel import JST
from kumobashi.kernel.clock import from_wire

_PATIENCE_SECONDS = 5.0
_LARGEST_ANSWER = 65_536
_CERTIFICATE_SOON = timedelta(days=30)
_DATE_IS_EXACT_TO = timedelta(seconds=2)  # whole seconds, and servers renew it once a second


class Reason(Enum):
    """Why a site has not answered as a gateway does."""

    NAME = "name"
    REFUSED = "refused"
    CERTIFICATE = "certificate"
    TLS = "tls"
    CLIENT_CERTIFICATE = "client_certificate"
    SILENT = "silent"
    UNREACHABLE = "unreachable"
    STRANGER = "stranger"


SOMEBODY_ELSE = frozenset({Reason.STRANGER, Reason.TLS})  # something is there, and no gateway


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a gateway said."""

    site: str
    version: str
    clock: Reading | None
    certified_until: datetime | None = None  # of its TLS certificate


@dataclass(frozen=True, slots=True)
class Silence:
    """No answer of a gateway; ``detail`` holds what the system said."""

    reason: Reason
    detail: str = ""


Reply = Answer | Silence


class Asked:
    """Sites that are being asked."""

    def __init__(self, urls: Mapping[str, str], seconds: float, shown: Mapping[str, Shown]) -> None:
        self._seconds = seconds
        self._shown = shown
        self._found: dict[str, Reply] = {}
        self._threads = {
            site: threading.Thread(target=self._ask, args=(site, url), daemon=True)
            for site, url in urls.items()
        }
        for thread in self._threads.values():
            thread.start()

    def _ask(self, site: str, url: str) -> None:
        self._found[site] = ask(url, self._seconds, self._shown.get(site))

    def replies(self) -> Iterator[tuple[str, Reply]]:
        """Yield what each has said, in order, as soon as it is known."""
        for site, thread in self._threads.items():
            thread.join(self._seconds + 1.0)
            yield site, self._found.get(site, Silence(Reason.SILENT))


def ask_all(
    urls: Mapping[str, str],
    seconds: float = _PATIENCE_SECONDS,
    shown: Mapping[str, Shown] = MappingProxyType({}),
) -> Asked:
    """Begin to ask sites at these addresses; ``shown`` is how one is met by TLS, by its name."""
    return Asked(urls, seconds, shown)


def ask(url: str, seconds: float = _PATIENCE_SECONDS, shown: Shown | None = None) -> Reply:
    """Ask ``/health`` of one address."""
    found = _asked(url, seconds, shown)
    if shown and isinstance(found, Silence) and is_shut(url, shown):
        return Silence(Reason.CLIENT_CERTIFICATE)
    return found


def _asked(url: str, seconds: float, shown: Shown | None) -> Reply:
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port
    if parts.scheme == "https":
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            host, port, timeout=seconds, context=shown.context if shown else None
        )
    else:
        connection = http.client.HTTPConnection(host, port, timeout=seconds)
    try:
        connection.connect()
        until = _end_of_certificate(connection.sock)
        sent = datetime.now(UTC)
        connection.request("GET", "/health", headers={"Accept": "application/json"})
        answer = connection.getresponse()
        received = datetime.now(UTC)
        body = answer.read(_LARGEST_ANSWER)
        if answer.status != http.client.OK:
            return Silence(Reason.STRANGER, f"HTTP {answer.status}")
        reply = _understood(body, answer.headers.get("Date", ""), sent, received)
        return replace(reply, certified_until=until) if isinstance(reply, Answer) else reply
    except (OSError, http.client.HTTPException, UnicodeError) as error:
        return _why(error)
    finally:
        connection.close()


def _understood(body: bytes, date: str, sent: datetime, received: datetime) -> Reply:
    try:
        said = json.loads(body)
        site, version = str(said["site"]), str(said["version"])
    except (ValueError, KeyError, TypeError):
        return Silence(Reason.STRANGER)
    return Answer(site=site, version=version, clock=_clock(said.get("time"), date, sent, received))


def _end_of_certificate(line: object) -> datetime | None:
    if not isinstance(line, ssl.SSLSocket):
        return None
    end = (line.getpeercert() or {}).get("notAfter")
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(end)), UTC) if end else None


def _clock(exact: object, date: str, sent: datetime, received: datetime) -> Reading | None:
    """Return between which differences their clock and ours must be."""
    try:
        there = from_wire(str(exact))
        return Reading(low=there - received, high=there - sent)
    except ValueError:
        pass
    try:
        there = parsedate_to_datetime(date)
        return Reading(low=there - received, high=there + _DATE_IS_EXACT_TO - sent)
    except (ValueError, TypeError):
        return None


def _why(error: Exception) -> Silence:
    found = next(
        (reason for kinds, reason in _REASONS if isinstance(error, kinds)), Reason.STRANGER
    )
    detail = {
        Reason.CERTIFICATE: getattr(error, "verify_message", ""),
        Reason.TLS: getattr(error, "reason", ""),
        Reason.UNREACHABLE: getattr(error, "strerror", ""),
    }
    return Silence(found, str(detail.get(found) or ""))


# The first that fits: some of these are kinds of later ones.
_REASONS: tuple[tuple[tuple[type[Exception], ...], Reason], ...] = (
    ((socket.gaierror, UnicodeError), Reason.NAME),
    ((ConnectionRefusedError,), Reason.REFUSED),
    ((ssl.SSLCertVerificationError,), Reason.CERTIFICATE),
    ((ssl.SSLError,), Reason.TLS),
    ((TimeoutError,), Reason.SILENT),
    ((http.client.HTTPException, ConnectionError), Reason.STRANGER),
    ((OSError,), Reason.UNREACHABLE),
)
_SENTENCES: Mapping[Reason, tuple[Words, Words]] = {
    Reason.NAME: (
        words("名前からアドレスがわかりません（DNS）", "its name has no address (DNS)"),
        words(
            "サイトの url の名前と、このパソコンの DNS の設定を確かめてください。",
            "Look at the name in the site's url and at this machine's DNS.",
        ),
    ),
    Reason.REFUSED: (
        words("接続を断られました（動いていません）", "refused the connection: nothing listens"),
        words(
            "相手の担当に、ゲートウェイが動いているかを確かめてください。",
            "Ask those who run it whether the gateway is running.",
        ),
    ),
    Reason.CERTIFICATE: (
        words("証明書を信頼できません", "its certificate is not trusted"),
        words(
            "証明書の期限・名前と、庁内の認証局（SSL_CERT_FILE）を確かめてください。",
            "Look at the certificate's end and name, and at SSL_CERT_FILE for your own authority.",
        ),
    ),
    Reason.TLS: (
        words("暗号の取り決め（TLS）ができません", "TLS cannot be agreed on"),
        words(
            "url の http と https の別、間に立つ機器を確かめてください。",
            "Look at http or https in the url, and at what stands between.",
        ),
    ),
    Reason.CLIENT_CERTIFICATE: (
        words("クライアント証明書を受け付けません", "does not take our client certificate"),
        words(
            "private/<サイト>/tls/ の client.crt と client.key を確かめてください。",
            "Look at client.crt and client.key in private/<site>/tls/.",
        ),
    ),
    Reason.SILENT: (
        words("時間内に応答がありません", "no answer in time"),
        words(
            "回線と、間のファイアウォールがこのポートを通すかを確かめてください。",
            "Look at the line, and whether the firewalls between let this port pass.",
        ),
    ),
    Reason.UNREACHABLE: (
        words("そこまで届きません", "it cannot be reached"),
        words("回線と経路を確かめてください。", "Look at the line and the routes."),
    ),
    Reason.STRANGER: (
        words("応答したのはゲートウェイではありません", "what answers is no gateway"),
        words(
            "url のポートと、間に立つプロキシーを確かめてください。",
            "Look at the port in the url, and at proxies between.",
        ),
    ),
}


def judged(site: str, url: str, reply: Reply, now: datetime, *, is_here: bool) -> Check:
    """Judge what a site has said; ``is_here``: its keys are on this machine."""
    name = words(f"接続 {site}", f"Peer {site}")
    if isinstance(reply, Silence):
        said, remedy = _SENTENCES[reply.reason]
        if is_here and reply.reason is Reason.REFUSED:
            start = f"kumobashi serve --site {site}"
            remedy = words(f"始めてください: {start}", f"Start it: {start}")
        detail = f"（{reply.detail}）" if reply.detail else ""
        detail_en = f" ({reply.detail})" if reply.detail else ""
        return Check(
            code=f"doctor.peer_{reply.reason.value}",
            name=name,
            state=State.WRONG,
            said=words(said.ja + detail, said.en + detail_en),
            where=url,
            expected=words("/health に応えるゲートウェイ", "a gateway that answers /health"),
            remedy=remedy,
        )
    if reply.site != site:
        return Check(
            code="doctor.peer_other_site",
            name=name,
            state=State.WRONG,
            said=words(
                f"応答したのは別のサイト {reply.site} です", f"another site answers: {reply.site}"
            ),
            where=url,
            expected=words(site, site),
            remedy=words("sites/ の url を確かめてください。", "Look at the url in sites/."),
        )
    if reply.version != __version__:
        return Check(
            code="doctor.peer_version",
            name=name,
            state=State.CAUTION,
            said=words(
                f"応答あり、版は {reply.version}", f"answers, its version is {reply.version}"
            ),
            where=url,
            expected=words(f"こちらと同じ {__version__}", f"the same as here: {__version__}"),
            remedy=words("版をそろえてください。", "Bring both to one version."),
        )
    if reply.certified_until and reply.certified_until - now < _CERTIFICATE_SOON:
        end = reply.certified_until.astimezone(JST).date()
        return Check(
            code="doctor.peer_certificate_ends",
            name=name,
            state=State.CAUTION,
            said=words(f"応答あり、証明書は {end} に終わります", f"answers; certified until {end}"),
            where=url,
            expected=words("残り 30 日より長い", "more than 30 days left"),
            remedy=words("証明書の更新を担当に確かめてください。", "Ask about its renewal."),
        )
    return fine("doctor.peer", name, words("応答あり", "answers"), where=url)
