"""Sign the requests between gateways and check them: RFC 9421 with Ed25519, a small fast path.

Every request, with or without a body, carries four headers::

    content-digest: sha-256=:…:
    kumobashi-site: hall-core
    signature-input: kumo=("@method" "@authority" "@path" "@query" "content-digest" \
"kumobashi-site");created=…;expires=…;nonce="…";keyid="…";alg="ed25519"
    signature: kumo=:…:

The components are always these, in this order. Instead of ``@target-uri`` the signature covers
authority, path and query: a proxy that ends TLS changes the scheme, but not these. The authority is
the one in the directory's ``url`` of the called site, so a request for one site is worth nothing at
another. The called site therefore builds ``target_uri`` from its own directory entry and the path
and query on the request line, never from ``Host`` alone.

A signature holds for at most five minutes, and its nonce is remembered for that time. Tests check
this module against the library http-message-signatures, in both directions.
"""

import base64
import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from urllib.parse import urlsplit

from kumobashi.crypto.errors import (
    BodyAltered,
    NoncesFull,
    SignatureInvalid,
    SignatureMissing,
    SignatureReplayed,
)
from kumobashi.crypto.keys import SigningKey, VerifyKey
from kumobashi.crypto.message_signatures import CLOCK_SKEW, WINDOW, Shape

SITE_HEADER = "kumobashi-site"
EMPTY_BODY = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

_SHAPE = Shape("kumo", ("@method", "@authority", "@path", "@query", "content-digest", SITE_HEADER))
_SITE = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who signed a request."""

    site: str
    kid: str


class NonceMemory:
    """The nonces of the last minutes, in this process; bounded, safe between threads.

    After a restart it is empty. That is enough because every request of the peer protocol may be
    repeated without effect; the memory keeps a listener from asking again in another's name. Calls
    of systems may not be repeated: theirs is filled again from the journal of calls.
    """

    def __init__(self, limit: int = 1_000_000) -> None:
        self._limit = limit
        self._lock = Lock()
        self._held: set[tuple[str, str]] = set()
        self._order: deque[tuple[datetime, tuple[str, str]]] = deque()

    def remember(self, kid: str, nonce: str, now: datetime) -> None:
        """Take note of a nonce, or raise :class:`SignatureReplayed` if it was used before."""
        used = (kid, nonce)
        with self._lock:
            while self._order and self._order[0][0] < now:
                self._held.discard(self._order.popleft()[1])
            if used in self._held:
                raise SignatureReplayed
            if len(self._held) >= self._limit:
                raise NoncesFull(limit=self._limit)
            self._held.add(used)
            self._order.append((now + WINDOW + 2 * CLOCK_SKEW, used))


def content_digest_header(digest: str) -> str:
    """Return a ``Content-Digest`` field (RFC 9530) for a ``sha256:…`` digest.

    >>> content_digest_header(EMPTY_BODY)
    'sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:'
    """
    if not _DIGEST.fullmatch(digest):
        raise ValueError("a digest is sha256: and 64 hexadecimal digits")
    return f"sha-256=:{base64.b64encode(bytes.fromhex(digest[7:])).decode('ascii')}:"


def sign_request(
    *,
    method: str,
    target_uri: str,
    content_digest: str,
    site: str,
    key: SigningKey,
    created: datetime,
    nonce: str,
    expires_in: timedelta = WINDOW,
) -> dict[str, str]:
    """Return the headers, in lower case, that sign one request.

    ``target_uri`` is the whole address with the authority of the directory; ``content_digest`` is
    the ``sha256:…`` digest of the body, :data:`EMPTY_BODY` when there is none. Every attempt needs
    a new ``nonce``, 1 to 128 printable characters without quotes; a UUID will do.
    """
    digest_field = content_digest_header(content_digest)
    signed = _SHAPE.sign(
        _values(method, target_uri, digest_field, site),
        key=key,
        created=created,
        nonce=nonce,
        expires_in=expires_in,
    )
    return {
        "content-digest": digest_field,
        SITE_HEADER: site,
        "signature-input": signed.input,
        "signature": signed.signature,
    }


def claimed_site(headers: Mapping[str, str]) -> str:
    """Return the site a request says it comes from, so that its keys can be looked up.

    Raises:
        SignatureMissing: the header is absent or no name of a site.
    """
    site = headers.get(SITE_HEADER, "")
    if not _SITE.fullmatch(site):
        raise SignatureMissing(field=SITE_HEADER)
    return site


def verify_request(
    *,
    method: str,
    target_uri: str,
    headers: Mapping[str, str],
    keys: Mapping[str, VerifyKey],
    now: datetime,
    body_digest: str | None,
    nonces: NonceMemory,
) -> Caller:
    """Return who signed the request.

    ``keys`` must hold only the keys that the directory gives to :func:`claimed_site`, by ``kid``:
    that is what ties the key to the site. ``headers`` are looked up in lower case.

    ``body_digest`` is the ``sha256:…`` digest of the body. For a part it is known from the path
    before the body is read; whoever reads the body compares it once more at the end. ``None``
    leaves the body unchecked, for a caller who compares ``content-digest`` afterwards.

    Raises:
        SignatureMissing, SignatureInvalid, UnknownKey, SignatureExpired, SignatureReplayed,
        BodyAltered, NoncesFull: see there.
    """
    site = claimed_site(headers)
    digest_field = required(headers, "content-digest")
    checked = _SHAPE.check(
        required(headers, "signature-input"),
        required(headers, "signature"),
        _values(method, target_uri, digest_field, site),
        keys=keys,
        now=now,
    )
    if body_digest is not None and digest_field != content_digest_header(body_digest):
        raise BodyAltered
    nonces.remember(checked.kid, checked.nonce, now)
    return Caller(site=site, kid=checked.kid)


def required(headers: Mapping[str, str], name: str) -> str:
    """Return a header field that must be there, or raise :class:`SignatureMissing`."""
    value = headers.get(name)
    if value is None:
        raise SignatureMissing(field=name)
    return value


def _values(method: str, target_uri: str, digest_field: str, site: str) -> tuple[str, ...]:
    return (method, *_target(target_uri), digest_field, site)


def _target(target_uri: str) -> tuple[str, str, str]:
    """Return authority, path and query as RFC 9421, 2.2.3, 2.2.6 and 2.2.7 write them."""
    try:
        parts = urlsplit(target_uri)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise SignatureInvalid(reason="no address") from None
    if parts.scheme not in _PORTS or not host or parts.username is not None or parts.fragment:
        raise SignatureInvalid(reason="no address of a gateway")
    if ":" in host:
        host = f"[{host}]"
    authority = host if port in (None, _PORTS[parts.scheme]) else f"{host}:{port}"
    return authority, parts.path or "/", f"?{parts.query}"
