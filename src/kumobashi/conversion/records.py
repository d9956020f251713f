r"""Files of fixed lengths as hosts have them: cut by offset and length, digits zoned or packed.

A record layout is data: where each item begins, how long it is in bytes, and how it is written.
Whole columns are cut at once and only distinct values are decoded. Both ways refuse what has no
counterpart: reading gives a finding with the record's number, writing writes nothing.

>>> records = Records(
...     charset="ibm930",
...     length=12,
...     fields=(RecordField("resident_no", 0, 4, "packed"), RecordField("name", 4, 8, "text")),
... )
>>> raw = records.encode("resident_no", "-12") + records.encode("name", "ｱ千葉")
>>> raw.hex(" ")
'00 00 01 2d 81 0e 45 4c 45 f9 0f 40'
>>> records.decode("name", raw[4:]), records.decode("resident_no", raw[:4])
('ｱ千葉', '-12')
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from kumobashi.conversion.charsets import STRAYS
from kumobashi.conversion.host_codes import HostCodes, NotInCharset, host_charset

RecordCharset = Literal["cp932", "ibm930", "ibm939"]
FieldKind = Literal["text", "wide", "digits", "zoned", "packed", "date"]
_NEWLINES = {"none": b"", "lf": b"\n", "crlf": b"\r\n"}
_PLUS, _MINUS = {0xA, 0xC, 0xE, 0xF}, {0xB, 0xD}
_DIGITS = "0123456789"
_NUMBERS = frozenset({"digits", "zoned", "packed"})
_DATE_DIGITS = 8


class DoesNotFit(ValueError):
    """A value that has no place in its bytes; ``reason`` is ``length`` or ``digits``."""

    def __init__(self, reason: Literal["length", "digits"]) -> None:
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class RecordField:
    """Where an item stands in a record, in bytes, and how it is written.

    ``text``: characters, padded with spaces at the right; hosts shift to two bytes and back.
    ``wide``: two bytes each, without shift codes. ``digits``: zeros in front, no sign.
    ``zoned``: a digit a byte, the sign in the last. ``packed``: two digits a byte, the sign last.
    Spaces in any of these mean that nothing is known, which is not nought.
    ``date``: eight digits, all zeros for none; YYYY-MM-DD outside.
    """

    name: str
    offset: int
    length: int
    kind: FieldKind = "text"


@dataclass(frozen=True, kw_only=True)
class Records:
    """A record layout."""

    charset: RecordCharset
    length: int  # bytes of a record without what ends it
    fields: tuple[RecordField, ...]
    ends_with: Literal["none", "lf", "crlf"] = "none"

    @property
    def end(self) -> bytes:
        """The bytes behind each record."""
        return _NEWLINES[self.ends_with]

    @property
    def stride(self) -> int:
        """Bytes from one record to the next."""
        return self.length + len(self.end)

    @property
    def space(self) -> bytes:
        """The byte that pads."""
        return b" " if self.charset == "cp932" else b"\x40"

    @cached_property
    def _host(self) -> HostCodes | None:
        return None if self.charset == "cp932" else host_charset(self.charset)

    @cached_property
    def _by_name(self) -> dict[str, RecordField]:
        return {field.name: field for field in self.fields}

    def decode(self, name: str, raw: bytes) -> str:
        """Return the text of an item's bytes.

        Raises:
            NotInCharset: bytes that mean nothing in this charset or this way of writing.
        """
        kind = self._by_name[name].kind
        is_blank = kind in _NUMBERS and raw == self.space * len(raw)
        if is_blank:  # nothing is not nought
            return ""
        match kind:
            case "text":
                text = self._text(raw).rstrip(" ")
            case "wide":
                text = self._host.decode_wide(raw) if self._host else self._text(raw)
                text = text.rstrip("　")
            case "packed":
                text = _unpacked(raw)
            case "zoned":
                text = self._unzoned(raw)
            case "digits":
                text = self._digits(raw)
            case "date":
                text = _as_date(self._digits(raw), raw)
        return text

    def encode(self, name: str, text: str) -> bytes:
        """Return an item's bytes in its length.

        Raises:
            NotInCharset: a character that the charset lacks.
            DoesNotFit: too long, or not a number where one is written.
        """
        field = self._by_name[name]
        if field.kind in _NUMBERS and not text:
            return self.space * field.length
        match field.kind:
            case "text":
                raw = self._padded(self._bytes(text), field, self.space)
            case "wide":
                wide = self._host.encode_wide(text) if self._host else self._double(text)
                space = b"\x40\x40" if self._host else "　".encode("cp932")
                raw = self._padded(wide, field, space)
            case "packed":
                raw = _packed(text, field.length)
            case "zoned":
                raw = self._zoned(text, field.length)
            case "digits":
                raw = self._bytes(_filled(text, field.length, may_be_negative=False)[1])
            case "date":
                digits = text.replace("-", "")
                if text and len(digits) != _DATE_DIGITS:
                    raise DoesNotFit("digits")
                raw = self._bytes(_filled(digits, field.length, may_be_negative=False)[1])
        return raw

    def _text(self, raw: bytes) -> str:
        if self._host:
            return self._host.decode(raw)
        try:
            text = raw.decode("cp932")
        except UnicodeDecodeError as error:
            bad = raw[error.start : error.end]
            raise NotInCharset(f"0x{bad.hex()}", error.start) from None
        for place, char in enumerate(text):
            if char in STRAYS:
                raise NotInCharset(f"U+{ord(char):04X}", place)
        return text

    def _bytes(self, text: str) -> bytes:
        if self._host:
            return self._host.encode(text)
        for place, char in enumerate(text):
            try:
                changed = char.encode("cp932").decode("cp932") != char or char in STRAYS
            except UnicodeError:
                changed = True
            if changed:
                raise NotInCharset(char, place)
        return text.encode("cp932")

    def _double(self, text: str) -> bytes:
        raw = self._bytes(text)
        if len(raw) != 2 * len(text):
            place = next(n for n, char in enumerate(text) if len(char.encode("cp932")) == 1)
            raise NotInCharset(text[place], place)
        return raw

    def _padded(self, raw: bytes, field: RecordField, space: bytes) -> bytes:
        if len(raw) > field.length:
            raise DoesNotFit("length")
        return raw + space * ((field.length - len(raw)) // len(space))

    def _digits(self, raw: bytes) -> str:
        text = self._text(raw)
        if any(char not in _DIGITS for char in text):
            raise NotInCharset(f"0x{raw.hex()}", 0)
        return text

    def _zoned(self, text: str, length: int) -> bytes:
        is_negative, digits = _filled(text, length)
        if self._host:
            raw = bytearray(0xF0 | int(digit) for digit in digits)
            raw[-1] = (0xD0 if is_negative else 0xC0) | (raw[-1] & 0x0F)
        else:  # as COBOL on machines without EBCDIC writes it
            raw = bytearray(0x30 | int(digit) for digit in digits)
            raw[-1] = (0x70 if is_negative else 0x30) | (raw[-1] & 0x0F)
        return bytes(raw)

    def _unzoned(self, raw: bytes) -> str:
        zone = 0xF if self._host else 0x3
        plus, minus = ({0xC, 0xF}, {0xD}) if self._host else ({0x3}, {0x7})
        zones, digits = [byte >> 4 for byte in raw], [byte & 0xF for byte in raw]
        is_known = zones[-1] in plus | minus and all(found == zone for found in zones[:-1])
        if not is_known or max(digits) > 9:  # noqa: PLR2004 - a digit
            raise NotInCharset(f"0x{raw.hex()}", 0)
        return _number(digits, is_negative=zones[-1] in minus)


def _filled(text: str, length: int, *, may_be_negative: bool = True) -> tuple[bool, str]:
    """Return the sign and the digits with zeros in front; nothing is written as zeros."""
    is_negative = may_be_negative and text.startswith("-")
    digits = text[1:] if is_negative else text
    if any(char not in _DIGITS for char in digits) or (is_negative and not digits):
        raise DoesNotFit("digits")
    if len(digits) > length:
        raise DoesNotFit("length")
    return is_negative, digits.rjust(length, "0")


def _as_date(digits: str, raw: bytes) -> str:
    if not digits.strip("0"):
        return ""
    if len(digits) != _DATE_DIGITS:
        raise NotInCharset(f"0x{raw.hex()}", 0)
    return f"{digits[:4]}-{digits[4:6]}-{digits[6:]}"


def _packed(text: str, length: int) -> bytes:
    is_negative, digits = _filled(text, 2 * length - 1)
    return bytes.fromhex(digits + ("d" if is_negative else "c"))


def _unpacked(raw: bytes) -> str:
    halves = [half for byte in raw for half in (byte >> 4, byte & 0xF)]
    *digits, sign = halves
    if max(digits, default=0) > 9 or sign not in _PLUS | _MINUS:  # noqa: PLR2004 - a digit
        raise NotInCharset(f"0x{raw.hex()}", 0)
    return _number(digits, is_negative=sign in _MINUS)


def _number(digits: list[int], *, is_negative: bool) -> str:
    value = "".join(map(str, digits)).lstrip("0") or "0"
    return f"-{value}" if is_negative and value != "0" else value
