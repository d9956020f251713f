"""Read what a body says: a text, or one of a closed set; whatever else is a mistake."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypeVar

from kumobashi.service.errors import BadRequest

E = TypeVar("E", bound=StrEnum)


def said_text(said: Mapping[str, Any], name: str) -> str:
    """Return a text that is not empty; raise ``BadRequest``, which never repeats it."""
    value = said.get(name)
    if not isinstance(value, str) or not value:
        raise BadRequest(field=name, expected="a text")
    return value


def said_choice(said: Mapping[str, Any], name: str, kind: type[E]) -> E:
    """Return one of ``kind``; raise ``BadRequest``."""
    try:
        return kind(str(said.get(name)))
    except ValueError:
        raise BadRequest(field=name, expected=", ".join(one.value for one in kind)) from None
