"""Whether a layout hangs together: every way in which one part of it contradicts another.

Pure: the layout goes in, what is wrong comes out, with the place in the file. Two readers use it,
the catalogue's own and that of workspaces.
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from kumobashi.catalogue.code_lists import CodeList, load_code_lists
from kumobashi.catalogue.fields import Field, Layout

_NO_DIGITS = frozenset({"DATE", "TIME", "TIMESTAMP", "YEAR"})  # their form says their length
_NO_CODES = frozenset({*_NO_DIGITS, "9V", "N"})
_NUMBERS = frozenset({"9", "S9", "LIST9"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradiction:
    """One thing that cannot be: ``at`` is the path in the file, ``column`` the field's name."""

    at: tuple[str, ...]  # ("valid_to",), ("key",), or of a field ("digits",)
    column: str | None
    ja: str
    en: str
    example: str = ""


def contradictions(
    layout: Layout, code_lists: Mapping[str, CodeList] | None = None
) -> Iterator[Contradiction]:
    """Give everything in a layout that contradicts something else in it."""
    lists = load_code_lists() if code_lists is None else code_lists
    if layout.valid_to is not None and layout.valid_to < layout.valid_from:
        yield Contradiction(
            at=("valid_to",),
            column=None,
            ja=f"終わりの日 {layout.valid_to} が始まりの日 {layout.valid_from} より前です。",
            en=f"a day on or after {layout.valid_from}",
            example=f"valid_to: {layout.valid_from}",
        )
    for name in layout.key:
        if name not in layout.names:
            yield Contradiction(
                at=("key",),
                column=None,
                ja=f"key の「{name}」が fields にありません。",
                en="names of fields",
                example=f"key: [{layout.names[0]}]",
            )
    yield from _twice(layout)
    for field in layout.fields:
        yield from _of_field(field, layout, lists)


def overlaps(layouts: Iterable[Layout]) -> Iterator[tuple[Layout, Layout]]:
    """Give pairs of versions of one layout that are valid on the same days without saying so.

    The one that is valid from an earlier day stands first.
    """
    ordered = sorted(layouts, key=lambda held: (held.layout, held.valid_from, held.version))
    for _, versions in itertools.groupby(ordered, key=lambda held: held.layout):
        for older, newer in itertools.combinations(tuple(versions), 2):
            declared = newer.version in older.parallel or older.version in newer.parallel
            if not declared and (older.valid_to is None or newer.valid_from <= older.valid_to):
                yield older, newer


def _twice(layout: Layout) -> Iterator[Contradiction]:
    for key, said in (("name", "列"), ("ja", "日本語名")):
        seen: set[str] = set()
        for field in layout.fields:
            value = getattr(field, key)
            if value in seen:
                yield Contradiction(
                    at=(key,),
                    column=field.name,
                    ja=f"{said}「{value}」が2回あります。",
                    en=f"each {key} once, {value} twice",
                    example=f"{key}: {value}_2",
                )
            seen.add(value)


def _of_field(
    field: Field, layout: Layout, lists: Mapping[str, CodeList]
) -> Iterator[Contradiction]:
    if field.digits is not None and field.type in _NO_DIGITS:
        yield Contradiction(
            at=("digits",),
            column=field.name,
            ja=f"型 {field.type} に桁数は書けません（書き方が長さを決めます）。",
            en=f"no digits: the type {field.type} has a form of its own",
        )
    if (field.type == "9V") != (field.decimals is not None):
        yield Contradiction(
            at=("digits",),
            column=field.name,
            ja='小数（9V）の桁数は "整数部,小数部" の形で書き、ほかの型では1つの数にします。',
            en='digits "n,m" for the type 9V and for no other',
            example='digits: "3,2"' if field.type == "9V" else "digits: 3",
        )
    if field.code_list is not None:
        yield from _of_codes(field, field.code_list, lists)
    if field.condition is not None:
        yield from _of_condition(field, layout, lists)


def _of_codes(field: Field, name: str, lists: Mapping[str, CodeList]) -> Iterator[Contradiction]:
    if name not in list(lists):
        yield Contradiction(
            at=("code_list",),
            column=field.name,
            ja=f"コード表「{name}」がありません。",
            en=f"one of {', '.join(lists)}",
            example="code_list: sex",
        )
        return
    codes = lists[name]
    if field.type in _NO_CODES:
        yield Contradiction(
            at=("code_list",),
            column=field.name,
            ja=f"型 {field.type} の項目にコード表は付けられません。",
            en=f"no code list on the type {field.type}",
            example="type: X",
        )
    elif field.type in _NUMBERS and not all(code.isdigit() for code in codes.values):
        yield Contradiction(
            at=("code_list",),
            column=field.name,
            ja=f"コード表「{name}」に数字でないコードがあり、型 {field.type} に入りません。",
            en=f"a list of numbers for the type {field.type}",
            example="type: X",
        )
    if field.digits is not None and codes.longest > field.digits:
        yield Contradiction(
            at=("digits",),
            column=field.name,
            ja=f"コード表「{name}」の一番長い値は {codes.longest} 桁で、"
            f"{field.digits} 桁に入りません。",
            en=f"at least {codes.longest} digits for the code list {name}",
            example=f"digits: {codes.longest}",
        )


def _of_condition(
    field: Field, layout: Layout, lists: Mapping[str, CodeList]
) -> Iterator[Contradiction]:
    condition = field.condition
    if condition is None:
        return
    if field.required:
        yield Contradiction(
            at=("condition",),
            column=field.name,
            ja="必須の項目に条件は書けません。required か condition のどちらかを消してください。",
            en="either required or a condition",
        )
    if condition.field == field.name or condition.field not in layout.names:
        yield Contradiction(
            at=("condition",),
            column=field.name,
            ja=f"条件の相手「{condition.field}」が、ほかの fields にありません。",
            en="the name of another field",
            example="condition: {field: birth_date_unknown}",
        )
        return
    codes = layout.field(condition.field).code_list
    if codes is not None and codes in list(lists):
        for value in condition.one_of:
            if value not in lists[codes]:
                yield Contradiction(
                    at=("condition",),
                    column=field.name,
                    ja=f"条件の値「{value}」はコード表「{codes}」にありません。",
                    en=f"codes of {codes}, not {value!r}",
                )
