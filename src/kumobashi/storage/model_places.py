"""Find the place in a file, and the field of the model, that an error of pydantic is about.

>>> class Store(BaseModel):
...     kind: Literal["duckdb"]
>>> class System(BaseModel):
...     stores: list[Store]
>>> path, field = follow(("stores", 0, "kind"), {"stores": [{"kind": "x"}]}, System)
>>> path, field.annotation
(('stores', 0, 'kind'), typing.Literal['duckdb'])
"""

from types import UnionType
from typing import Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from kumobashi.storage.mistakes import Path


def follow(loc: tuple[int | str, ...], value: object, model: object) -> tuple[Path, object]:
    """Return the path in the file of pydantic's ``loc``, and the field or model found there.

    ``loc`` also holds names of union members; a step that is neither in the file nor a field of the
    model is such a name.
    """
    path: list[str | int] = []
    place: object = model
    for number, step in enumerate(loc):
        fields = fields_of(place)
        is_last = number == len(loc) - 1
        inside = (isinstance(value, dict) and step in value) or (
            isinstance(value, list) and isinstance(step, int) and step < len(value)
        )
        if (
            not inside
            and step not in fields
            and not (is_last and fields and step not in _tags(place))
        ):
            place = _member(place, step)
            continue
        path.append(step)
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and inside:
            value = value[step]
        if step in fields:
            place = fields[str(step)]
        elif not is_last or not fields:
            place = _item(place)
    return tuple(path), place


def plain(place: object) -> object:
    """Return the annotation of a field without Annotated and without ``| None``."""
    held = place.annotation if isinstance(place, FieldInfo) else place
    while get_origin(held) is not None and hasattr(held, "__metadata__"):
        held = get_args(held)[0]
    if get_origin(held) in (Union, UnionType):
        members = [m for m in get_args(held) if m is not type(None)]
        if len(members) == 1:
            return plain(members[0])
    return held


def fields_of(place: object) -> dict[str, FieldInfo]:
    """Return the fields by the names that the file uses."""
    held = plain(place)
    if get_origin(held) in (Union, UnionType):
        return {}
    if isinstance(held, type) and issubclass(held, BaseModel):
        return {field.alias or name: field for name, field in held.model_fields.items()}
    return {}


def _item(place: object) -> object:
    """Return what a list or a mapping holds."""
    arguments = get_args(plain(place))
    return (
        arguments[-1] if arguments and arguments[-1] is not Ellipsis else (arguments or (None,))[0]
    )


def _tags(place: object) -> set[object]:
    return set(_members(place))


def _members(place: object) -> dict[object, object]:
    """Return the models of a union by the values of their discriminator and by their names."""
    held = plain(place)
    if get_origin(held) not in (Union, UnionType):
        return {}
    found: dict[object, object] = {}
    for member in get_args(held):
        kind = plain(member)
        if isinstance(kind, type):
            found[kind.__name__] = kind
            for field in fields_of(kind).values():
                if get_origin(field.annotation) is Literal:
                    found.update(dict.fromkeys(get_args(field.annotation), kind))
    return found


def _member(place: object, step: int | str) -> object:
    return _members(place).get(step, place)
