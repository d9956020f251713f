"""What changed between two versions of a layout.

>>> from kumobashi.catalogue.layouts import load_layouts
>>> layouts = load_layouts()
>>> old, new = (layouts.get("vaccinations", version) for version in ("1", "2"))
>>> [(change.kind, change.name) for change in differences(old, new).fields]
[('added', 'vaccine_lot'), ('added', 'vaccine_volume'), ('added', 'vaccination_place')]
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from kumobashi.catalogue.fields import Condition, Field, Layout

_COMPARED: tuple[str, ...] = ("name", "ja", "item_id", "type", "size", "code_list", "required")
_COMPARED += ("condition", "sensitivity", "romaji", "is_fixed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One property with what it was and what it is."""

    of: str
    old: str
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """One field that came, went or became another; ``name`` is the new column, or the lost one."""

    kind: Literal["added", "removed", "changed"]
    name: str
    ja: str
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """Everything that is not the same; ``is_empty`` when nothing matters to a table."""

    whole: tuple[Change, ...]  # key, validity, name …
    fields: tuple[FieldChange, ...]
    is_reordered: bool  # the fields both have stand in another order

    @property
    def is_empty(self) -> bool:
        """Whether both versions describe the same table in the same way."""
        return not self.whole and not self.fields and not self.is_reordered


def differences(old: Layout, new: Layout) -> Differences:
    """Compare two versions; a field of another column but the same item counts as changed."""
    before, pairs = {field.name: field for field in old.fields}, dict[str, str]()
    for field in new.fields:
        if field.name in before:
            pairs[field.name] = field.name
    left = [field for field in old.fields if field.name not in pairs]
    for field in new.fields:
        same = next((f for f in left if f.item is not None and f.item == field.item), None)
        if field.name not in pairs and same is not None:
            pairs[field.name] = same.name
            left.remove(same)
    kept = [pairs[field.name] for field in new.fields if field.name in pairs]
    return Differences(
        whole=tuple(_of_whole(old, new)),
        fields=tuple(_of_fields(old, new, pairs)),
        is_reordered=kept != [name for name in old.names if name in set(kept)],
    )


def _of_whole(old: Layout, new: Layout) -> Iterator[Change]:
    for of in ("ja", "key", "valid_from", "valid_to", "business", "own_shape", "is_strict"):
        before, now = getattr(old, of), getattr(new, of)
        if before != now:
            yield Change(of=of, old=_text(before), new=_text(now))


def _of_fields(old: Layout, new: Layout, pairs: dict[str, str]) -> Iterator[FieldChange]:
    for field in new.fields:
        if field.name not in pairs:
            yield FieldChange(kind="added", name=field.name, ja=field.ja)
        elif changes := tuple(_changes(old.field(pairs[field.name]), field)):
            yield FieldChange(kind="changed", name=field.name, ja=field.ja, changes=changes)
    for field in old.fields:
        if field.name not in pairs.values():
            yield FieldChange(kind="removed", name=field.name, ja=field.ja)


def _changes(old: Field, new: Field) -> Iterator[Change]:
    for of in _COMPARED:
        before, now = getattr(old, of), getattr(new, of)
        if before != now:
            yield Change(of=of, old=_text(before), new=_text(now))


def _text(value: object) -> str:
    match value:
        case None | ():
            return ""
        case bool():
            return "yes" if value else "no"
        case tuple():
            return ", ".join(map(str, value))
        case Condition(field=field, one_of=one_of):
            return f"{field}={','.join(one_of)}" if one_of else field
        case _:
            return str(value)
