"""Compact JWS (RFC 7515) with EdDSA on Ed25519 (RFC 8037), and nothing else.

A token is three base64url texts with dots between. Its header holds ``alg`` (always ``EdDSA``),
``kid`` (the thumbprint of the key) and ``typ`` (what kind of document it is, so that a receipt can
never pass for a manifest). The key decides the algorithm, never the header; no key is taken from a
header; ``crit`` is refused, for we know no extension.

The text is parsed here because general libraries accept padding and unused bits; the signature
itself is checked by ``cryptography``. Tests compare with joserfc in both directions.

>>> from kumobashi.crypto.keys import SigningKey
>>> key = SigningKey.generate()
>>> token = sign(b'{"format":1}', key, "example+jws")
>>> verify(token, {key.kid: key.public}, "example+jws").payload
b'{"format":1}'
"""

from collections.abc import Mapping
from dataclasses import dataclass

from kumobashi.crypto import base64url
from kumobashi.crypto.canonical import canonical, read_json
from kumobashi.crypto.errors import NotCanonical, SignatureInvalid, UnknownKey
from kumobashi.crypto.keys import SigningKey, VerifyKey

ALGORITHM = "EdDSA"
LARGEST_TOKEN = 8 << 20  # bytes; a manifest of 50,000 parts is smaller
_LARGEST_HEADER = 2048
# Header members that would change how to verify or bring their own key (RFC 7515 4.1, RFC 7797).
_FORBIDDEN = frozenset({"crit", "b64", "zip", "enc", "jku", "jwk", "x5u", "x5c", "x5t", "x5t#S256"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A payload whose signature holds, and the key it holds for."""

    payload: bytes
    kid: str


def sign(payload: bytes, key: SigningKey, typ: str) -> str:
    """Return ``payload`` signed with ``key``; the same input gives the same token."""
    header = canonical({"alg": ALGORITHM, "kid": key.kid, "typ": typ})
    signed = f"{base64url.encode(header)}.{base64url.encode(payload)}"
    return f"{signed}.{base64url.encode(key.sign(signed.encode('ascii')))}"


def verify(
    token: str, keys: Mapping[str, VerifyKey], typ: str, *, limit: int = LARGEST_TOKEN
) -> Signed:
    """Return the payload if one of ``keys`` (by ``kid``) signed it as a ``typ``.

    Pass only the keys of those who may sign such a document: the signature says which key, and
    ``keys`` says whose.

    Raises:
        SignatureInvalid: too large, malformed, of another type or algorithm, or altered.
        UnknownKey: signed by a key that is not in ``keys``.
    """
    if len(token) > limit:
        raise SignatureInvalid(reason="larger than allowed")
    header, payload, signature, signed = _parse(token)
    if header.get("alg") != ALGORITHM:
        raise SignatureInvalid(reason="an algorithm that is not allowed")
    if header.get("typ") != typ:
        raise SignatureInvalid(reason="another type of document")
    kid = header.get("kid")
    if not isinstance(kid, str):
        raise SignatureInvalid(reason="kid is missing")
    key = keys.get(kid)
    if key is None or key.kid != kid:
        raise UnknownKey(kid=kid[:64])
    if not key.verifies(signature, signed):
        raise SignatureInvalid(reason="the signature does not fit")
    return Signed(payload=payload, kid=kid)


def kept_payload(token: str) -> bytes:
    """Return the payload of a token that this site verified, or made, before it kept it.

    Keys are exchanged; what was good under an older one stays good. Not for what a peer sends.

    Raises:
        SignatureInvalid: malformed.
    """
    return _parse(token)[1]


def _parse(token: str) -> tuple[dict[str, object], bytes, bytes, bytes]:
    """Return header, payload, signature and the bytes that were signed."""
    segments = token.split(".", 3)
    if len(segments) != 3 or not token.isascii():  # noqa: PLR2004 - header, payload, signature
        raise SignatureInvalid(reason="not three segments")
    if len(segments[0]) > _LARGEST_HEADER:
        raise SignatureInvalid(reason="a header larger than allowed")
    try:
        head, payload, signature = (base64url.decode(segment) for segment in segments)
        header = read_json(head)
    except ValueError as problem:
        raise SignatureInvalid(reason=str(problem)) from None
    except NotCanonical as problem:
        raise SignatureInvalid(reason=f"header: {problem.reason}") from None
    if not isinstance(header, dict):
        raise SignatureInvalid(reason="the header is no object")
    if _FORBIDDEN & header.keys():
        raise SignatureInvalid(reason="a header member that is not allowed")
    return header, payload, signature, token.rpartition(".")[0].encode("ascii")
