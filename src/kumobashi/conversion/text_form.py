"""How a text file of rows is written: its charset and its delimiter, found by reading it whole.

Nothing is guessed from a name or from statistics. A charset fits when every byte of the file is a
character in it; a delimiter fits when it parts the first line into names that the layout knows.
"""

import codecs
import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kumobashi.conversion.charsets import first_stray
from kumobashi.conversion.errors import CharsetUnclear, FileEmpty, NulInFile

Charset = Literal["utf-8", "utf-8-bom", "utf-16", "cp932"]
DELIMITERS = (",", "\t", ";", "|")
_CODECS = {"utf-8": "utf-8", "utf-8-bom": "utf-8-sig", "utf-16": "utf-16", "cp932": "cp932"}
_BLOCK = 1 << 20
_LONGEST_HEADER = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class TextForm:
    """What a reader must know of a text file."""

    charset: Charset
    delimiter: str

    @property
    def codec(self) -> str:
        """Python's name of the charset; takes a byte order mark away."""
        return _CODECS[self.charset]


def form_of(
    path: Path, known: Callable[[list[str]], int], delimiter: str | None = None
) -> TextForm | None:
    """Return the form of a file; ``known`` counts how many names of a header it knows.

    A ``delimiter`` that somebody named is taken. ``None``: none gives a header with a known name.

    Raises:
        FileEmpty, NulInFile, CharsetUnclear
    """
    charset = charset_of(path)
    with path.open(encoding=_CODECS[charset], newline="") as lines:
        header = lines.readline(_LONGEST_HEADER)
    wished = (delimiter,) if delimiter else DELIMITERS
    scores = {one: known(next(csv.reader([header], delimiter=one), [])) for one in wished}
    best = max(wished, key=lambda one: scores[one])
    return TextForm(charset=charset, delimiter=best) if scores[best] else None


def charset_of(path: Path) -> Charset:
    """Return the charset that every byte of the file fits.

    Raises:
        FileEmpty, NulInFile, CharsetUnclear
    """
    with path.open("rb") as source:
        start = source.read(4)
    if not start:
        raise FileEmpty(file=path.name)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        if wrong := _first_wrong_line(path, "utf-16"):
            raise CharsetUnclear(file=path.name, line=wrong, charset="UTF-16")
        return "utf-16"
    if wrong := _line_of_nul(path):
        raise NulInFile(file=path.name, line=wrong)
    not_utf_8 = _first_wrong_line(path, "utf-8")
    if not not_utf_8:
        return "utf-8-bom" if start.startswith(codecs.BOM_UTF8) else "utf-8"
    not_cp932 = _first_wrong_line(path, "cp932")
    if not not_cp932:
        # Japanese in UTF-8 often passes as cp932, as other letters; the reverse hardly ever.
        if line := _line_in_utf_8(path):
            first, other = (not_utf_8, "UTF-8") if line < not_utf_8 else (line, "cp932")
            raise CharsetUnclear(file=path.name, line=first, charset=other)
        return "cp932"
    line, charset = max((not_utf_8, "UTF-8"), (not_cp932, "cp932"))
    raise CharsetUnclear(file=path.name, line=line, charset=charset)


def _first_wrong_line(path: Path, codec: str) -> int | None:
    """Return the line of the first byte that is no character in ``codec``."""
    decoder = codecs.getincrementaldecoder(codec)()
    line = 1
    with path.open("rb") as source:
        while block := source.read(_BLOCK):
            try:
                text = decoder.decode(block)
            except UnicodeDecodeError as error:
                return line + block.count(b"\n", 0, error.start)
            if codec == "cp932" and (stray := first_stray(text)) is not None:
                return line + text.count("\n", 0, stray)
            line += text.count("\n")
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return line
    return None


def _line_in_utf_8(path: Path) -> int | None:
    """Return the first line that is Japanese in UTF-8."""
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.isascii() and any(char >= "\u3000" for char in _utf_8(line)):
                return number
    return None


def _utf_8(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return ""


def _line_of_nul(path: Path) -> int | None:
    line = 1
    with path.open("rb") as source:
        while block := source.read(_BLOCK):
            at = block.find(b"\0")
            if at >= 0:
                return line + block.count(b"\n", 0, at)
            line += block.count(b"\n")
    return None
