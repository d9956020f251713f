"""One form of JSON for one value (RFC 8785), strict reading, and digests.

>>> canonical({"b": 1, "a": "雲橋"}).decode()
'{"a":"雲橋","b":1}'
>>> read_json(b'{"a":1}')
{'a': 1}
>>> digest(b"")
'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
"""

import json
from hashlib import sha256
from typing import BinaryIO, Never

import rfc8785

from kumobashi.crypto.errors import NotCanonical

_BLOCK = 1 << 20  # bytes read at a time
_EXACT = 1 << 53  # integers beyond it are not the same in every JSON reader (RFC 8785, 3.2.2.3)
_PLAIN = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def canonical(value: object) -> bytes:
    """Return the canonical bytes of a JSON value; they are what gets signed and compared.

    Raises:
        NotCanonical: the value holds something JSON has no single form for.
    """
    try:
        if _is_plain(value):
            return _PLAIN.encode(value).encode()
        return rfc8785.dumps(value)  # type: ignore[arg-type]  # it checks the types itself
    except (rfc8785.CanonicalizationError, RecursionError, UnicodeEncodeError) as problem:
        raise NotCanonical(reason=type(problem).__name__) from None


def _is_plain(value: object) -> bool:
    """Whether sorting the names is all that RFC 8785 asks for: no fractions, names in ASCII.

    Nearly all that is signed or put into the log is; ``json`` writes it in a tenth of the time.
    """
    kind = type(value)
    if kind is dict:
        for name, inside in value.items():  # type: ignore[attr-defined]
            if type(name) is not str or not name.isascii() or not _is_plain(inside):
                return False
        return True
    if kind is list or kind is tuple:
        return all(map(_is_plain, value))  # type: ignore[call-overload]
    if kind is int:
        return -_EXACT < value < _EXACT  # type: ignore[operator]
    return kind is str or kind is bool or value is None


def digest(data: bytes | BinaryIO) -> str:
    """Return ``sha256:`` and 64 hexadecimal digits, for bytes or for the rest of a stream."""
    if isinstance(data, bytes | bytearray | memoryview):
        return f"sha256:{sha256(data).hexdigest()}"
    state = sha256()
    while block := data.read(_BLOCK):
        state.update(block)
    return f"sha256:{state.hexdigest()}"


def read_json(data: bytes, *, limit: int = 8 << 20) -> object:
    """Read JSON strictly: UTF-8, no name twice, no numbers that readers understand differently.

    Raises:
        NotCanonical: larger than ``limit`` bytes, or not such JSON. No value is quoted.
    """
    if len(data) > limit:
        raise NotCanonical(reason=f"larger than {limit} bytes")
    try:
        return json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_members,
            parse_int=_integer,
            parse_constant=_constant,
        )
    except UnicodeDecodeError:
        raise NotCanonical(reason="not UTF-8") from None
    except json.JSONDecodeError as problem:
        raise NotCanonical(reason=f"not JSON at character {problem.pos}") from None
    except RecursionError:
        raise NotCanonical(reason="nested too deeply") from None


def read_canonical(data: bytes, *, limit: int = 8 << 20) -> object:
    """Read JSON that must already be in its canonical form, byte for byte."""
    value = read_json(data, limit=limit)
    if canonical(value) != data:
        raise NotCanonical(reason="not in the form of RFC 8785")
    return value


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise NotCanonical(reason="a name appears twice in one object")
    return members


def _integer(text: str) -> int:
    # The longest exact integer has 16 digits and a sign; longer text is not even converted.
    if len(text) > 17 or abs(int(text)) >= _EXACT:  # noqa: PLR2004 - explained above
        raise NotCanonical(reason="an integer beyond 2^53")
    return int(text)


def _constant(_: str) -> Never:
    raise NotCanonical(reason="a number that is none")
