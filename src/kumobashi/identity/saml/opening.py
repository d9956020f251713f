"""Open an assertion that was encrypted to a key of ours.

AES-GCM under RSA-OAEP, and nothing older: CBC and PKCS#1 v1.5 tell whoever asks often enough what
was in them. Whatever fails is one and the same refusal.
"""

import base64
import binascii
from collections.abc import Sequence
from typing import Final, TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from lxml import etree

from kumobashi.identity.errors import ProviderUnfit
from kumobashi.identity.saml.keys import OwnKey

_ENC: Final = "http://www.w3.org/2001/04/xmlenc#"
_ENC11: Final = "http://www.w3.org/2009/xmlenc11#"
_DS: Final = "http://www.w3.org/2000/09/xmldsig#"
_KEY_BYTES: Final = {
    f"{_ENC11}aes256-gcm": 32,
    f"{_ENC11}aes192-gcm": 24,
    f"{_ENC11}aes128-gcm": 16,
}
_OAEP: Final = f"{_ENC}rsa-oaep-mgf1p"
_OAEP11: Final = f"{_ENC11}rsa-oaep"
OFFERED: Final = (*_KEY_BYTES, _OAEP, _OAEP11)
"""What our metadata say that we open."""
# OAEP does not rest on what is broken in SHA-1, and its oldest form knows no other.
_DIGESTS: Final[dict[str | None, hashes.HashAlgorithm]] = {
    None: hashes.SHA1(),  # noqa: S303
    f"{_DS}sha1": hashes.SHA1(),  # noqa: S303
    f"{_ENC}sha256": hashes.SHA256(),
    f"{_ENC}sha512": hashes.SHA512(),
}
_MASKS: Final[dict[str | None, hashes.HashAlgorithm]] = {
    None: hashes.SHA1(),  # noqa: S303
    f"{_ENC11}mgf1sha1": hashes.SHA1(),  # noqa: S303
    f"{_ENC11}mgf1sha256": hashes.SHA256(),
    f"{_ENC11}mgf1sha512": hashes.SHA512(),
}
_NONCE: Final = 12  # bytes
_T = TypeVar("_T")


def opened(encrypted: etree._Element, keys: Sequence[OwnKey], *, provider: str) -> bytes:
    """Return what is in an ``EncryptedAssertion``.

    Raises:
        ProviderUnfit: it is not for us, was changed, or is encrypted in another way.
    """
    try:
        data = _only(encrypted.findall(f"{{{_ENC}}}EncryptedData"))
        wrapped = _only(list(encrypted.iter(f"{{{_ENC}}}EncryptedKey")))
        size = _KEY_BYTES[_only(data.findall(f"{{{_ENC}}}EncryptionMethod")).get("Algorithm") or ""]
        secret, padding = _cipher(wrapped), _padding(wrapped)
        sealed = _cipher(data)
        for one in keys:
            if (key := _unwrapped(one, secret, padding)) is not None and len(key) == size:
                return AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], None)
    except (ValueError, LookupError, InvalidTag):
        pass
    raise ProviderUnfit(provider=provider, check="encrypted")


def _padding(wrapped: etree._Element) -> OAEP:
    method = _only(wrapped.findall(f"{{{_ENC}}}EncryptionMethod"))
    digests = [one.get("Algorithm") for one in method.findall(f"{{{_DS}}}DigestMethod")]
    masks = [one.get("Algorithm") for one in method.findall(f"{{{_ENC11}}}MGF")]
    is_old = method.get("Algorithm") == _OAEP
    if method.get("Algorithm") not in {_OAEP, _OAEP11} or (is_old and masks):
        raise ValueError
    if method.find(f"{{{_ENC}}}OAEPparams") is not None:
        raise ValueError
    digest = _DIGESTS[_only(digests or [None])]
    return OAEP(mgf=MGF1(_MASKS[_only(masks or [None])]), algorithm=digest, label=None)


def _unwrapped(key: OwnKey, secret: bytes, padding: OAEP) -> bytes | None:
    if not isinstance(key.key, rsa.RSAPrivateKey):
        return None
    try:
        return key.key.decrypt(secret, padding)
    except ValueError:
        return None


def _cipher(parent: etree._Element) -> bytes:
    held = _only(parent.findall(f"{{{_ENC}}}CipherData/{{{_ENC}}}CipherValue"))
    try:
        return base64.b64decode("".join((held.text or "").split()), validate=True)
    except binascii.Error:
        raise ValueError from None


def _only(found: Sequence[_T]) -> _T:
    if len(found) != 1:
        raise ValueError
    return found[0]
