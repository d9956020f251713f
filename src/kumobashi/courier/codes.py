"""The confirmation code: what a receiver reads out where nothing can travel back.

Sixteen characters, typed by the sender's clerk:

    S HHHHHH MMMMMMMM C      stage, 30 bits of the receipt's digest, 40 bits of a MAC, a check

The MAC is HMAC-SHA256 under a key that came to the receiver inside the sealed medium, so only the
sending and the receiving site can make it; it covers tenant, transfer, attempt, manifest, stage and
the bits of the receipt. The check is a sum in GF(32) that finds every single slip and every swap of
two characters. How strong that is stands in ``docs/decisions/0030``.

>>> spoken = Spoken(tenant="999997", transfer="t", attempt=1, manifest_digest="sha256:0")
>>> code = code_of(bytes(32), spoken, Stage.APPLIED, "sha256:" + "ab" * 32)
>>> code
'0NEN-TQAD-97VP-JP03'
>>> read_code(code.lower().replace("-", " "), bytes(32), spoken).stage.value
'applied'
"""

import hashlib
import hmac
from dataclasses import dataclass
from typing import Final

from kumobashi.courier.errors import CodeMistyped
from kumobashi.crypto.canonical import canonical
from kumobashi.messages.receipts import Stage

LETTERS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: no I, L, O, U
LENGTH: Final = 16
_ALIKE: Final = str.maketrans("OIL", "011")
_STAGES: Final = (Stage.APPLIED, Stage.REFUSED)
_HASH_BITS: Final = 30
_MAC_BITS: Final = 40
_GENERATOR: Final = 0b100101  # x⁵ + x² + 1, primitive over GF(2)
_DOMAIN: Final = b"kumobashi-courier-confirmation-1\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """What a code speaks of."""

    tenant: str
    transfer: str
    attempt: int
    manifest_digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmed:
    """What a good code says: the last stage, and how the receipt's digest begins."""

    stage: Stage
    receipt_bits: int

    def fits(self, receipt_digest: str) -> bool:
        """Whether a receipt is the one that the code spoke of."""
        return _bits_of(receipt_digest) == self.receipt_bits

    @property
    def receipt_begins(self) -> str:
        """The first hexadecimal digits of the receipt's digest, 28 bits of the 30."""
        return f"{self.receipt_bits >> 2:07x}"


def code_of(secret: bytes, spoken: Spoken, stage: Stage, receipt_digest: str) -> str:
    """Return the code for the last receipt, in four groups of four.

    Raises:
        ValueError: ``stage`` is not one that a transfer ends with.
    """
    if stage not in _STAGES:
        raise ValueError(f"no transfer ends {stage.value}")
    bits = _bits_of(receipt_digest)
    number = _STAGES.index(stage)
    number = number << _HASH_BITS | bits
    number = number << _MAC_BITS | _mac(secret, spoken, stage, bits)
    symbols = [(number >> 5 * place) & 31 for place in reversed(range(LENGTH - 1))]
    text = "".join(LETTERS[symbol] for symbol in [*symbols, _check(symbols)])
    return "-".join(text[at : at + 4] for at in range(0, LENGTH, 4))


def read_code(typed: str, secret: bytes, spoken: Spoken) -> Confirmed | None:
    """Return what a typed code confirms, or nothing if its MAC is not of this transfer.

    Raises:
        CodeMistyped: the check character does not fit, so it never was a code.
    """
    symbols = parse(typed)
    number = 0
    for symbol in symbols[:-1]:
        number = number << 5 | symbol
    mac = number & ((1 << _MAC_BITS) - 1)
    bits = number >> _MAC_BITS & ((1 << _HASH_BITS) - 1)
    kind = number >> _MAC_BITS + _HASH_BITS
    if kind >= len(_STAGES):
        return None
    stage = _STAGES[kind]
    size = _MAC_BITS // 8
    wanted = _mac(secret, spoken, stage, bits).to_bytes(size, "big")
    if not hmac.compare_digest(wanted, mac.to_bytes(size, "big")):
        return None
    return Confirmed(stage=stage, receipt_bits=bits)


def parse(typed: str) -> list[int]:
    """Return the symbols of a typed code; spaces, hyphens and case do not count.

    Raises:
        CodeMistyped: another length, a character that no code has, or a wrong check character.
    """
    text = "".join(letter for letter in typed.upper() if letter not in " -\t\u3000ー－")
    text = text.translate(_ALIKE)
    symbols = [LETTERS.find(letter) for letter in text]
    if len(symbols) != LENGTH or -1 in symbols or _check(symbols[:-1]) != symbols[-1]:
        raise CodeMistyped
    return symbols


def _mac(secret: bytes, spoken: Spoken, stage: Stage, bits: int) -> int:
    said = canonical(
        {
            "tenant": spoken.tenant,
            "transfer": spoken.transfer,
            "attempt": spoken.attempt,
            "manifest_digest": spoken.manifest_digest,
            "stage": stage.value,
            "receipt_bits": bits,
        }
    )
    full = hmac.digest(secret, _DOMAIN + said, hashlib.sha256)
    return int.from_bytes(full[: _MAC_BITS // 8], "big")


def _bits_of(receipt_digest: str) -> int:
    return int(receipt_digest.removeprefix("sha256:")[:8], 16) >> 2


def _check(symbols: list[int]) -> int:
    """Return the sum over GF(32) of each symbol times a power of its own of the generator."""
    total = 0
    for symbol in symbols:  # Horner: the last symbol is multiplied once, the one before twice …
        total = _doubled(total ^ symbol)
    return total


def _doubled(value: int) -> int:
    value <<= 1
    return value ^ _GENERATOR if value & 32 else value
