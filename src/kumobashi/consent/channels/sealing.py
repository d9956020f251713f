"""Addresses under keys of their own, codes and marks under a pepper: nothing is of use alone.

An address opens only with three things that lie apart: the row, the key of that row in the store of
erasable keys, and the site's ``token.key``. Erasing the key ends the address in every backup of the
rest. A code is kept as an HMAC under a key made from ``token.key``: there are few codes, so a slow
hash would hold up whoever copied the table for days, a key that is not in it for good. A mark finds
the same address again, to limit how often it is written to.
"""

import hashlib
import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from kumobashi.consent.channels.errors import AddressUnreadable
from kumobashi.consent.channels.states import Channel
from kumobashi.storage.erasable import ErasableSecrets

SHELF = "channels"
_KEY_BYTES, _NONCE_BYTES = 32, 12
_DIGITS = 8
_BLOCK = 64  # sealed lengths tell little about the address


class Vault:
    """What one site keeps addresses and codes with."""

    def __init__(self, secret: bytes, tenant: str, keys: ErasableSecrets) -> None:
        """``secret`` is that of the site's ``token.key``; ``keys`` the site's erasable keys."""
        self._secret = secret
        self._tenant = tenant
        self._keys = keys
        self._pepper = self._derived(b"", "codes and marks")

    # -- addresses ------------------------------------------------------------------------------

    def seal(self, record: str, channel: Channel, address: str) -> bytes:
        """Keep a fresh key for a row and return the address sealed under it."""
        key = secrets.token_bytes(_KEY_BYTES)
        self._keys.put(SHELF, record, key)
        nonce = secrets.token_bytes(_NONCE_BYTES)
        plain = address.encode("utf-8")
        padded = plain + b"\0" * (-len(plain) % _BLOCK)
        return nonce + self._cipher(key).encrypt(nonce, padded, self._bound(record, channel))

    def open(self, record: str, channel: Channel, sealed: bytes) -> str:
        """Return the address of a row; raise ``AddressUnreadable``."""
        key = self._keys.get(SHELF, record)
        if key is None:
            raise AddressUnreadable
        nonce, body = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            padded = self._cipher(key).decrypt(nonce, body, self._bound(record, channel))
        except (InvalidTag, ValueError):
            raise AddressUnreadable from None
        return padded.rstrip(b"\0").decode("utf-8")

    def erase(self, record: str) -> None:
        """Destroy the key of a row for good: no backup brings the address back."""
        self._keys.erase(SHELF, record)

    def kept(self) -> list[str]:
        """Return the rows whose keys are here."""
        return self._keys.names(SHELF)

    # -- codes and marks ------------------------------------------------------------------------

    def code_mark(self, record: str, sending: int, code: str) -> str:
        """Return what is kept of a code; it is worth nothing for another row or sending."""
        return self._mark(f"code|{record}|{sending}|{plain(code)}")

    def is_code(self, kept: str, record: str, sending: int, code: str) -> bool:
        """Whether it is the code that was kept; takes as long for a wrong one."""
        return hmac.compare_digest(kept, self.code_mark(record, sending, code))

    def address_mark(self, channel: Channel, address: str) -> str:
        """Return the mark of an address, the same in small and capital letters."""
        return self._mark(f"address|{channel.value}|{address.casefold()}")

    # -- inside ---------------------------------------------------------------------------------

    def _mark(self, text: str) -> str:
        return hmac.new(self._pepper, text.encode("utf-8"), hashlib.sha256).hexdigest()

    def _cipher(self, key: bytes) -> AESGCM:
        return AESGCM(self._derived(key, "address"))

    def _bound(self, record: str, channel: Channel) -> bytes:
        return f"{self._tenant}|{record}|{channel.value}".encode()

    def _derived(self, salt: bytes, use: str) -> bytes:
        info = f"kumobashi channel {use} v1|{self._tenant}".encode()
        derive = HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=salt or None, info=info)
        return derive.derive(self._secret)


def new_code() -> str:
    """Return a new code as it is sent: eight digits, easy on a telephone's keys."""
    digits = f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}d}"
    return f"{digits[:4]}-{digits[4:]}"


def plain(code: str) -> str:
    """Return the digits of a code, in whatever width they were typed.

    >>> plain(" １２３４-5678 ")
    '12345678'
    """
    return "".join(str(int(char)) for char in code[:64] if char.isdecimal())
