"""Read a layout file: YAML in, a :class:`Layout` out, or the one thing that is wrong with it.

This reader serves the layouts that ship and plain folders of them. The files of a workspace are
read by ``planning.layout_files``, which tells all mistakes at once and with their lines; what may
stand in a layout is decided for both in ``fields`` and ``contradictions``.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import TypeGuard, cast, get_args

from kumobashi.catalogue.contradictions import Contradiction, contradictions
from kumobashi.catalogue.errors import LayoutBroken
from kumobashi.catalogue.fields import (
    Condition,
    Field,
    FieldEntry,
    Layout,
    fields_of,
    what_is_wrong,
)
from kumobashi.catalogue.items import FieldType, Sensitivity

_LAYOUT_KEYS = {"kumobashi", "layout", "version", "name", "key", "fields", "business", "strict"}
_LAYOUT_KEYS |= {"valid_from", "valid_to", "parallel", "source", "own_shape"}
_FIELD_KEYS = {"item", "name", "ja", "item_id", "romaji", "en", "type", "digits", "code_list"}
_FIELD_KEYS |= {"required", "condition", "repeat", "sensitivity"}
_PAIR = 2
_MOST_REPEATS = 999


def read_layout(path: Path) -> Layout:
    """Read one layout file."""
    from ruamel.yaml import YAML  # noqa: PLC0415 - slow to import; the values are needed without it
    from ruamel.yaml.error import YAMLError  # noqa: PLC0415

    try:
        tree = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    except (YAMLError, UnicodeDecodeError) as wrong:
        broken = LayoutBroken(file=path.name, key="YAML", expected="YAML", example="kumobashi: 1")
        raise broken from wrong
    return layout_from(tree, path.name)


def layout_from(tree: object, file: str) -> Layout:
    """Make a layout of what a YAML file holds; ``file`` is named in errors."""
    held = _Held(tree, file, "")
    held.only(_LAYOUT_KEYS)
    if held.value("kumobashi") != 1:
        raise held.broken("kumobashi", "1", "kumobashi: 1")
    listed = held.value("fields")
    if not isinstance(listed, list) or not listed:
        raise held.broken("fields", "a list", "fields: [{item: sex}]")
    business = held.text("business") if held.value("business") is not None else None
    entries = [_Held(entry, file, f"fields[{n}].") for n, entry in enumerate(listed)]
    fields = [(field, n) for n, entry in enumerate(entries) for field in _fields(entry, business)]
    names = [field.name for field, _ in fields]
    if len(set(names)) < len(names):
        raise held.broken("fields", "each name once", "name: birth_date")
    layout = Layout(
        layout=held.text("layout"),
        version=held.text("version"),
        ja=held.text("name"),
        fields=tuple(field for field, _ in fields),
        key=held.texts("key"),
        valid_from=held.day("valid_from") or date.min,
        valid_to=held.day("valid_to"),
        source=held.text("source"),
        own_shape=bool(held.value("own_shape")),
        business=business,
        is_strict=bool(held.value("strict")),
        parallel=held.texts("parallel") if held.value("parallel") is not None else (),
    )
    for wrong in contradictions(layout):
        raise _contradicts(held, wrong, {field.name: n for field, n in fields})
    return layout


def _contradicts(held: "_Held", wrong: Contradiction, numbers: Mapping[str, int]) -> LayoutBroken:
    where = f"fields[{numbers[wrong.column]}]." if wrong.column else ""
    return held.broken(where + ".".join(wrong.at), wrong.en, wrong.example or "-")


def _fields(held: "_Held", business: str | None) -> tuple[Field, ...]:
    held.only(_FIELD_KEYS)
    digits, decimals = held.digits()
    entry = FieldEntry(
        item=held.optional("item"),
        name=held.optional("name"),
        ja=held.optional("ja"),
        item_id=held.optional("item_id"),
        romaji=held.optional("romaji"),
        en=held.optional("en"),
        type=cast("FieldType | None", held.choice("type", get_args(FieldType))),
        digits=digits,
        decimals=decimals,
        code_list=held.optional("code_list"),
        sensitivity=cast("Sensitivity | None", held.choice("sensitivity", get_args(Sensitivity))),
        required=bool(held.value("required")),
        condition=_condition(held),
        repeat=held.numbers("repeat"),
    )
    if wrong := what_is_wrong(entry):
        raise held.broken(wrong.key, wrong.en, wrong.example or "-")
    return fields_of(entry, business=business)


def _condition(held: "_Held") -> Condition | None:
    if held.value("condition") is None:
        return None
    said = held.inside("condition")
    said.only({"field", "one_of"})
    one_of = said.texts("one_of") if said.value("one_of") is not None else ()
    return Condition(field=said.text("field"), one_of=one_of)


class _Held:
    """A mapping of a file; every question names the file and the key when the answer is wrong."""

    def __init__(self, tree: object, file: str, where: str) -> None:
        self._file, self._where = file, where
        if not isinstance(tree, Mapping):
            raise self.broken("", "keys and values", "layout: resident-registry")
        self._tree = tree

    def broken(self, key: str, expected: str, example: str) -> LayoutBroken:
        return LayoutBroken(
            file=self._file, key=f"{self._where}{key}", expected=expected, example=example
        )

    def only(self, keys: set[str]) -> None:
        for key in self._tree:
            if key not in keys:
                raise self.broken(str(key), f"one of {', '.join(sorted(keys))}", "name: sex")

    def value(self, key: str) -> object:
        return self._tree.get(key)

    def inside(self, key: str) -> "_Held":
        return _Held(self._tree.get(key), self._file, f"{self._where}{key}.")

    def optional(self, key: str) -> str | None:
        return None if self._tree.get(key) is None else self.text(key)

    def choice(self, key: str, known: tuple[str, ...]) -> str | None:
        return None if self._tree.get(key) is None else self.one_of(key, known)

    def texts(self, key: str) -> tuple[str, ...]:
        found = self._tree.get(key)
        if not isinstance(found, list) or not found or not all(isinstance(x, str) for x in found):
            raise self.broken(key, "a list of texts", f'{key}: ["1"]')
        return tuple(found)

    def numbers(self, key: str) -> tuple[int, int] | None:
        found = self._tree.get(key)
        if found is None:
            return None
        example = f"{key}: [0, 99]"
        if not isinstance(found, list) or len(found) != _PAIR or not all(map(_is_number, found)):
            raise self.broken(key, "first and last number", example)
        first, last = found
        if not 0 <= first <= last <= _MOST_REPEATS:
            raise self.broken(key, f"numbers from 0 to {_MOST_REPEATS} in order", example)
        return first, last

    def digits(self) -> tuple[int | None, int | None]:
        found = self._tree.get("digits")
        if found is None:
            return None, None
        if _is_number(found) and found >= 1:
            return found, None
        if isinstance(found, str) and re.fullmatch(r"[1-9][0-9]?,[1-9][0-9]?", found):
            whole, _, decimals = found.partition(",")
            return int(whole), int(decimals)
        raise self.broken("digits", "a whole number of characters", "digits: 10")

    def text(self, key: str) -> str:
        found = self._tree.get(key)
        if not isinstance(found, str) or not found:
            raise self.broken(key, "text", f'{key}: "1"')
        return found

    def one_of(self, key: str, known: tuple[str, ...]) -> str:
        found = str(self._tree.get(key))
        if found not in known:
            raise self.broken(key, f"one of {', '.join(known)}", f"{key}: {known[0]}")
        return found

    def day(self, key: str) -> date | None:
        found = self._tree.get(key)
        if found is not None and (not isinstance(found, date) or isinstance(found, datetime)):
            raise self.broken(key, "a date", f"{key}: 2026-04-01")
        return found


def _is_number(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)
