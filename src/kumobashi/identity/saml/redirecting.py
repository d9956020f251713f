"""Messages that travel in an address: deflated, signed with the whole query (SAML Bindings, 3.4).

The signature is over the query as it was sent, letter by letter, so nothing is decoded before it
has been checked.
"""

import base64
import binascii
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote_plus, unquote_plus, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.x509 import Certificate

from kumobashi.identity.errors import ProviderUnfit
from kumobashi.identity.saml.keys import OwnKey

REQUEST: Final = "SAMLRequest"
RESPONSE: Final = "SAMLResponse"
_RELAY: Final = "RelayState"
_ALGORITHM: Final = "SigAlg"
_SIGNATURE: Final = "Signature"
_OURS: Final = frozenset({REQUEST, RESPONSE, _RELAY, _ALGORITHM, _SIGNATURE})
_LONGEST: Final = 8_000  # of a query
_LARGEST: Final = 64 * 1024  # bytes of a message
_LONGEST_RELAY: Final = 80  # SAML Bindings, 3.4.3
_MORE: Final = "http://www.w3.org/2001/04/xmldsig-more#"
_HASHES: Final[dict[str, hashes.HashAlgorithm]] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """A message out of an address that a provider signed."""

    is_request: bool
    message: bytes
    relay: str | None


def signed_address(
    address: str, kind: str, message: bytes, key: OwnKey, *, relay: str | None
) -> str:
    """Return ``address`` with a message of ours."""
    packed = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    said = [f"{kind}={_encoded(packed.compress(message) + packed.flush())}"]
    if relay is not None:
        said.append(f"{_RELAY}={quote_plus(relay)}")
    said.append(f"{_ALGORITHM}={quote_plus(key.algorithm)}")
    query = "&".join(said)
    joint = "&" if urlsplit(address).query else "?"
    return f"{address}{joint}{query}&{_SIGNATURE}={_encoded(key.sign(query.encode()))}"


def read_redirect(query: str, *, certificates: Sequence[Certificate], provider: str) -> Carried:
    """Return the message that one of ``certificates`` signed.

    Raises:
        ProviderUnfit: nobody known has signed it, or it is not as it may be.
    """

    def unfit(check: str) -> ProviderUnfit:
        return ProviderUnfit(provider=provider, check=check)

    if len(query) > _LONGEST or not query.isascii():
        raise unfit("size")
    raw: dict[str, str] = {}
    for piece in query.split("&"):
        name, _, value = piece.partition("=")
        if name in _OURS:
            if name in raw:
                raise unfit("query")
            raw[name] = value
    kinds = [kind for kind in (REQUEST, RESPONSE) if kind in raw]
    if len(kinds) != 1 or _ALGORITHM not in raw or _SIGNATURE not in raw:
        raise unfit("signature")
    names = [kinds[0], *([_RELAY] if _RELAY in raw else []), _ALGORITHM]
    signed = "&".join(f"{name}={raw[name]}" for name in names).encode()
    signature = _decoded(raw[_SIGNATURE])
    algorithm = unquote_plus(raw[_ALGORITHM])
    if signature is None or not any(
        _holds(one, algorithm, signature, signed) for one in certificates
    ):
        raise unfit("signature")
    message = _inflated(_decoded(raw[kinds[0]]))
    relay = unquote_plus(raw[_RELAY]) if _RELAY in raw else None
    if message is None or (relay is not None and len(relay.encode()) > _LONGEST_RELAY):
        raise unfit("size")
    return Carried(is_request=kinds[0] == REQUEST, message=message, relay=relay)


def _holds(certificate: Certificate, algorithm: str, signature: bytes, signed: bytes) -> bool:
    kind, _, digest = algorithm.removeprefix(_MORE).partition("-")
    hashed, key = _HASHES.get(digest), certificate.public_key()
    if not algorithm.startswith(_MORE) or hashed is None:
        return False
    try:
        if kind == "rsa" and isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, signed, PKCS1v15(), hashed)
        elif kind == "ecdsa" and isinstance(key, ec.EllipticCurvePublicKey):
            size = (key.curve.key_size + 7) // 8
            if len(signature) != 2 * size:
                return False
            pair = (
                int.from_bytes(signature[:size], "big"),
                int.from_bytes(signature[size:], "big"),
            )
            key.verify(encode_dss_signature(*pair), signed, ec.ECDSA(hashed))
        else:
            return False
    except InvalidSignature:
        return False
    return True


def _inflated(packed: bytes | None) -> bytes | None:
    if packed is None:
        return None
    reading = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
    try:
        message = reading.decompress(packed, _LARGEST)
    except zlib.error:
        return None
    return message if reading.eof and not reading.unused_data else None


def _encoded(value: bytes) -> str:
    return quote_plus(base64.b64encode(value).decode())


def _decoded(value: str) -> bytes | None:
    try:
        return base64.b64decode("".join(unquote_plus(value).split()), validate=True)
    except (binascii.Error, ValueError):
        return None
