"""The key of one destination's tokens, derived so that two destinations cannot be joined."""

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from kumobashi.crypto.keys import TokenKey


def destination_key(secret: bytes, tenant: str, to_system: str) -> TokenKey:
    """Return the token key for one receiving system: HKDF-SHA256 (RFC 5869)."""
    info = f"kumobashi token v1|{tenant}|{to_system}".encode()
    return TokenKey(HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(secret))


def destination_pads(
    secret: bytes | None, tenant: str, to_system: str
) -> tuple[bytes, bytes] | None:
    """Return the pads that the release step makes tokens with; none where a site has no secret."""
    return destination_key(secret, tenant, to_system).hmac_pads() if secret else None
