"""The record of a test: what was tried, what came of it, and both gateways' signatures under it.

The answering gateway signs only what it saw itself: every call that the record names is in its
journal, under the digest that the record gives, and the plan is its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from kumobashi.calls.interconnection.errors import RecordUnfit
from kumobashi.crypto import jws
from kumobashi.crypto.canonical import canonical, digest, read_json
from kumobashi.crypto.errors import CryptoFailed
from kumobashi.crypto.keys import SigningKey, VerifyKey
from kumobashi.directory.entries import Directory
from kumobashi.directory.errors import DirectoryFailed

TYPE: Final = "kumobashi-link-test+jws"
FORMAT: Final = 1
_SIDES: Final = ("asking", "answering")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signatures:
    """Who has signed a record."""

    asking: str | None
    answering: str | None

    @property
    def is_by_both(self) -> bool:
        """Whether both sides stand by it."""
        return self.asking is not None and self.answering is not None


def sign(record: Mapping[str, Any], key: SigningKey) -> str:
    """Return a gateway's signature under a record; it holds the record's digest only."""
    return jws.sign(_payload(record), key, TYPE)


def signed_by(record: Mapping[str, Any], token: str, keys: Mapping[str, VerifyKey]) -> None:
    """Check a signature under a record.

    Raises:
        RecordUnfit: it is none of these keys', or under another record.
    """
    try:
        found = jws.verify(token, keys, TYPE)
    except CryptoFailed as error:
        raise RecordUnfit(reason=error.code) from None
    if found.payload != _payload(record):
        raise RecordUnfit(reason="another record")


def verify(kept: Mapping[str, Any], directory: Directory) -> Signatures:
    """Return which sites have signed a record that was kept; any signature there must hold.

    Raises:
        RecordUnfit: it is no such record, was changed, or a signature does not hold.
    """
    record, tokens = kept.get("record"), kept.get("signatures")
    if not isinstance(record, dict) or not isinstance(tokens, dict):
        raise RecordUnfit(reason="no record of a test")
    if record.get("format") != FORMAT or set(tokens) - set(_SIDES):
        raise RecordUnfit(reason="format")
    for side in _SIDES:
        if side in tokens:
            try:
                keys = directory.keys_of(str(record.get(f"{side}_site")))
            except DirectoryFailed as error:
                raise RecordUnfit(reason=error.code) from None
            signed_by(record, str(tokens[side]), keys)
    return Signatures(asking=tokens.get("asking"), answering=tokens.get("answering"))


def read(file: Path) -> dict[str, Any]:
    """Return what a file of a record holds; raise ``RecordUnfit``."""
    try:
        found = read_json(file.read_bytes())
    except OSError:
        raise RecordUnfit(reason="no such file") from None
    except (CryptoFailed, ValueError):
        raise RecordUnfit(reason="not JSON") from None
    if not isinstance(found, dict):
        raise RecordUnfit(reason="not JSON")
    return found


def _payload(record: Mapping[str, Any]) -> bytes:
    return canonical({"record": digest(canonical(record)), "test": str(record.get("test"))})
