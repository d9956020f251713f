"""What this site shows when it opens a connection by TLS, and whom it believes: files, read anew.

Where the entrance of another site asks for a client certificate (mTLS), its files lie beside the
other keys of this site: ``client.crt`` (with the chain), ``client.key`` (mode 0600) and, where the
other side's own certificate is of an authority the machine does not know, ``authorities.crt``. In
``private/<site>/tls/`` they are for every site, in ``private/<site>/tls/<other>/`` for that one.
Files that change count within a second; while they do not fit together the last good ones do.
"""

import logging
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography import x509

from kumobashi.crypto.errors import CertificateUnfit, CryptoFailed
from kumobashi.crypto.private_files import read_private

log = logging.getLogger(__name__)
CERTIFICATE: Final = "client.crt"
KEY: Final = "client.key"
AUTHORITIES: Final = "authorities.crt"
_LOOK_SECONDS: Final = 1.0
_Stamp = tuple[tuple[str, int, int] | None, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """How connections to one site are opened."""

    context: ssl.SSLContext
    expires: datetime | None  # of our certificate, or of its chain where that ends sooner

    @property
    def has_certificate(self) -> bool:
        """Whether we have something to show."""
        return self.expires is not None


@dataclass
class _Held:
    looked: float
    stamp: _Stamp
    shown: Shown


class ClientTls:
    """The files below ``private/<site>/tls``; asked from one event loop or from threads alike."""

    def __init__(self, folder: Path, now: Callable[[], float] = time.monotonic) -> None:
        self.folder = folder
        self._now = now
        self._held: dict[str, _Held] = {}

    def towards(self, site: str, url: str) -> Shown | None:
        """Return what is shown to ``site`` as the files are now; nothing where it is plain HTTP.

        Raises:
            CertificateUnfit: they cannot be used, and never could since this started.
        """
        if not url.startswith("https:"):
            return None
        held, now = self._held.get(site), self._now()
        if held and now - held.looked < _LOOK_SECONDS:
            return held.shown
        files = self.files(site)
        stamp = tuple(_stamp(path) for path in files)
        if held and held.stamp == stamp:
            held.looked = now
            return held.shown
        try:
            shown = _read(*files)
        except CryptoFailed as error:
            if held is None:
                raise
            log.warning("the client certificate stays as it was", extra={"code": error.code})
            held.looked = now
            return held.shown
        self._held[site] = _Held(now, stamp, shown)
        return shown

    def expiries(self) -> dict[str, datetime]:
        """Return when what is shown expires, by the site it is shown to."""
        held = list(self._held.items())
        return {site: one.shown.expires for site, one in held if one.shown.expires}

    def files(self, site: str) -> tuple[Path, Path, Path]:
        """Return certificate, key and authorities for ``site``, whether they are there or not."""
        own = self.folder / site
        folder = own if own.is_dir() else self.folder
        return folder / CERTIFICATE, folder / KEY, folder / AUTHORITIES


def _stamp(path: Path) -> tuple[str, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return str(path), found.st_mtime_ns, found.st_size


def _read(certificate: Path, key: Path, authorities: Path) -> Shown:
    try:
        context = ssl.create_default_context()
        if authorities.exists():
            context = ssl.create_default_context(cadata=authorities.read_text("ascii"))
    except (OSError, ValueError):  # an error of TLS is an OSError
        raise CertificateUnfit(path=str(authorities)) from None
    if not certificate.exists() and not key.exists():
        return Shown(context, None)
    read_private(key, expected=KEY)
    try:
        chain = x509.load_pem_x509_certificates(certificate.read_bytes())
        context.load_cert_chain(certificate, key, password=_no_password)
    except (OSError, ValueError):  # not PEM, or the key of another certificate
        raise CertificateUnfit(path=str(certificate)) from None
    return Shown(context, min(one.not_valid_after_utc for one in chain))


def _no_password() -> str:
    """Return none: nobody is there to type one, and OpenSSL must not ask the terminal."""
    return ""
