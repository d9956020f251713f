"""The keys of one destination, derived so that two destinations, or two epochs, cannot be joined.

From the secret of a site (``token.key``) come the key of its tokens and the key of its column
codes: HKDF-SHA256 (RFC 5869) over what the key is for. Names hold no ``|``, so two destinations
never share a key. A rule without an epoch keeps the key that it has had from the beginning.
"""

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from kumobashi.crypto.keys import TokenKey


def destination_key(
    secret: bytes, tenant: str, to_system: str, epoch: str | None = None
) -> TokenKey:
    """Return the token key for one receiving system, and one epoch if the rule names one."""
    if epoch is None:
        return TokenKey(_derived(secret, f"kumobashi token v1|{tenant}|{to_system}"))
    return TokenKey(_derived(secret, f"kumobashi token v2|{tenant}|{to_system}|{epoch}"))


def destination_pads(
    secret: bytes | None, tenant: str, to_system: str, epoch: str | None = None
) -> tuple[bytes, bytes] | None:
    """Return the pads that the release step makes tokens with; none where a site has no secret."""
    return destination_key(secret, tenant, to_system, epoch).hmac_pads() if secret else None


def column_key(secret: bytes, tenant: str, to_system: str, epoch: str) -> bytes:
    """Return the key of the column codes for one receiving system and epoch."""
    return _derived(secret, f"kumobashi columns v1|{tenant}|{to_system}|{epoch}")


def _derived(secret: bytes, info: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info.encode()).derive(secret)
