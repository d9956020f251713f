"""Signed statements, read and verified without the code that made them.

A receipt is a compact JWS with EdDSA over canonical JSON (``docs/protocol.md``). Here the signature
is checked with the ``cryptography`` package alone.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from kumobashi.testing.faults.tables import Store

_TYP = "kumobashi-receipt+jws"
_RECEIPTS = "select transfer, attempt, side, number, stage, jws from receipts order by number"


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One receipt, and where it was found."""

    found: str  # whose store, or which wire log
    side: str  # "out" at the sender, "in" elsewhere, "wire" on the line
    transfer: str
    attempt: int
    stage: str
    site: str
    code: str | None
    digest: str  # of its canonical bytes
    previous: str | None
    is_genuine: bool


def read_statement(jws: str, keys: Mapping[str, str], *, found: str, side: str) -> Statement | None:
    """Return what a token says, and whether its signer's key made it; none when unreadable.

    ``keys`` is the public ``x`` (base64url) by ``kid``, of all sites that may sign receipts.
    """
    try:
        header_text, body_text, signature_text = jws.split(".")
        header, body = json.loads(_bytes(header_text)), _bytes(body_text)
        said = json.loads(body)
        if header.get("typ") != _TYP:
            return None
        return Statement(
            found=found,
            side=side,
            transfer=str(said["transfer"]),
            attempt=int(said["attempt"]),
            stage=str(said["stage"]),
            site=str(said["site"]),
            code=said["code"],
            digest=f"sha256:{hashlib.sha256(body).hexdigest()}",
            previous=said["previous"],
            is_genuine=_is_genuine(jws, header, keys, _bytes(signature_text)),
        )
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
        return None


def kept_statements(store: Store, keys: Mapping[str, str], *, found: str) -> list[Statement]:
    """Return the receipts in a gateway's state; one that cannot be read counts as forged."""
    kept = []
    for transfer, attempt, side, _number, stage, jws in store.ask(_RECEIPTS):
        statement = read_statement(str(jws), keys, found=found, side=str(side))
        kept.append(
            statement
            or Statement(
                found=found,
                side=str(side),
                transfer=str(transfer),
                attempt=int(attempt),
                stage=str(stage),
                site="",
                code=None,
                digest="",
                previous=None,
                is_genuine=False,
            )
        )
    return kept


def heard_statements(
    tokens: Iterable[str], keys: Mapping[str, str], *, found: str
) -> list[Statement]:
    """Return the genuine receipts that passed a line; damaged ones are the line's doing."""
    read = (read_statement(token, keys, found=found, side="wire") for token in tokens)
    return [statement for statement in read if statement is not None and statement.is_genuine]


def _is_genuine(
    jws: str, header: Mapping[str, object], keys: Mapping[str, str], signature: bytes
) -> bool:
    x = keys.get(str(header.get("kid")))
    if x is None or header.get("alg") != "EdDSA":
        return False
    return _verified(x, jws.rpartition(".")[0], signature)


@lru_cache(maxsize=65_536)  # a receipt lies in several stores
def _verified(x: str, signed: str, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(_bytes(x)).verify(signature, signed.encode("ascii"))
    except InvalidSignature:
        return False
    return True


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
