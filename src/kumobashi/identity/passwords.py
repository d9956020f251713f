"""Passwords as scrypt keeps them (RFC 7914), and the codes of an authenticator (RFC 6238).

>>> kept = hashed("correct horse battery")
>>> matches("correct horse battery", kept), matches("Tr0ub4dor", kept)
(True, False)
"""

import base64
import hashlib
import hmac
import os
import unicodedata

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.hotp import HOTP
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from kumobashi.identity.errors import PasswordWeak

LEAST_LETTERS = 12
STEP_SECONDS = 30
_DIGITS = 6
_SECRET_BYTES = 20  # RFC 4226, R6: 160 bits are recommended
_LOG_N, _R, _P = 15, 8, 1  # 32 MiB and about a tenth of a second
_MEMORY = 64 * 1024 * 1024
_DRIFT_STEPS = 1  # RFC 6238, 5.2: one step for slow clocks and slow fingers


def hashed(password: str) -> str:
    """Return what is kept of a password; raise ``PasswordWeak`` for a short one."""
    if len(password) < LEAST_LETTERS:
        raise PasswordWeak(least=LEAST_LETTERS)
    salt = os.urandom(16)
    return f"scrypt${_LOG_N}${_R}${_P}${salt.hex()}${_scrypt(password, salt, _LOG_N, _R, _P).hex()}"


def matches(password: str, kept: str) -> bool:
    """Whether it is the password that was kept; takes as long for a wrong one."""
    _, log_n, r, p, salt, key = kept.split("$")
    found = _scrypt(password, bytes.fromhex(salt), int(log_n), int(r), int(p))
    return hmac.compare_digest(found, bytes.fromhex(key))


def _scrypt(password: str, salt: bytes, log_n: int, r: int, p: int) -> bytes:
    # Keyboards differ in how they compose what looks alike.
    text = unicodedata.normalize("NFKC", password).encode()
    return hashlib.scrypt(text, salt=salt, n=1 << log_n, r=r, p=p, maxmem=_MEMORY, dklen=32)


def new_secret() -> str:
    """Return a new secret for an authenticator, in Base32 as people type it."""
    return base64.b32encode(os.urandom(_SECRET_BYTES)).decode("ascii")


def step_of(code: str, secret: str, *, now: float, after: int) -> int | None:
    """Return the time step that a code is of, when it is right and later than ``after``.

    A code is taken once: whoever looks over a shoulder comes too late (RFC 6238, 5.2).

    >>> step_of("287082", base64.b32encode(b"12345678901234567890").decode(), now=59.0, after=0)
    1
    """
    plain = unicodedata.normalize("NFKC", code).replace(" ", "")
    # SHA-1 is what authenticators know; HMAC with it is sound (RFC 6238, 1.2).
    counter = HOTP(base64.b32decode(secret), _DIGITS, SHA1())  # noqa: S303 - see above
    here = int(now) // STEP_SECONDS
    found = None
    for step in range(here - _DRIFT_STEPS, here + _DRIFT_STEPS + 1):
        expected = counter.generate(step).decode("ascii")
        if hmac.compare_digest(plain.encode(), expected.encode()) and step > after:
            found = step
    return found


def address_of(secret: str, *, name: str, issuer: str) -> str:
    """Return the ``otpauth://`` address that authenticators read."""
    totp = TOTP(base64.b32decode(secret), _DIGITS, SHA1(), STEP_SECONDS)  # noqa: S303 - as above
    return totp.get_provisioning_uri(name, issuer)
