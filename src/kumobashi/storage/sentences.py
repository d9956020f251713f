"""Say in Japanese and English what a pydantic model did not like, and what would be right.

Every type of error that our models can give has a sentence here; pydantic's own words reach nobody.
"""

import difflib
import json
from collections.abc import Mapping
from enum import Enum
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from kumobashi.storage.mistakes import Mistake, Path, Said, key_text, mistake_at
from kumobashi.storage.model_places import fields_of, follow, plain
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
_MOST = 100  # mistakes of one file that are told; more help nobody
_ANY_TYPE = (
    "ここに書ける値ではありません。見本の形にしてください",
    "This value cannot stand here",
    "",
)
_SECRETS = {"password", "passwd", "pass", "secret", "token", "key", "api_key", "credentials"}
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
    meant: set[str] = set()  # keys that are missing because they are misspelt
    for detail in error.errors(include_url=False)[:_MOST]:
        path, annotation = follow(detail["loc"], tree.value, model)
        mistake = _Telling(detail, path, annotation, tree, examples).tell()
        found.setdefault((*path, detail["type"] if path == () else ""), mistake)
        if mistake.code == "file.unknown_key":
            meant.add(key_text((*path[:-1], mistake.expected)))
    told = [m for m in found.values() if m.code != "file.missing_key" or m.key not in meant]
    return sorted(told, key=lambda m: (m.line, m.column, m.key))


class _Telling:
    """One error of pydantic, on its way to becoming a mistake."""

    def __init__(
        self,
        detail: ErrorDetails,
        path: Path,
        annotation: object,
        tree: Tree,
        examples: Mapping[str, str],
    ) -> None:
        self.kind = detail["type"]
        self.got = detail["input"]
        self.ctx: dict[str, Any] = detail.get("ctx", {})
        self.path = path
        self.annotation = annotation
        self.tree = tree
        self.examples = examples

    def tell(self) -> Mistake:
        match self.kind:
            case "missing" | "union_tag_not_found":
                return self._missing()
            case "extra_forbidden":
                return self._unknown_key()
            case "literal_error" | "enum" | "union_tag_invalid":
                return self._choice()
            case "value_error":
                return self._own_check()
            case "string_pattern_mismatch":
                return self._pattern()
            case _:
                return self._limit() if self.kind in _LIMITS else self._type()

    def _missing(self) -> Mistake:
        if self.kind == "union_tag_not_found":
            self.path = (*self.path, str(self.ctx["discriminator"]).strip("'"))
        key = str(self.path[-1])
        return mistake_at(
            self.tree.file,
            self.tree.at(self.path[:-1]),
            self.path,
            code="file.missing_key",
            ja=f"必要な項目「{key}」がありません。",
            en=f"The key {key!r} is missing.",
            expected=key,
            example=self._example(self.path, self.annotation),
        )

    def _unknown_key(self) -> Mistake:
        key = str(self.path[-1])
        fields = fields_of(self.annotation)
        near = difflib.get_close_matches(key, fields, n=1, cutoff=0.6)
        example, expected = "", " | ".join(fields)
        ja = f"「{key}」という項目はありません。"
        en = f"The key {key!r} is unknown"
        if key.lower() in _SECRETS:
            ja = f"「{key}」に秘密を書かないでください。ファイルか環境変数の名前で指します。"
            en = f"Never write a secret such as {key!r} here; name a file or a variable instead."
            example = "dsn: file:private/hall-core/db.dsn"
        elif near:
            ja += f"「{near[0]}」ではありませんか。"
            en += f"; {near[0]!r} was probably meant."
            example, expected = self._example((near[0],), fields[near[0]]), near[0]
        else:
            ja += f"使える項目: {', '.join(fields)}。"
            en += f"; known are: {', '.join(fields)}."
        return mistake_at(
            self.tree.file,
            self.tree.key_at(self.path),
            self.path,
            code="file.secret" if key.lower() in _SECRETS else "file.unknown_key",
            ja=ja,
            en=en,
            expected=expected,
            example=example,
        )

    def _choice(self) -> Mistake:
        got = str(self.got)
        if self.kind == "union_tag_invalid":
            self.path = (*self.path, str(self.ctx["discriminator"]).strip("'"))
            got = str(self.ctx["tag"])
        choices = _choices(self.ctx.get("expected") or self.ctx["expected_tags"])
        near = difflib.get_close_matches(got, choices, n=1, cutoff=0.5)
        listed = " | ".join(choices)
        ja = f"「{got}」は使えません。使える値: {listed}。"
        en = f"{got!r} is not a choice; choices are: {listed}."
        if near:
            ja = f"「{got}」は使えません。「{near[0]}」ではありませんか（使える値: {listed}）。"
            en = f"{got!r} is not a choice; {near[0]!r} was probably meant ({listed})."
        key = next((step for step in reversed(self.path) if isinstance(step, str)), "")
        return mistake_at(
            self.tree.file,
            self.tree.at(self.path),
            self.path,
            code="file.choice",
            ja=ja,
            en=en,
            expected=listed,
            example=f"{key}: {(near or choices)[0]}",
        )

    def _own_check(self) -> Mistake:
        """Tell what a model's own validator found."""
        error = self.ctx.get("error")
        if isinstance(error, Said):
            self.path += error.at
            return mistake_at(
                self.tree.file,
                self.tree.at(self.path),
                self.path,
                code="file.value",
                ja=error.ja,
                en=error.en,
                example=error.example or self._example(self.path, self.annotation),
            )
        ja = f"項目どうしが合っていません（{error}）。"
        return self._value("file.value", ja, f"This does not hang together: {error}.", "")

    def _pattern(self) -> Mistake:
        pattern = str(self.ctx["pattern"])
        ja, en = "見本の形で書いてください。", "Write it in the form of the example."
        if pattern.startswith("^[a-z"):
            ja = "半角の英小文字と数字で書いてください。"
            en = "Write lower-case letters and digits."
        return self._value("file.form", ja, en, pattern)

    def _limit(self) -> Mistake:
        key, ja, en, expected = _LIMITS[self.kind]
        n = self.ctx[key]
        return self._value("file.limit", ja.format(n=n), en.format(n=n), expected.format(n=n))

    def _type(self) -> Mistake:
        ja, en, value = _TYPES.get(self.kind, _ANY_TYPE)
        return self._value("file.type", ja, en, self.kind.removesuffix("_type"), value)

    def _value(self, code: str, ja: str, en: str, expected: str, value: str = "") -> Mistake:
        """Return a mistake about the value at the path."""
        return mistake_at(
            self.tree.file,
            self.tree.at(self.path),
            self.path,
            code=code,
            ja=ja if ja.endswith("。") else f"{ja}。",
            en=en if en.endswith(".") else f"{en}.",
            expected=expected,
            example=self._example(self.path, self.annotation, value),
        )

    def _example(self, path: Path, annotation: object, value: str = "") -> str:
        key = next((step for step in reversed(path) if isinstance(step, str)), "")
        if isinstance(annotation, FieldInfo) and annotation.examples:
            return f"{key}: {flow(annotation.examples[0])}"
        if key in self.examples:
            return self.examples[key]
        if not value and isinstance(annotation, FieldInfo):
            value = _by_type(annotation.annotation)
        return f"{key}: {value}" if key and value else ""


def flow(value: object) -> str:
    """Return a value as YAML in one line.

    >>> flow({"code": "69-2-1", "consent": "child-notices"})
    '{code: "69-2-1", consent: child-notices}'
    """
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {flow(held)}" for key, held in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(flow(held) for held in value) + "]"
    if isinstance(value, str) and (value[:1].isdigit() or ":" in value):
        return json.dumps(value, ensure_ascii=False)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _choices(expected: str) -> list[str]:
    """Read pydantic's list of choices.

    >>> _choices("'mynumber', 'lgwan' or 'internet'")
    ['mynumber', 'lgwan', 'internet']
    """
    return [part.strip().strip("'") for part in expected.replace(" or ", ", ").split(",")]


def _by_type(annotation: object) -> str:
    held = plain(annotation)
    if get_origin(held) is Literal:
        return flow(get_args(held)[0])
    if isinstance(held, type) and issubclass(held, Enum):
        return str(next(iter(held)).value)
    return (
        {int: "1", str: "…", bool: "true", float: "0.05"}.get(held, "")
        if isinstance(held, type)
        else ""
    )
