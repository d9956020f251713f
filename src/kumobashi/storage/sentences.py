"""Say in Japanese and English what a pydantic model did not like, and what would be right.

Every type of error that our models can give has a sentence here; pydantic's own words reach nobody.
"""

import difflib
import json
from collections.abc import Mapping
from enum import Enum
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from kumobashi.storage.mistakes import Mistake, Path, Said, key_text
from kumobashi.storage.yaml_files import Tree

_TYPES = {  # error type → what to write, in both languages, and an example value
    "string_type": (
        "文字で書いてください（数字だけの値は引用符で囲みます）",
        "Write text; put digits in quotation marks",
        '"001"',
    ),
    "string_sub_type": ("文字で書いてください", "Write text", '"001"'),
    "int_type": (
        "整数を引用符なしで書いてください",
        "Write a whole number without quotation marks",
        "1",
    ),
    "int_parsing": ("整数を書いてください", "Write a whole number", "1"),
    "int_from_float": ("整数を書いてください（小数は使えません）", "Write a whole number", "1"),
    "float_type": (
        "数を引用符なしで書いてください",
        "Write a number without quotation marks",
        "0.05",
    ),
    "float_parsing": ("数を書いてください", "Write a number", "0.05"),
    "bool_type": ("true か false を書いてください", "Write true or false", "true"),
    "bool_parsing": ("true か false を書いてください", "Write true or false", "true"),
    "list_type": ("並び（- で始まる行か [ ]）で書いてください", "Write a list", "[a, b]"),
    "tuple_type": ("並び（- で始まる行か [ ]）で書いてください", "Write a list", "[a, b]"),
    "set_type": ("並び（- で始まる行か [ ]）で書いてください", "Write a list", "[a, b]"),
    "dict_type": ("「項目: 値」の組で書いてください", "Write keys with values", "{a: b}"),
    "model_type": ("「項目: 値」の組で書いてください", "Write keys with values", "{a: b}"),
    "model_attributes_type": (
        "「項目: 値」の組で書いてください",
        "Write keys with values",
        "{a: b}",
    ),
    "date_type": (
        "日付を年-月-日で書いてください",
        "Write a date as year-month-day",
        '"2026-11-21"',
    ),
    "date_parsing": (
        "日付を年-月-日で書いてください",
        "Write a date as year-month-day",
        '"2026-11-21"',
    ),
    "date_from_datetime_parsing": (
        "日付を年-月-日で書いてください",
        "Write a date as year-month-day",
        '"2026-11-21"',
    ),
    "datetime_type": ("日時を書いてください", "Write a time", '"2026-11-21T01:20:00Z"'),
    "datetime_parsing": ("日時を書いてください", "Write a time", '"2026-11-21T01:20:00Z"'),
    "datetime_from_date_parsing": (
        "日時を書いてください",
        "Write a time",
        '"2026-11-21T01:20:00Z"',
    ),
    "timezone_aware": (
        "日時に時差を付けて書いてください",
        "Write a time with its zone",
        '"2026-11-21T01:20:00Z"',
    ),
    "none_required": ("何も書かないでください", "Write nothing here", ""),
}
_LIMITS = {
    "greater_than": ("gt", "{n} より大きい値にしてください", "Write more than {n}", "> {n}"),
    "greater_than_equal": ("ge", "{n} 以上にしてください", "Write {n} or more", ">= {n}"),
    "less_than": ("lt", "{n} より小さい値にしてください", "Write less than {n}", "< {n}"),
    "less_than_equal": ("le", "{n} 以下にしてください", "Write {n} or less", "<= {n}"),
    "too_short": ("min_length", "{n} 個以上書いてください", "Write at least {n}", ">= {n}"),
    "too_long": ("max_length", "{n} 個以下にしてください", "Write at most {n}", "<= {n}"),
    "string_too_short": (
        "min_length",
        "{n} 文字以上にしてください",
        "Write at least {n} characters",
        ">= {n}",
    ),
    "string_too_long": (
        "max_length",
        "{n} 文字以下にしてください",
        "Write at most {n} characters",
        "<= {n}",
    ),
}


def explain(
    error: ValidationError, model: type[BaseModel], tree: Tree, examples: Mapping[str, str]
) -> list[Mistake]:
    """Return one mistake per place, in the order of the file."""
    found: dict[Path, Mistake] = {}
    for detail in error.errors(include_url=False):
        path, annotation = _follow(detail["loc"], tree.value, model)
        mistake = _Telling(detail, path, annotation, tree, examples).tell()
        found.setdefault((*path, detail["type"] if path == () else ""), mistake)
    return sorted(found.values(), key=lambda m: (m.line, m.column, m.key))


class _Telling:
    """One error of pydantic, on its way to becoming a mistake."""

    def __init__(
        self,
        detail: ErrorDetails,
        path: Path,
        annotation: Any,
        tree: Tree,
        examples: Mapping[str, str],
    ) -> None:
        self.detail = detail
        self.path = path
        self.annotation = annotation
        self.tree = tree
        self.examples = examples
        self.ctx: dict[str, Any] = detail.get("ctx", {})

    def tell(self) -> Mistake:
        kind = self.detail["type"]
        if kind == "missing":
            return self._missing()
        if kind == "extra_forbidden":
            return self._unknown_key()
        if kind in ("literal_error", "enum", "union_tag_invalid"):
            return self._choice(_choices(self.ctx.get("expected") or self.ctx["expected_tags"]))
        if kind == "union_tag_not_found":
            self.path = (*self.path, str(self.ctx["discriminator"]).strip("'"))
            return self._missing()
        if kind == "value_error" and isinstance(said := self.ctx.get("error"), Said):
            self.path += said.at
            return self._mistake("file.value", said.ja, said.en, example=said.example)
        if kind == "value_error":
            en = str(self.ctx.get("error", ""))
            return self._mistake(
                "file.value",
                f"項目どうしが合っていません（{en}）。",
                f"This does not hang together: {en}.",
            )
        if kind == "string_pattern_mismatch":
            return self._pattern(str(self.ctx["pattern"]))
        if kind in _LIMITS:
            key, ja, en, expected = _LIMITS[kind]
            n = self.ctx[key]
            return self._mistake(
                "file.limit", ja.format(n=n) + "。", en.format(n=n) + ".", expected.format(n=n)
            )
        ja, en, value = _TYPES.get(
            kind,
            (
                "ここに書ける値ではありません。見本の形にしてください",
                "This value cannot stand here",
                "",
            ),
        )
        return self._mistake(
            "file.type", ja + "。", en + ".", kind.removesuffix("_type"), value=value
        )

    def _missing(self) -> Mistake:
        key = str(self.path[-1])
        return self._mistake(
            "file.missing_key",
            f"必要な項目「{key}」がありません。",
            f"The key {key!r} is missing.",
            key,
            at_parent=True,
        )

    def _unknown_key(self) -> Mistake:
        key = str(self.path[-1])
        known = list(_fields(self.annotation))
        mark = self.tree.key_at(self.path)
        near = difflib.get_close_matches(key, known, n=1, cutoff=0.6)
        ja = f"「{key}」という項目はありません。"
        en = f"The key {key!r} is unknown"
        if near:
            ja += f"「{near[0]}」ではありませんか。"
            en += f"; {near[0]!r} was probably meant."
        else:
            ja += f"使える項目: {', '.join(known)}。"
            en += f"; known are: {', '.join(known)}."
        example = (
            self._example((*self.path[:-1], near[0]), _fields(self.annotation).get(near[0]))
            if near
            else ""
        )
        return Mistake(
            file=self.tree.file,
            line=mark.line,
            column=mark.column,
            key=key_text(self.path),
            code="file.unknown_key",
            ja=ja,
            en=en,
            expected=near[0] if near else " | ".join(known),
            example=example,
        )

    def _choice(self, choices: list[str]) -> Mistake:
        got = str(self.detail["input"])
        if self.detail["type"] == "union_tag_invalid":
            self.path = (*self.path, str(self.ctx["discriminator"]).strip("'"))
            got = str(self.ctx["tag"])
        near = difflib.get_close_matches(got, choices, n=1, cutoff=0.5)
        listed = " | ".join(choices)
        ja = f"「{got}」は使えません。使える値: {listed}。"
        en = f"{got!r} is not a choice; choices are: {listed}."
        if near:
            ja = f"「{got}」は使えません。「{near[0]}」ではありませんか（使える値: {listed}）。"
            en = f"{got!r} is not a choice; {near[0]!r} was probably meant ({listed})."
        return self._mistake("file.choice", ja, en, listed, value=(near or choices)[0])

    def _pattern(self, pattern: str) -> Mistake:
        ja, en = "見本の形で書いてください。", "Write it in the form of the example."
        if pattern.startswith("^[a-z"):
            ja = "半角英小文字と数字で書いてください。"
            en = "Write lower-case letters and digits."
        return self._mistake("file.form", ja, en, pattern)

    def _mistake(
        self,
        code: str,
        ja: str,
        en: str,
        expected: str = "",
        *,
        value: str = "",
        example: str = "",
        at_parent: bool = False,
    ) -> Mistake:
        mark = self.tree.at(self.path[:-1] if at_parent else self.path)
        return Mistake(
            file=self.tree.file,
            line=mark.line,
            column=mark.column,
            key=key_text(self.path),
            code=code,
            ja=ja,
            en=en,
            expected=expected,
            example=example or self._example(self.path, self.annotation, value),
        )

    def _example(self, path: Path, annotation: Any, value: str = "") -> str:
        key = next((step for step in reversed(path) if isinstance(step, str)), "")
        if isinstance(annotation, FieldInfo) and annotation.examples:
            return f"{key}: {flow(annotation.examples[0])}"
        if key in self.examples:
            return self.examples[key]
        if not value and isinstance(annotation, FieldInfo):
            value = _by_type(annotation.annotation)
        return f"{key}: {value}" if key and value else ""


def flow(value: Any) -> str:
    """Return a value as YAML in one line.

    >>> flow({"code": "69-2-1", "consent": "child-notices"})
    '{code: 69-2-1, consent: child-notices}'
    """
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {flow(held)}" for key, held in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(flow(held) for held in value) + "]"
    if isinstance(value, str) and (value[:1].isdigit() or ":" in value) and "-2-" not in value:
        return json.dumps(value, ensure_ascii=False)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _follow(loc: tuple[int | str, ...], value: Any, model: Any) -> tuple[Path, Any]:
    """Return the path in the file of pydantic's ``loc``, and the field or model found there.

    ``loc`` also holds names of union members; a step that is neither in the file nor a field of the
    model is such a name.
    """
    path: list[str | int] = []
    place: Any = model
    for number, step in enumerate(loc):
        fields = _fields(place)
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
        if inside:
            value = value[step]
        elif isinstance(step, str):
            value = None
        if step in fields:
            place = fields[str(step)]
        elif not is_last or not fields:
            place = _item(place)
    return tuple(path), place


def _plain(place: Any) -> Any:
    """Return the annotation of a field without Annotated and without ``| None``."""
    held = place.annotation if isinstance(place, FieldInfo) else place
    while get_origin(held) is not None and hasattr(held, "__metadata__"):
        held = get_args(held)[0]
    if get_origin(held) in (Union, UnionType):
        members = [m for m in get_args(held) if m is not type(None)]
        if len(members) == 1:
            return _plain(members[0])
    return held


def _fields(place: Any) -> dict[str, FieldInfo]:
    """Return the fields by the names that the file uses."""
    held = _plain(place)
    if get_origin(held) in (Union, UnionType):
        return {}
    if isinstance(held, type) and issubclass(held, BaseModel):
        return {field.alias or name: field for name, field in held.model_fields.items()}
    return {}


def _item(place: Any) -> Any:
    """Return what a list or a mapping holds."""
    arguments = get_args(_plain(place))
    return (
        arguments[-1] if arguments and arguments[-1] is not Ellipsis else (arguments or (None,))[0]
    )


def _tags(place: Any) -> set[Any]:
    return set(_members(place))


def _members(place: Any) -> dict[Any, Any]:
    """Return the models of a union by the values of their discriminator and by their names."""
    held = _plain(place)
    if get_origin(held) not in (Union, UnionType):
        return {}
    found: dict[Any, Any] = {}
    for member in get_args(held):
        kind = _plain(member)
        if isinstance(kind, type):
            found[kind.__name__] = kind
            for field in _fields(kind).values():
                if get_origin(field.annotation) is Literal:
                    found.update(dict.fromkeys(get_args(field.annotation), kind))
    return found


def _member(place: Any, step: int | str) -> Any:
    return _members(place).get(step, place)


def _choices(expected: str) -> list[str]:
    """Read pydantic's list of choices.

    >>> _choices("'mynumber', 'lgwan' or 'internet'")
    ['mynumber', 'lgwan', 'internet']
    """
    return [part.strip().strip("'") for part in expected.replace(" or ", ", ").split(",")]


def _by_type(annotation: Any) -> str:
    held = _plain(annotation)
    if get_origin(held) is Literal:
        return flow(get_args(held)[0])
    if isinstance(held, type) and issubclass(held, Enum):
        return str(next(iter(held)).value)
    return {int: "1", str: "…", bool: "true", float: "0.05"}.get(held, "")
