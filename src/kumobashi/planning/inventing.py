"""Values that nobody has: what a field may hold, how it is told, and an answer made of them."""

from datetime import date, datetime
from typing import Any, Final

from kumobashi.catalogue.code_lists import load_code_lists
from kumobashi.catalogue.fields import Field
from kumobashi.planning.call_items import layouts_of, operations_of
from kumobashi.planning.call_links import CallFile
from kumobashi.planning.workspace import Workspace

Value = str | int | date | None | list[int]
_TOKEN_DIGITS: Final = 32


def example_answer(workspace: Workspace, call: CallFile, *, on: date) -> dict[str, str]:
    """Return what an online link answers of a fictional resident, by item; all as texts."""
    layouts = layouts_of(workspace, operations_of(workspace, call))
    return {
        field.name: said_value(field, any_value(field, on))
        for layout in layouts
        for field in layout.fields
        if field.name not in call.hide
    }


def any_value(field: Field, on: date) -> Value:  # noqa: PLR0911 - one for each type
    """Return a value that a field may hold."""
    if field.code_list:
        code = load_code_lists()[field.code_list].values[0]
        return int(code) if field.type in {"9", "S9"} else code
    match field.type:
        case "9" | "S9":
            return 1
        case "YEAR":
            return on.year
        case "DATE" | "TIMESTAMP":
            return date(on.year - 1, 4, 1)
        case "LIST9":
            return [1]
        case "N":
            return "例"
        case _:
            return "0" * min(field.digits or 4, 8)


def said_value(field: Field, value: Any) -> str:  # noqa: ANN401, PLR0911 - whatever the rule made
    """Return a value as it stands in the data, with the meaning of a code behind it."""
    if value is None:
        return "（なし）"
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list):
        return "・".join(str(held) for held in value)
    text = str(value)
    if field.sensitivity == "identifier" and field.digits == _TOKEN_DIGITS:
        return f"{text[:6]}…{text[-4:]}"
    if field.code_list and text in (codes := load_code_lists()[field.code_list]):
        return f"{text}（{codes.ja(text)}）"
    return text
