"""Layouts: the fields of a dataset, as dated data.

A layout file is YAML and begins ``kumobashi: 1``. Types are those of the national item definitions:
X half-width text, N full-width text, 9 and S9 whole numbers, DATE, YEAR. TIMESTAMP is our own, and
so is LIST9, a list of whole numbers. ``digits`` count characters, never bytes.

>>> layouts = load_layouts()
>>> layouts.get("resident-registry", "1").field("sex").code_list
'sex'
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Literal, cast, get_args

from kumobashi.catalogue.errors import LayoutBroken, LayoutUnknown

FieldType = Literal["X", "N", "9", "S9", "DATE", "YEAR", "TIMESTAMP", "LIST9"]
# public: about no one; attribute: about a person, shared by many; personal: about one person;
# identifier: names one person for a machine; special: harms when it is known (生活保護 …).
Sensitivity = Literal["public", "attribute", "personal", "identifier", "special"]

_SHIPPED = Path(__file__).with_suffix("")
_LAYOUT_KEYS = {"kumobashi", "layout", "version", "name", "key", "fields"}
_LAYOUT_KEYS |= {"valid_from", "valid_to", "source", "own_shape"}
_FIELD_KEYS = {"name", "ja", "item_id", "type", "digits", "code_list", "required", "sensitivity"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One item of a layout; ``name`` is the column."""

    name: str
    ja: str
    item_id: str | None  # of the national item definitions, where public
    type: FieldType
    digits: int | None
    code_list: str | None
    required: bool
    sensitivity: Sensitivity


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The fields of a dataset, in order, in one version."""

    layout: str
    version: str
    ja: str
    fields: tuple[Field, ...]
    key: tuple[str, ...]  # what makes a row unique
    valid_from: date
    valid_to: date | None  # the last day
    source: str
    own_shape: bool  # shaped by this project, because no public definition was found

    @property
    def names(self) -> tuple[str, ...]:
        """The columns, in order."""
        return tuple(field.name for field in self.fields)

    def field(self, name: str) -> Field:
        """Return the field of this name; ``KeyError`` when there is none."""
        for field in self.fields:
            if field.name == name:
                return field
        raise KeyError(name)

    def is_valid(self, on: date) -> bool:
        """Say whether the layout may be used on that day."""
        return self.valid_from <= on and (self.valid_to is None or on <= self.valid_to)


class Layouts:
    """All layouts known here, by name and version."""

    def __init__(self, layouts: Iterable[Layout]) -> None:
        self._held = {(layout.layout, layout.version): layout for layout in layouts}

    def __iter__(self) -> Iterator[Layout]:
        """Go through all layouts."""
        return iter(self._held.values())

    def __len__(self) -> int:
        """Count layouts, each version by itself."""
        return len(self._held)

    def names(self) -> tuple[str, ...]:
        """Return the names of all layouts."""
        return tuple(dict.fromkeys(name for name, _ in self._held))

    def versions(self, name: str) -> tuple[str, ...]:
        """Return the versions of a layout; none when there is no such layout."""
        return tuple(version for held, version in self._held if held == name)

    def get(self, name: str, version: str) -> Layout:
        """Return one layout, or raise :class:`LayoutUnknown`."""
        found = self._held.get((name, version))
        if found is None:
            known = ", ".join(f"{held} {of}" for held, of in self._held)
            raise LayoutUnknown(layout=name, version=version, known=known)
        return found

    def on(self, name: str, day: date) -> Layout:
        """Return the newest version that is valid on that day."""
        valid = [held for held in self if held.layout == name and held.is_valid(day)]
        if not valid:
            raise LayoutUnknown(layout=name, version=day.isoformat(), known=", ".join(self.names()))
        return max(valid, key=lambda layout: layout.valid_from)

    def with_local(self, layouts: Iterable[Layout]) -> "Layouts":
        """Return these and the given ones, which win where name and version are the same."""
        return Layouts([*self, *layouts])


def load_layouts(extra: Path | None = None) -> Layouts:
    """Return the layouts that ship with kumobashi and those of the folder ``extra``.

    Raises:
        LayoutBroken: a file of the folder cannot be read.
    """
    shipped = _shipped()
    if extra is None or not extra.is_dir():
        return shipped
    return shipped.with_local(read_layout(path) for path in sorted(extra.glob("*.yaml")))


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
        raise held.broken("fields", "a list", "fields: [{name: sex, ja: 性別, type: X}]")
    fields = tuple(_field(entry, file, n) for n, entry in enumerate(listed))
    names = [field.name for field in fields]
    if len(set(names)) < len(names):
        raise held.broken("fields", "each name once", "name: birth_date")
    key = held.value("key")
    if not isinstance(key, list) or not key or any(name not in names for name in key):
        raise held.broken("key", "names of fields", f"key: [{names[0]}]")
    return Layout(
        layout=held.text("layout"),
        version=held.text("version"),
        ja=held.text("name"),
        fields=fields,
        key=tuple(key),
        valid_from=held.day("valid_from") or date.min,
        valid_to=held.day("valid_to"),
        source=held.text("source"),
        own_shape=bool(held.value("own_shape")),
    )


def _field(entry: object, file: str, number: int) -> Field:
    held = _Held(entry, file, f"fields[{number}].")
    held.only(_FIELD_KEYS)
    digits = held.value("digits")
    if digits is not None and (
        not isinstance(digits, int) or isinstance(digits, bool) or digits < 1
    ):
        raise held.broken("digits", "a whole number of characters", "digits: 10")
    return Field(
        name=held.text("name"),
        ja=held.text("ja"),
        item_id=held.text("item_id") if held.value("item_id") is not None else None,
        type=cast("FieldType", held.one_of("type", get_args(FieldType))),
        digits=digits,
        code_list=held.text("code_list") if held.value("code_list") is not None else None,
        required=bool(held.value("required")),
        sensitivity=cast("Sensitivity", held.one_of("sensitivity", get_args(Sensitivity))),
    )


@lru_cache(maxsize=1)
def _shipped() -> Layouts:
    return Layouts(read_layout(path) for path in sorted(_SHIPPED.glob("*.yaml")))


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
