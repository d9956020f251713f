"""Who may ask for tokens, and how a client proves itself: ``client_secret_jwt`` with HS256.

The assertion (RFC 7523, section 3; OpenID Connect Core 1.0, section 9) is parsed strictly; the key
decides the algorithm, never the header. It lives five minutes at most and counts once.

>>> client = Client("9jT2bQ0vXw5Yk8LrN3mZs7HcD1fGp4Ae", "s" * 32, "arrears")
>>> now = datetime(2026, 11, 23, tzinfo=UTC)
>>> made = client.assertion("https://hall.example/linkage/token", "jti-1", now)
>>> client_id_of(made) == client.client_id
True
"""

import hmac
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from kumobashi.calls.linkage.errors import ClientUnfit, ClientUnproven
from kumobashi.crypto import base64url
from kumobashi.crypto.canonical import canonical, read_json
from kumobashi.crypto.errors import (
    KeyUnfit,
    NoncesFull,
    NotCanonical,
    SignatureReplayed,
    TokenUnfit,
)
from kumobashi.crypto.foreign_tokens import verify
from kumobashi.crypto.http_signatures import NonceMemory

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LIFE: Final = timedelta(minutes=5)
SKEW: Final = timedelta(seconds=30)
SMALLEST_SECRET: Final = 32  # characters
_LARGEST: Final = 4096
_CLIENT_ID: Final = re.compile(r"[0-9A-Za-z]{32}")
_SECRET: Final = re.compile(r"[!-~]{32,256}")
_JTI: Final = re.compile(r"[!-~]{1,128}")


@dataclass(frozen=True, slots=True)
class Client:
    """One consumer system; its secret is never shown."""

    client_id: str
    secret: str = field(repr=False)
    system: str
    may_use_basic: bool = False  # client_secret_basic, allowed in the interim

    def __post_init__(self) -> None:
        if not _CLIENT_ID.fullmatch(self.client_id):
            raise ClientUnfit(system=self.system, reason="client_id")
        if not _SECRET.fullmatch(self.secret):
            raise ClientUnfit(system=self.system, reason="client_secret")

    def assertion(self, audience: str, jti: str, now: datetime) -> str:
        """Return an assertion as this client makes it, good for one minute."""
        said = {"iss": self.client_id, "sub": self.client_id, "aud": audience, "jti": jti}
        times = {"iat": int(now.timestamp()), "exp": int(now.timestamp()) + 60}
        head = base64url.encode(canonical({"alg": "HS256", "typ": "JWT"}))
        signed = f"{head}.{base64url.encode(canonical(said | times))}"
        mac = hmac.digest(self.secret.encode("ascii"), signed.encode("ascii"), "sha256")
        return f"{signed}.{base64url.encode(mac)}"


def secret_fits(client: Client | None, secret: str) -> bool:
    """Whether a secret is the client's; as slow for a client that is not there."""
    expected = client.secret if client else "-" * SMALLEST_SECRET
    is_same = hmac.compare_digest(secret.encode(), expected.encode())
    return is_same and client is not None


def client_id_of(assertion: str) -> str:
    """Return whom an assertion names; nothing is proven yet."""
    said = _claims(assertion).get("sub")
    if not isinstance(said, str):
        raise ClientUnproven(reason="sub")
    return said


class Assertions:
    """Checks assertions; remembers those of the last minutes, in this process."""

    def __init__(self, started: datetime) -> None:
        """Take none that was made before ``started``: the process before may have taken it."""
        self._started = started.replace(microsecond=0)
        self._seen = NonceMemory()

    def check(
        self, assertion: str, client: Client, audiences: frozenset[str], now: datetime
    ) -> None:
        """Return if ``client`` made the assertion for here and now, and it was not used before.

        Raises:
            ClientUnproven: with what is wrong; no value of the assertion is quoted.
        """
        payload = open_hs256(assertion, client.secret)
        claims = _object(payload)
        if not claims.get("iss") == claims.get("sub") == client.client_id:
            raise ClientUnproven(reason="iss, sub")
        _check_audience(claims, audiences)
        self._check_times(claims, now)
        jti = claims.get("jti")
        if not isinstance(jti, str) or not _JTI.fullmatch(jti):
            raise ClientUnproven(reason="jti")
        try:
            self._seen.remember(client.client_id, jti, now)
        except (SignatureReplayed, NoncesFull):
            raise ClientUnproven(reason="jti, used") from None

    def _check_times(self, claims: dict[str, object], now: datetime) -> None:
        issued, ends = _time(claims, "iat"), _time(claims, "exp")
        if ends <= now:
            raise ClientUnproven(reason="exp")
        if issued > now + SKEW or ends - issued > LIFE or issued < now - LIFE:
            raise ClientUnproven(reason="iat")
        if "nbf" in claims and _time(claims, "nbf") > now + SKEW:
            raise ClientUnproven(reason="nbf")
        if issued < self._started:
            raise ClientUnproven(reason="iat, restarted")


def _check_audience(claims: dict[str, object], audiences: frozenset[str]) -> None:
    audience = claims.get("aud")
    if isinstance(audience, list) and len(audience) == 1:
        audience = audience[0]
    if not isinstance(audience, str) or audience not in audiences:
        raise ClientUnproven(reason="aud")


def open_hs256(text: str, secret: str | bytes) -> bytes:
    """Return the payload of a compact JWS whose HMAC with SHA-256 fits; the key decides how.

    Raises:
        ClientUnproven: in another form or with another algorithm, or not made with the secret.
    """
    raw = secret.encode("ascii") if isinstance(secret, str) else secret
    if len(text) > _LARGEST:
        raise ClientUnproven(reason="JWT")
    try:
        return verify(text, {"kty": "oct", "k": base64url.encode(raw)}, algorithms={"HS256"})
    except (TokenUnfit, KeyUnfit) as error:
        raise ClientUnproven(reason=str(error.facts["reason"])) from None


def _claims(text: str) -> dict[str, object]:
    """Return what a token claims; nobody has proven it."""
    try:
        return _object(base64url.decode(text.split(".", 2)[1]))
    except (ValueError, IndexError):
        raise ClientUnproven(reason="JWT") from None


def _object(body: bytes) -> dict[str, object]:
    try:
        found = read_json(body)
    except NotCanonical:
        raise ClientUnproven(reason="JWT") from None
    if not isinstance(found, dict):
        raise ClientUnproven(reason="JWT")
    return found


def _time(claims: dict[str, object], name: str) -> datetime:
    said = claims.get(name)
    if not isinstance(said, int | float) or isinstance(said, bool):
        raise ClientUnproven(reason=name)
    try:
        return datetime.fromtimestamp(said, UTC)
    except (ValueError, OverflowError, OSError):
        raise ClientUnproven(reason=name) from None


def read_client(text: bytes, system: str) -> Client:
    """Return the client that a file holds.

    Raises:
        ClientUnfit: it is not in the form in which it was written.
    """
    try:
        said = json.loads(text)
        return Client(
            str(said["client_id"]),
            str(said["client_secret"]),
            system,
            said.get("may_use_basic") is True,
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ClientUnfit(system=system, reason="JSON") from None
