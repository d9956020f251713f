"""Whose consent it is: the resident's number, sealed so that the ledger alone tells nobody.

AES-SIV (RFC 5297) under a key of its own, derived from the site's secret. The same number seals
to the same text, so the sealed number is the key of the tables and nothing else has to be kept;
the hall can open it again, so the join of a release compares plain numbers (decision 0040).

>>> subjects = Subjects(bytes(32), "999997")
>>> sealed = subjects.seal("0000000001")
>>> sealed == subjects.seal("0000000001"), "0000000001" in sealed
(True, False)
>>> subjects.open(sealed)
'0000000001'
"""

import re
from collections.abc import Iterable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from kumobashi.consent.errors import NumberUnreadable, SubjectUnfit

_NUMBER = re.compile(r"[0-9A-Za-z-]{1,20}")
_KEY_BYTES = 64  # AES-SIV with AES-256


def check_number(number: str) -> str:
    """Return what can be a resident's number; raise ``SubjectUnfit``."""
    if not _NUMBER.fullmatch(number):
        raise SubjectUnfit
    return number


class Subjects:
    """Seals and opens the numbers of one municipality."""

    def __init__(self, secret: bytes, tenant: str) -> None:
        info = f"kumobashi consent subjects v1|{tenant}".encode()
        key = HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=info).derive(secret)
        self._cipher = AESSIV(key)

    def seal(self, number: str) -> str:
        """Return a number sealed, in hexadecimal; raise ``SubjectUnfit``."""
        return self._cipher.encrypt(check_number(number).encode("ascii"), None).hex()

    def open(self, sealed: str) -> str:
        """Return the number; raise ``NumberUnreadable``."""
        return next(iter(self.opened([sealed])))

    def opened(self, sealed: Iterable[str]) -> list[str]:
        """Return many numbers in their order; raise ``NumberUnreadable``."""
        decrypt = self._cipher.decrypt
        try:
            return [decrypt(bytes.fromhex(one), None).decode("ascii") for one in sealed]
        except (InvalidTag, ValueError):
            raise NumberUnreadable from None
