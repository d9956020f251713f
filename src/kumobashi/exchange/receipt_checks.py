"""Compare the receipts that records name with those that are there, and check who signed them."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from kumobashi.crypto import jws
from kumobashi.crypto.errors import CryptoFailed
from kumobashi.directory.entries import Directory
from kumobashi.evidence.errors import ReceiptAltered, ReceiptMissing, Touched
from kumobashi.exchange.noting import receipt_digest
from kumobashi.messages.media_types import RECEIPT_TYP

MOST_SIGNATURES = 10_000  # of receipts that are checked one by one unless all are asked for
_NAMED = ("transfer", "attempt", "stage")
NextReceipt = Callable[[int, Mapping[str, Any]], str | None]


class Receipts:
    """Compares the receipts that records name with those that are there."""

    def __init__(
        self, directory: Directory, receipt_for: NextReceipt, *, every_signature: bool
    ) -> None:
        self._receipt_for = receipt_for
        self._every_signature = every_signature
        sites = directory.sites
        self._keys = {kid: key for site in sites.values() for kid, key in site.verify_keys.items()}
        self._owner = {kid: name for name, site in sites.items() for kid in site.verify_keys}
        self.count = 0
        self.checked = 0

    def __call__(self, number: int, body: bytes) -> Touched | None:
        """Check the receipt of one record."""
        said = read_fields(body)
        if "receipt" not in said:
            return None
        stage = str(said.get("stage"))
        token = self._receipt_for(number, said)
        if token is None:
            return ReceiptMissing(number=number, stage=stage)
        if not token.isascii() or receipt_digest(token) != said["receipt"]:
            return ReceiptAltered(number=number, stage=stage)
        self.count += 1
        if self._every_signature or self.count <= MOST_SIGNATURES:
            self.checked += 1
            if not self._holds(token, said):
                return ReceiptAltered(number=number, stage=stage)
        return None

    def _holds(self, token: str, said: Mapping[str, Any]) -> bool:
        try:
            signed = jws.verify(token, self._keys, RECEIPT_TYP)
        except CryptoFailed:
            return False
        receipt = read_fields(signed.payload)
        is_same = all(receipt.get(name) == said.get(name) for name in _NAMED)
        return is_same and receipt.get("site") == self._owner[signed.kid]


class InOrder:
    """Receipts of a file, which stand there in the order of the records that name them."""

    def __init__(self, receipts: Iterator[tuple[int, str]]) -> None:
        self._receipts = receipts
        self._next = next(receipts, None)

    def __call__(self, number: int, _said: Mapping[str, Any]) -> str | None:
        """Return the receipt of record ``number``."""
        while self._next is not None and self._next[0] < number:
            self._next = next(self._receipts, None)
        if self._next is None or self._next[0] != number:
            return None
        token = self._next[1]
        self._next = next(self._receipts, None)
        return token


def read_fields(body: bytes) -> Mapping[str, Any]:
    """Return what bytes say that a hash or a signature binds; nothing if they are no JSON."""
    try:
        said = json.loads(str(body, "utf-8"))  # saves guessing the encoding of each
    except (ValueError, RecursionError):
        said = None
    return said if isinstance(said, dict) else {}
