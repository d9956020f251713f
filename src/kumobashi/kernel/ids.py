"""Identifiers: UUIDv7 as text, and the municipality code with its check digit.

>>> MunicipalityCode.parse("999997").text
'999997'
>>> new_id() < new_id()
True
"""

import os
import threading
import time
import uuid
from dataclasses import dataclass
from typing import Self

from kumobashi.kernel.errors import KumobashiError

_lock = threading.Lock()
_last = 0


def new_id() -> str:
    """Return a new UUIDv7 as text; ids made in one process sort in the order they were made."""
    global _last  # noqa: PLW0603 - one counter per process is what makes the order strict
    with _lock:
        # RFC 9562, 5.7 with method 3: 12 bits of sub-millisecond time behind the milliseconds.
        now = max(time.time_ns() * 4096 // 1_000_000, _last + 1)
        _last = now
    millis, fraction = divmod(now, 4096)
    value = (millis & (1 << 48) - 1) << 80 | 7 << 76 | fraction << 64
    value |= 2 << 62 | int.from_bytes(os.urandom(8)) >> 2
    return str(uuid.UUID(int=value))


class NotAMunicipality(KumobashiError):
    """The text is no six-digit code of a municipality."""

    code = "kernel.not_a_municipality"
    ja = "団体コード「{text}」は正しくありません。"
    en = "{text!r} is not a municipality code."
    remedy_ja = "検査数字を含む6桁で書いてください。例: 999997"
    remedy_en = "Write six digits with the check digit, for example 999997."


@dataclass(frozen=True, slots=True)
class MunicipalityCode:
    """全国地方公共団体コード: five digits and a check digit (JIS X 0402)."""

    text: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the code, or raise :class:`NotAMunicipality`."""
        if len(text) != 6 or not (text.isascii() and text.isdigit()):  # noqa: PLR2004 - six digits
            raise NotAMunicipality(text=text)
        if int(text[5]) != check_digit(text[:5]):
            raise NotAMunicipality(text=text)
        return cls(text)


def check_digit(five: str) -> int:
    """Return the check digit behind the first five digits.

    >>> check_digit("99999"), check_digit("99998"), check_digit("12100")
    (7, 9, 2)
    """
    weighed = sum(weight * int(digit) for weight, digit in zip((6, 5, 4, 3, 2), five, strict=True))
    return (11 - weighed % 11) % 10


def is_fictional(code: str) -> bool:
    """Whether a municipality's code is one of those that nobody has (架空).

    >>> is_fictional("999997"), is_fictional("121002")
    (True, False)
    """
    return code.startswith("9999")
