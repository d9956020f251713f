"""The fields that a log line may have, and what each of them may say.

>>> FIELDS["transfer"]("019ab0c2-7d53-7cc0-8a11-0c5f4f4f9f11", "kumobashi")
'019ab0c2-7d53-7cc0-8a11-0c5f4f4f9f11'
>>> FIELDS["transfer"]("山田太郎", "kumobashi"), FIELDS["parts"](3, "kumobashi")
('…', 3)
>>> argument_said(123456789012, "kumobashi")  # as long as an individual number
'…'
"""

import re
from collections.abc import Callable, Mapping
from enum import Enum
from types import MappingProxyType
from typing import Final

from kumobashi.observe.names import LEFT_OUT, declared
from kumobashi.observe.wording import code_said, word_said

Said = Callable[[object, str], object]
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_HEX: Final = re.compile(r"[0-9a-f]{16}([0-9a-f]{16})?")
LARGEST: Final = 99_999_999
"""Eight digits: shorter than an individual number, a code of the register, a telephone number."""
_MOST_WORDS: Final = 4


def _name(value: object, _module: str) -> str:
    return declared.said(value)


def _id(value: object, _module: str) -> str:
    return value if isinstance(value, str) and _UUID.fullmatch(value) else LEFT_OUT


def _trace(value: object, _module: str) -> str:
    return value if isinstance(value, str) and _HEX.fullmatch(value) else LEFT_OUT


def _number(value: object, _module: str) -> object:
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float) and -LARGEST <= value <= LARGEST:
        return value if isinstance(value, int) else round(float(value), 3)
    return LEFT_OUT


def _words(value: object, module: str) -> str:
    """Return words of our own code and declared names, however they are joined by spaces."""
    if isinstance(value, Enum):
        value = value.value
    if not isinstance(value, str) or value.count(" ") >= _MOST_WORDS:
        return LEFT_OUT
    said = [one if one in declared else word_said(one, module) for one in value.split(" ")]
    return " ".join(said)


FIELDS: Final[Mapping[str, Said]] = MappingProxyType(
    {
        "transfer": _id,
        "call": _id,
        "agreement": _id,
        "link": _name,
        "site": _name,
        "from": _name,
        "to": _name,
        "system": _name,
        "code": code_said,
        "kind": code_said,
        "reason": _words,
        "state": _words,
        "stage": _words,
        "lane": _words,
        "attempt": _number,
        "parts": _number,
        "files": _number,
        "ties": _number,
        "epoch": _number,
        "lost": _number,
        "trace": _trace,
        "span": _trace,
    }
)
"""In the order in which they stand in a line."""


def argument_said(value: object, module: str) -> object:
    """Return what an argument of a message may say: a number, a code, a declared name, an id."""
    if value is None or isinstance(value, int | float):
        return value if value is None else _number(value, module)
    if isinstance(value, Enum):
        return _words(value, module)
    if isinstance(value, str):
        if value in declared or _UUID.fullmatch(value):
            return value
        return code_said(value, module)
    return LEFT_OUT
