"""Tokens that others make (JWS, JWE), read strictly: the key says what it may be used for.

What we make ourselves has one form each and its own reader (``jws``, ``jwe``). Tokens of others
come with many algorithms; joserfc does the cryptography, and this module decides before it what may
reach it. One compact form, base64url in its one spelling, no member twice, no ``crit``, no ``b64``,
no key or address of a key in the header. The caller names the algorithms; each belongs to a kind of
key (RFC 7518), and a key that says what it is for (``use``, ``key_ops``, ``alg``) is used for
nothing else. RSA has 2,048 to 8,192 bits, an exponent from 65,537 on, and not the primes of
CVE-2017-15361, an HMAC key the length of its hash. Of a set of keys all belong to others or all are
shared, and ``kid`` names one.

An ``alg`` of a key holds exactly. ``ES521``, which no registry has and old keys say, is ES512; a
key for ``dir`` may name its ``enc``.

>>> from joserfc import jws
>>> from joserfc.jwk import OctKey
>>> key = {"kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA", "use": "sig"}
>>> token = jws.serialize_compact({"alg": "HS256"}, b"said", OctKey.import_key(key))
>>> verify(token, key, algorithms={"HS256"})
b'said'
>>> verify(token, key, algorithms={"RS256"})
Traceback (most recent call last):
kumobashi.crypto.errors.TokenUnfit: crypto.token_unfit: The token cannot be believed: alg.
"""

from collections.abc import Collection, Mapping
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from joserfc import jwe, jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, OctKey, OKPKey, RSAKey

from kumobashi.crypto import base64url
from kumobashi.crypto.canonical import read_json
from kumobashi.crypto.errors import KeyUnfit, NotCanonical, TokenUnfit
from kumobashi.crypto.keys import VerifyKey
from kumobashi.crypto.weak_rsa import has_known_primes

Key = Mapping[str, Any]  # a JWK, or a set of them (RFC 7517)
_LARGEST: Final = 64 * 1024  # characters of a token
_LEAST_RSA_BITS, _MOST_RSA_BITS = 2048, 8192
_LEAST_RSA_EXPONENT: Final = 65_537
_SIGNED: Final = frozenset({"alg", "kid", "typ", "cty", "x5t", "x5t#S256"})
_SEALED: Final = _SIGNED | {"enc", "epk", "apu", "apv", "iv", "tag", "zip"}
_SCHEMES: Final = {"HS": "oct", "RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
_CURVES: Final = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
_HASH_BITS: Final = {"HS256": 256, "HS384": 384, "HS512": 512}
_WRAP_BITS: Final = {
    **{f"A{bits}KW": bits for bits in (128, 192, 256)},
    **{f"A{bits}GCMKW": bits for bits in (128, 192, 256)},
}
_NOT_READ: Final = (JoseError, InvalidTag, ValueError, TypeError, KeyError, AssertionError)
_OLD_NAMES: Final = {"ES521": "ES512"}
_OPS: Final = {"sig": {"verify", "sign"}, "enc": {"decrypt", "unwrapKey", "deriveKey", "deriveBits",
                                                "encrypt", "wrapKey"}}  # fmt: skip
SIGNING: Final = frozenset(
    {"HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", *_CURVES,
     "EdDSA"}
)  # fmt: skip
SEALING: Final = frozenset(
    {"dir", "RSA-OAEP", "RSA-OAEP-256", "ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A192KW",
     "ECDH-ES+A256KW", *_WRAP_BITS}
)  # fmt: skip
ENCRYPTIONS: Final = frozenset(
    {"A128GCM", "A192GCM", "A256GCM", "A128CBC-HS256", "A192CBC-HS384", "A256CBC-HS512"}
)


def verify(token: object, key: Key, *, algorithms: Collection[str]) -> bytes:
    """Return the payload of a compact JWS.

    Raises:
        TokenUnfit: of another form, or not signed by ``key`` with one of ``algorithms``.
        KeyUnfit: the key itself must not be used.
    """
    text, header = _header(token, 3, _SIGNED)
    algorithm = _chosen(header, "alg", algorithms, SIGNING)
    found = _key_for(header, key)
    _check_key(found, "sig", algorithm, algorithm)
    if algorithm == "EdDSA":  # joserfc warns of the name (RFC 9864); the key says Ed25519
        return _ed25519_payload(text, found)
    try:
        registry = jws.JWSRegistry(algorithms=[algorithm], strict_check_header=False)
        read = jws.deserialize_compact(text, _imported(found), registry=registry)
    except _NOT_READ:
        raise TokenUnfit(reason="signature") from None
    return read.payload


def decrypt(
    token: object,
    key: Key,
    *,
    algorithms: Collection[str],
    encryptions: Collection[str],
    may_be_compressed: bool = False,
) -> bytes:
    """Return what is in a compact JWE, at most 250 KiB where it is compressed.

    Raises:
        TokenUnfit: of another form, or not sealed to ``key`` with what is permitted.
        KeyUnfit: the key itself must not be used.
    """
    text, header = _header(token, 5, _SEALED)
    algorithm = _chosen(header, "alg", algorithms, SEALING)
    encryption = _chosen(header, "enc", encryptions, ENCRYPTIONS)
    if "zip" in header and not (may_be_compressed and header["zip"] == "DEF"):
        raise TokenUnfit(reason="zip")
    if "epk" in header and not _is_public(header["epk"]):
        raise TokenUnfit(reason="epk")
    found = _key_for(header, key)
    _check_key(found, "enc", algorithm, encryption if algorithm == "dir" else algorithm)
    try:
        registry = jwe.JWERegistry(
            algorithms=[algorithm, encryption, "DEF"], strict_check_header=False
        )
        read = jwe.decrypt_compact(text, _imported(found), registry=registry)
    except _NOT_READ:
        raise TokenUnfit(reason="decryption") from None
    return read.plaintext or b""


def _header(token: object, count: int, known: frozenset[str]) -> tuple[str, dict[str, Any]]:
    """Return a token and its header, every part in its one spelling."""
    if not isinstance(token, str) or len(token) > _LARGEST or token.count(".") != count - 1:
        raise TokenUnfit(reason="form")
    try:
        parts = [base64url.decode(part) for part in token.split(".")]
        header = read_json(parts[0])
    except (ValueError, NotCanonical):
        raise TokenUnfit(reason="form") from None
    if not isinstance(header, dict) or not header.keys() <= known:
        raise TokenUnfit(reason="header")
    return token, header


def _is_public(key: object) -> bool:
    """Whether the ephemeral key of a token is a point and nothing else."""
    if not isinstance(key, dict) or not key.keys() <= {"kty", "crv", "x", "y"}:
        return False
    try:
        return all(base64url.decode(str(key.get(name, ""))) or name == "y" for name in "xy")
    except ValueError:
        return False


def _chosen(
    header: Mapping[str, Any], name: str, permitted: Collection[str], known: frozenset[str]
) -> str:
    said = header.get(name)
    if not isinstance(said, str) or said not in known or said not in permitted:
        raise TokenUnfit(reason=name)
    return said


def _key_for(header: Mapping[str, Any], key: Key) -> Key:
    """Return the key that a token names, of a set the only one of that name."""
    keys = key.get("keys")
    if keys is None:
        if header.get("kid", key.get("kid")) != key.get("kid", header.get("kid")):
            raise TokenUnfit(reason="kid")
        return key
    if not isinstance(keys, list) or not all(isinstance(one, dict) for one in keys):
        raise KeyUnfit(reason="keys")
    is_shared = {one.get("kty") == "oct" for one in keys}
    names = [one.get("kid") for one in keys]
    if len(is_shared) != 1 or len(set(map(str, names))) != len(names):
        raise KeyUnfit(reason="keys")
    named: list[Key] = [one for one in keys if header.get("kid") in {None, one.get("kid")}]
    if len(named) != 1:
        raise TokenUnfit(reason="kid")
    return named[0]


def _check_key(key: Key, use: str, algorithm: str, named: str) -> None:
    """Raise unless the key may be used so; ``named`` is what its ``alg`` may say."""
    said, ops = key.get("use", use), key.get("key_ops")
    if said != use or (ops is not None and not (isinstance(ops, list) and _OPS[use] & set(ops))):
        raise TokenUnfit(reason="use")
    kind, curve, own = key.get("kty"), key.get("crv"), key.get("alg")
    if kind != _kind_of(algorithm, use, kind) or curve != _CURVES.get(algorithm, curve):
        raise TokenUnfit(reason="kty")
    if own is not None and _OLD_NAMES.get(own, own) not in {algorithm, named}:
        raise TokenUnfit(reason="alg")
    if kind == "RSA":
        _check_rsa(key)
    if kind == "oct":
        _check_shared(key, algorithm)


def _kind_of(algorithm: str, use: str, kind: object) -> object:
    """Return the kind of key that an algorithm needs."""
    if use == "sig":
        return _SCHEMES[algorithm[:2]]
    if algorithm.startswith("RSA"):
        return "RSA"
    if algorithm.startswith("ECDH"):
        return kind if kind in {"EC", "OKP"} else None
    return "oct"


def _check_rsa(key: Key) -> None:
    try:
        modulus = int.from_bytes(base64url.decode(str(key.get("n"))), "big")
        exponent = int.from_bytes(base64url.decode(str(key.get("e"))), "big")
    except ValueError:
        raise KeyUnfit(reason="n, e") from None
    is_usual = exponent >= _LEAST_RSA_EXPONENT and exponent % 2 == 1
    if not is_usual or not _LEAST_RSA_BITS <= modulus.bit_length() <= _MOST_RSA_BITS:
        raise KeyUnfit(reason="n, e")
    if has_known_primes(modulus):
        raise KeyUnfit(reason="n, CVE-2017-15361")


def _check_shared(key: Key, algorithm: str) -> None:
    try:
        bits = len(base64url.decode(str(key.get("k")))) * 8
    except ValueError:
        raise KeyUnfit(reason="k") from None
    if bits < _HASH_BITS.get(algorithm, 0) or bits != _WRAP_BITS.get(algorithm, bits):
        raise KeyUnfit(reason="k")


def _ed25519_payload(token: str, key: Key) -> bytes:
    verify_key = VerifyKey.from_jwk({name: key.get(name) for name in ("kty", "crv", "x")})
    signed, _, signature = token.rpartition(".")
    if not verify_key.verifies(base64url.decode(signature), signed.encode("ascii")):
        raise TokenUnfit(reason="signature")
    return base64url.decode(signed.partition(".")[2])


def _imported(key: Key) -> OctKey | RSAKey | ECKey | OKPKey:
    """Return a key without what was checked here; joserfc would read ``alg`` its own way."""
    plain = {name: value for name, value in key.items() if name not in {"alg", "use", "key_ops"}}
    return JWKRegistry.import_key(plain)
