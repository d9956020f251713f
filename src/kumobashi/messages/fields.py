"""Read the fields of a peer's JSON object into values, once, naming what is wrong with them.

Failures name the field and what was expected, never the value. What nobody asked for is kept.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Final, TypeVar

from kumobashi.crypto import base64url
from kumobashi.crypto.canonical import read_canonical
from kumobashi.crypto.errors import NotCanonical
from kumobashi.kernel import MunicipalityCode, from_wire, to_wire
from kumobashi.kernel.errors import KumobashiError
from kumobashi.messages.errors import FieldWrong, FormatUnknown
from kumobashi.messages.media_types import FORMAT

LARGEST_DOCUMENT = 6 << 20  # bytes; a manifest of 50,000 parts is smaller

# Names become parts of paths and addresses, so nothing else is let in.
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_UUID: Final = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
)
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_CODE: Final = re.compile(r"[a-z0-9_]{1,40}\.[a-z0-9_]{1,60}")
_JWS: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_WORD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_LARGEST_INTEGER: Final = (1 << 53) - 1

_Value = TypeVar("_Value")
_Choice = TypeVar("_Choice", bound=StrEnum)


class Fields:
    """The members of one JSON object; each is taken once, and the rest are left over."""

    def __init__(self, document: str, members: Mapping[str, object], at: str = "") -> None:
        self._document = document
        self._left = dict(members)
        self._at = at

    @classmethod
    def read(cls, document: str, data: bytes) -> "Fields":
        """Read canonical bytes of the ``format`` that is known here.

        Raises:
            FieldWrong: no canonical JSON object.
            FormatUnknown: another major version.
        """
        try:
            value = read_canonical(data, limit=LARGEST_DOCUMENT)
        except NotCanonical as problem:
            raise FieldWrong(
                document=document, field="$", expected=f"canonical JSON ({problem.reason})"
            ) from None
        if not isinstance(value, dict):
            raise FieldWrong(document=document, field="$", expected="an object")
        fields = cls(document, value)
        number = fields.integer("format")
        if number != FORMAT:
            raise FormatUnknown(document=document, format=number)
        return fields

    def left_over(self) -> dict[str, object]:
        """Return the members that were not taken."""
        return self._left

    def wrong(self, field: str, expected: str) -> FieldWrong:
        """Return the failure of one field."""
        return FieldWrong(document=self._document, field=self._at + field, expected=expected)

    def optional(self, name: str, take: Callable[[str], _Value]) -> _Value | None:
        """Take a field that may be ``null``; it may not be left out."""
        if name in self._left and self._left[name] is None:
            del self._left[name]
            return None
        return take(name)

    def maybe(self, name: str, take: Callable[[str], _Value]) -> _Value | None:
        """Take a field that a later release added: older senders leave it out; never ``null``."""
        return take(name) if name in self._left else None

    def integer(self, name: str, least: int = 0) -> int:
        """Take an integer of at least ``least``."""
        value = self._left.pop(name, None)
        if type(value) is not int or not least <= value <= _LARGEST_INTEGER:
            raise self.wrong(name, f"an integer of at least {least}")
        return value

    def positive(self, name: str) -> int:
        """Take an integer of at least one."""
        return self.integer(name, 1)

    def flag(self, name: str) -> bool:
        """Take ``true`` or ``false``."""
        value = self._left.pop(name, None)
        if not isinstance(value, bool):
            raise self.wrong(name, "true or false")
        return value

    def name(self, name: str) -> str:
        """Take a name: a site, a link, a system, a dataset, a layout."""
        return self._matching(name, _NAME, "a name of small letters, digits, - and _")

    def word(self, name: str) -> str:
        """Take a short word: a version, a charset."""
        return self._matching(name, _WORD, "a short word")

    def identifier(self, name: str) -> str:
        """Take a UUID in small letters."""
        return self._matching(name, _UUID, "a UUID in small letters")

    def token(self, name: str) -> str:
        """Take a compact JWS."""
        return self._matching(name, _JWS, "a compact JWS")

    def digest(self, name: str) -> str:
        """Take ``sha256:`` and 64 hexadecimal digits."""
        return self._matching(name, _DIGEST, "sha256: and 64 hexadecimal digits")

    def error_code(self, name: str) -> str:
        """Take the code of an error."""
        return self._matching(name, _CODE, "an error code")

    def municipality(self, name: str) -> str:
        """Take a municipality code with a right check digit."""
        value = self._text(name, "a municipality code")
        try:
            return MunicipalityCode.parse(value).text
        except KumobashiError:
            raise self.wrong(name, "a municipality code") from None

    def note(self, name: str) -> str:
        """Take a sentence for people."""
        value = self._text(name, "a text of at most 500 characters")
        if len(value) > 500:  # noqa: PLR2004 - the text says it
            raise self.wrong(name, "a text of at most 500 characters")
        return value

    def text(self, name: str) -> str:
        """Take a text of at most 4,096 characters."""
        value = self._text(name, "a text")
        if len(value) > 4096:  # noqa: PLR2004 - the docstring says it
            raise self.wrong(name, "a text of at most 4096 characters")
        return value

    def texts(self, name: str) -> list[str]:
        """Take a list of at most 128 texts."""
        value = self._left.pop(name, None)
        if (
            not isinstance(value, list)
            or len(value) > 128  # noqa: PLR2004 - the docstring says it
            or not all(isinstance(one, str) for one in value)
        ):
            raise self.wrong(name, "a list of at most 128 texts")
        return value

    def octets(self, name: str) -> bytes:
        """Take bytes in base64url without padding."""
        expected = "bytes in base64url"
        try:
            return base64url.decode(self._text(name, expected))
        except ValueError:
            raise self.wrong(name, expected) from None

    def choice(self, name: str, choices: type[_Choice]) -> _Choice:
        """Take one of a closed set of words."""
        expected = " or ".join(choices)
        value = self._text(name, expected)
        try:
            return choices(value)
        except ValueError:
            raise self.wrong(name, expected) from None

    def day(self, name: str) -> date:
        """Take a calendar date."""
        value = self._text(name, "a date, YYYY-MM-DD")
        try:
            day = date.fromisoformat(value)
        except ValueError:
            day = None
        if day is None or day.isoformat() != value:
            raise self.wrong(name, "a date, YYYY-MM-DD")
        return day

    def moment(self, name: str) -> datetime:
        """Take a time in UTC with microseconds, as :func:`kumobashi.kernel.to_wire` writes it."""
        expected = "a time, YYYY-MM-DDThh:mm:ss.ffffffZ"
        value = self._text(name, expected)
        try:
            at = from_wire(value)
        except ValueError:
            raise self.wrong(name, expected) from None
        if to_wire(at) != value:
            raise self.wrong(name, expected)
        return at

    def objects(self, name: str) -> list["Fields"]:
        """Take a list of objects."""
        value = self._left.pop(name, None)
        if not isinstance(value, list):
            raise self.wrong(name, "a list of objects")
        inner = []
        for index, members in enumerate(value):
            if not isinstance(members, dict):
                raise self.wrong(name, "a list of objects")
            inner.append(Fields(self._document, members, f"{self._at}{name}[{index}]."))
        return inner

    def _text(self, name: str, expected: str) -> str:
        value = self._left.pop(name, None)
        if not isinstance(value, str):
            raise self.wrong(name, expected)
        return value

    def _matching(self, name: str, pattern: re.Pattern[str], expected: str) -> str:
        value = self._text(name, expected)
        if not pattern.fullmatch(value):
            raise self.wrong(name, expected)
        return value
