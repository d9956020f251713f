"""Items of a request and of an answer: romaji outside, the system's own names inside.

The gateway checks what can be told from an item alone (E0001 to E0003). What has to be set together
(E0004), and what a search cannot do without, only the provider knows; its errors pass.

>>> from kumobashi.catalogue.layouts import load_layouts
>>> field = load_layouts().get("resident-registry", "2").field("sex")
>>> renamed({"seibetsu": "1"}, {"seibetsu": "sex"})
{'sex': '1'}
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

from kumobashi.catalogue.fields import Field, Layout
from kumobashi.catalogue.standard_errors import StandardError, standard_error

_FORMS: Final = {
    "9": re.compile(r"[0-9]+"),
    "S9": re.compile(r"-?[0-9]+"),
    "9V": re.compile(r"-?[0-9]+(\.[0-9]+)?"),
    "YEAR": re.compile(r"[0-9]{4}"),
    "TIME": re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?"),
    "X": re.compile(r"[ -~\uff61-\uff9f]*"),
    "N": re.compile(r"[^ -~\uff61-\uff9f]*"),
}


def wrong_items(
    body: Mapping[str, object], fields: Sequence[Field], layout: Layout
) -> tuple[StandardError, ...]:
    """Return what the standard calls the mistakes of a request, by its romaji names."""
    return tuple(
        error
        for field in fields
        if (field.romaji or field.name) in body
        for finding in _findings(body[field.romaji or field.name], field)
        if (error := standard_error(finding, layout, field.name)) is not None
    )


def _findings(value: object, field: Field) -> Iterator[str]:
    if value is None or value == "":
        yield "finding.required_missing"
        return
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        yield "finding.wrong_type"
        return
    text = str(value)
    form = _FORMS.get(field.type)
    if (form and not form.fullmatch(text)) or (field.type == "DATE" and not _is_date(text)):
        yield "finding.wrong_type"
    elif field.digits is not None and field.type not in {"9V", "DATE", "TIME", "YEAR"}:
        length = len(text.removeprefix("-"))  # characters, not bytes
        if field.is_fixed and length != field.digits:
            yield "finding.wrong_length"
        elif length > field.digits:
            yield "finding.too_long"


def _is_date(text: str) -> bool:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return text == "0000-01-01"  # the open end; 9999-12-31 is a date
    return True


def renamed(record: Any, names: Mapping[str, str]) -> Any:  # noqa: ANN401 - any JSON
    """Return a record, or a list of them, with its keys renamed; others stay."""
    if isinstance(record, list):
        return [renamed(one, names) for one in record]
    if isinstance(record, dict):
        return {names.get(key, key): value for key, value in record.items()}
    return record
