"""The fields of a dataset and what a layout file says of each, as values.

A field names an item of the registry and says what this dataset adds: whether it is required, on
which other field that depends, and its own column or header where it has one. Or it says all by
itself, for items that only one municipality knows.

>>> (field,) = fields_of(FieldEntry(item="sex", required=True), business=None)
>>> field.name, field.romaji, field.code_list, field.required
('sex', 'seibetsu', 'sex', True)
>>> what_is_wrong(FieldEntry(item="sex", digits=2)).key
'digits'
"""

from dataclasses import dataclass, replace
from datetime import date

from kumobashi.catalogue.items import FieldType, Item, Sensitivity, load_items

_BY_ITSELF = ("name", "ja", "type", "sensitivity")
_OF_THE_ITEM = ("type", "digits", "decimals", "code_list", "sensitivity", "item_id", "romaji", "en")


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """When a field must be filled: as soon as another is (E0004), or holds one of some values."""

    field: str  # the other field
    one_of: tuple[str, ...] = ()  # empty: whatever it holds


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a layout; ``name`` is the column."""

    name: str
    ja: str  # the header in CSV
    item_id: str | None  # of the national item definitions, where public
    type: FieldType
    digits: int | None
    code_list: str | None
    required: bool
    sensitivity: Sensitivity
    decimals: int | None = None
    item: str | None = None  # in the registry
    romaji: str = ""  # the name in JSON
    en: str = ""
    is_fixed: bool = False
    condition: Condition | None = None

    @property
    def size(self) -> str:
        """The digits as a layout file says them."""
        if self.digits is None:
            return ""
        return f"{self.digits},{self.decimals}" if self.decimals else str(self.digits)


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
    business: str | None = None  # three digits, where public
    is_strict: bool = False  # half width and full width, and fixed digits, are checked
    parallel: tuple[str, ...] = ()  # older versions that run beside this one (並行稼働)

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


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldEntry:
    """What a layout file says of a field; what it leaves out comes from the item."""

    item: str | None = None
    name: str | None = None
    ja: str | None = None
    item_id: str | None = None
    romaji: str | None = None
    en: str | None = None
    type: FieldType | None = None
    digits: int | None = None
    decimals: int | None = None
    code_list: str | None = None
    sensitivity: Sensitivity | None = None
    required: bool = False
    condition: Condition | None = None
    repeat: tuple[int, int] | None = None  # first and last number of columns of one kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """Why an entry cannot be: the key, and what should stand there."""

    key: str
    ja: str
    en: str
    example: str = ""


def what_is_wrong(entry: FieldEntry) -> Wrong | None:
    """Return why an entry makes no field, or nothing."""
    if entry.item is None:
        for key in _BY_ITSELF:
            if getattr(entry, key) is None:
                return Wrong(
                    key=key,
                    ja=f"{key} がありません。item（登録簿の項目）を書くか、"
                    f"{'・'.join(_BY_ITSELF)} を書いてください。",
                    en=f"{key} is missing; name an item of the registry,"
                    f" or write {', '.join(_BY_ITSELF)}",
                    example="item: birth_date",
                )
        return None
    if entry.item not in load_items():
        return Wrong(
            key="item",
            ja=f"項目「{entry.item}」は登録簿にありません。",
            en=f"an item of the registry, not {entry.item!r}",
            example="item: birth_date",
        )
    for key in _OF_THE_ITEM:
        if getattr(entry, key) is not None:
            said = "digits" if key == "decimals" else key
            return Wrong(
                key=said,
                ja=f"{said} は項目「{entry.item}」が決めています。{said} か item のどちらかを"
                "消してください。",
                en=f"nothing: the item {entry.item!r} says it",
                example=f"item: {entry.item}",
            )
    return None


def fields_of(entry: FieldEntry, *, business: str | None) -> tuple[Field, ...]:
    """Return the field of an entry that is not wrong, or one for each number it repeats over."""
    found = _of_item(entry, load_items()[entry.item], business) if entry.item else _alone(entry)
    if entry.repeat is None:
        return (found,)
    first, last = entry.repeat
    return tuple(_numbered(found, number) for number in range(first, last + 1))


def _of_item(entry: FieldEntry, item: Item, business: str | None) -> Field:
    return Field(
        name=entry.name or item.item,
        ja=entry.ja or item.ja,
        item_id=item.id_for(business),
        type=item.type,
        digits=item.digits,
        decimals=item.decimals,
        code_list=item.code_list,
        required=entry.required,
        sensitivity=item.sensitivity,
        item=item.item,
        romaji=item.romaji,
        en=item.en,
        is_fixed=item.is_fixed,
        condition=entry.condition,
    )


def _alone(entry: FieldEntry) -> Field:
    if entry.name is None or entry.ja is None or entry.type is None or entry.sensitivity is None:
        raise ValueError("an entry without an item says name, ja, type and sensitivity")
    return Field(
        name=entry.name,
        ja=entry.ja,
        item_id=entry.item_id,
        type=entry.type,
        digits=entry.digits,
        decimals=entry.decimals,
        code_list=entry.code_list,
        required=entry.required,
        sensitivity=entry.sensitivity,
        romaji=entry.romaji or "",
        en=entry.en or "",
        condition=entry.condition,
    )


def _numbered(field: Field, number: int) -> Field:
    said = {key: getattr(field, key).replace("{n}", str(number)) for key in ("ja", "romaji", "en")}
    return replace(field, name=f"{field.name}_{number}", **said)
