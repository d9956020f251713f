r"""Which characters a charset cannot hold, and the substitutes that were agreed for them.

cp932 changes some characters without an error (〜 comes back as ～), so every character is sent
there and back and compared. A base with a variation selector (IVS) counts as one character.

>>> names = pa.chunked_array([["\U00020bb7田", "吉田", "辻\U000e0100", "髙橋"]])
>>> for loss in losses(names, "cp932", {"\U00020bb7": "吉"}):
...     print(loss.code_point, loss.rows, loss.candidates, loss.substitute)
U+8FBB U+E0100 1 ('辻',) None
U+20BB7 1 ('吉',) 吉
>>> substitute(names, {"\U00020bb7": "吉"}).values.to_pylist()[0]
'吉田'
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

CODECS = {"utf-8": "utf-8", "utf-8-bom": "utf-8", "cp932": "cp932"}
# Python reads the bytes 80, A0 and FD to FF of cp932 as these; to Windows they are no characters.
STRAYS = "\x80\xa0\uf8f0\uf8f1\uf8f2\uf8f3"
_SELECTOR = "[\ufe00-\ufe0f\U000e0100-\U000e01ef]"  # standard and ideographic variation selectors
_SEQUENCE = re.compile(f"[^\n]{_SELECTOR}")
_SELECTORS = re.compile(_SELECTOR)
# Characters of names that are met often and have one plain form; others are for people to decide.
_PLAIN = {"\U00020bb7": "吉", "\U0002123d": "土", "\U0002363a": "橋"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CharacterLoss:
    """A character that does not survive, alone or with its variation selector."""

    text: str  # one character, or a base with its variation selector
    kind: Literal["missing", "changed"]  # changed: written without an error, read as another
    rows: int
    candidates: tuple[str, ...]
    substitute: str | None  # what was agreed; None: the row cannot be sent as it is

    @property
    def code_point(self) -> str:
        """Its code points, such as ``U+8FBB U+E0100``."""
        return code_points(self.text)

    @property
    def name(self) -> str:
        """Its name in Unicode."""
        return " + ".join(unicodedata.name(char, "?") for char in self.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Substituted:
    """A column with its substitutes, and how many rows they changed."""

    values: pa.ChunkedArray
    rows: int


def code_points(char: str) -> str:
    """Return the code points of a character.

    >>> code_points("吉")
    'U+5409'
    """
    return " ".join(f"U+{ord(part):04X}" for part in char)


@cache
def survives(char: str, charset: str) -> bool:
    """Whether a character comes back as itself.

    >>> survives("髙", "cp932"), survives("〜", "cp932"), survives("〜", "utf-8")
    (True, False, True)
    """
    codec = CODECS[charset]
    if codec == "cp932" and char in STRAYS:
        return False
    try:
        return char.encode(codec).decode(codec) == char
    except UnicodeError:
        return False


def first_stray(text: str) -> int | None:
    r"""Return where a text that was read as cp932 holds a byte that is no character.

    >>> first_stray(b"a\xfd".decode("cp932")), first_stray("髙")
    (1, None)
    """
    found = [place for stray in STRAYS if (place := text.find(stray)) >= 0]
    return min(found, default=None)


def losses(
    values: pa.ChunkedArray, charset: str, substitutes: Mapping[str, str]
) -> list[CharacterLoss]:
    """Return what ``charset`` cannot hold of ``values``, the most frequent first."""
    counted = pc.value_counts(values.drop_null())
    distinct, rows = counted.field("values"), counted.field("counts")
    found = [
        CharacterLoss(
            text=char,
            kind="changed" if _is_changed(char, charset) else "missing",
            rows=pc.sum(rows.filter(_has(distinct, char))).as_py() or 0,
            candidates=_candidates(char, charset, substitutes),
            substitute=substitutes.get(char),
        )
        for char in _lost(distinct, charset)
    ]
    return sorted(found, key=lambda loss: (-loss.rows, loss.text))


def substitute(values: pa.ChunkedArray, substitutes: Mapping[str, str]) -> Substituted:
    """Replace what was agreed; a sequence goes before its base."""
    changed = values
    for char in sorted(substitutes, key=len, reverse=True):
        changed = pc.replace_substring(changed, pattern=char, replacement=substitutes[char])
    rows = pc.sum(pc.not_equal(values, changed)).as_py() or 0
    return Substituted(values=changed, rows=rows)


def unfit(values: pa.ChunkedArray, charset: str) -> pa.ChunkedArray:
    """Return for each row whether it holds something that ``charset`` cannot; null is fit."""
    mask = pc.and_(pc.is_null(values), pa.scalar(value=False))
    for char in _lost(pc.unique(values.drop_null()), charset):
        mask = pc.or_(mask, pc.fill_null(_has(values, char), fill_value=False))
    return mask


def _lost(distinct: pa.Array, charset: str) -> list[str]:
    """Return the characters and sequences of some texts that do not survive."""
    if CODECS[charset] == "utf-8" or len(distinct) == 0:
        return []
    text: str = pc.binary_join(_as_one_list(distinct), "\n")[0].as_py()
    used = set(text) - {"\n"}
    sequences = Counter(_SEQUENCE.findall(text)) if any(map(_SELECTORS.match, used)) else Counter()
    alone = {char for char in used if not _SELECTORS.match(char) and not survives(char, charset)}
    # A base that is only ever part of a sequence is reported with it, not for itself.
    alone = {char for char in alone if text.count(char) > _within(char, sequences)}
    orphans = {
        char
        for char in used
        if _SELECTORS.match(char) and text.count(char) > _within(char, sequences)
    }
    return sorted({*sequences, *alone, *orphans})


def _within(char: str, sequences: Mapping[str, int]) -> int:
    return sum(count for sequence, count in sequences.items() if char in sequence)


def _as_one_list(texts: pa.Array) -> pa.ListArray:
    return pa.ListArray.from_arrays([0, len(texts)], texts.cast(pa.string()))


def _has(values: pa.Array | pa.ChunkedArray, char: str) -> pa.Array | pa.ChunkedArray:
    """Whether each text holds ``char`` for itself, not as the base of a sequence."""
    if len(char) > 1:
        return pc.match_substring(values, pattern=char)
    if _SELECTORS.match(char):
        pattern = f"(?:^|{_SELECTOR}){char}"  # behind nothing that it could select from
    else:
        pattern = f"{re.escape(char)}(?:[^{_SELECTOR[1:-1]}]|$)"
    return pc.match_substring_regex(values, pattern=pattern)


def _is_changed(char: str, charset: str) -> bool:
    try:
        char.encode(CODECS[charset])
    except UnicodeError:
        return False
    return True


def _candidates(char: str, charset: str, substitutes: Mapping[str, str]) -> tuple[str, ...]:
    """Return what might stand in: the agreed one, the base, the compatible or the plain form."""
    codec = CODECS[charset]
    base = _SELECTORS.sub("", char)
    offered = [substitutes.get(char), base, substitutes.get(base), _PLAIN.get(base)]
    if _is_changed(char, charset):
        offered.append(char.encode(codec).decode(codec))
    offered.append(unicodedata.normalize("NFKC", char))
    return tuple(
        dict.fromkeys(
            text
            for text in offered
            if text and text != char and all(survives(part, charset) for part in text)
        )
    )
