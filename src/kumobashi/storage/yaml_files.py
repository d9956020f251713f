r"""Turn YAML text into plain values that remember where each of them stood.

Only the quiet part of YAML is read: no aliases (so no billion laughs), no tags, one document, a
bounded size, depth and number of values. Numbers with leading zeros are mistakes, because ``001``
would silently become ``1``; such a code is written in quotation marks.

>>> tree = parse("site: hall-core\nparts: [1, 2]\n", "sites/hall-core.yaml")
>>> tree.value
{'site': 'hall-core', 'parts': [1, 2]}
>>> tree.at(("parts", 1))
Mark(line=2, column=12)
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from kumobashi.storage.mistakes import Mark, Mistake, Path, mistake_at

DEEPEST = 32  # levels of nesting
MOST_VALUES = 10_000  # of one file; the largest of ours has a few hundred
_INT = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(
    r"[-+]?(0|[1-9][0-9]*)?\.[0-9]+([eE][-+]?[0-9]+)?|[-+]?[1-9][0-9]*[eE][-+]?[0-9]+"
)
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]+")
_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}

# What ruamel.yaml says, found by a part of it, and what we say instead.
_SYNTAX = (
    (
        "mapping values are not allowed",
        "ここに「:」は書けません。前の行の字下げを確かめるか、値を引用符で囲んでください。",
        "A colon cannot stand here; check the indentation, or put the value in quotation marks.",
        'name: "庁内: 基幹系"',
    ),
    (
        "'\\t'",
        "字下げにタブは使えません。空白2つで字下げしてください。",
        "Indent with two spaces, not with a tab.",
        "  site: hall-core",
    ),
    (
        "expected ',' or ']'",
        "「[」で始めた並びが「]」で閉じられていません。",
        "A list that begins with [ is not closed with ].",
        "codes: [a, b]",
    ),
    (
        "expected ',' or '}'",
        "「{」で始めた組が「}」で閉じられていません。",
        "A mapping that begins with { is not closed with }.",
        "store: {kind: duckdb}",
    ),
    (
        "unexpected end of stream",
        "引用符が閉じられていません。",
        "A quotation mark is not closed.",
        'name: "架空市"',
    ),
    (
        "that cannot start any token",
        "この記号で値を始めることはできません。引用符で囲んでください。",
        "A value cannot begin with this sign; put it in quotation marks.",
        'mail: "@架空"',
    ),
    (
        "expected <block end>",
        "字下げがそろっていません。同じ組の項目は同じ位置から書いてください。",
        "Lines of one group must begin at the same column.",
        "site: hall-core",
    ),
    (
        "could not find expected ':'",
        "項目名のあとに「:」がありません。",
        "A colon is missing behind the key.",
        "site: hall-core",
    ),
)


class NotReadable(Exception):
    """The text is no YAML that we read."""

    def __init__(self, mistake: Mistake) -> None:
        super().__init__(mistake.en)
        self.mistake = mistake


@dataclass(frozen=True, slots=True)
class Tree:
    """A value, and the marks of its keys and values by path."""

    file: str
    value: Any
    keys: dict[Path, Mark]
    values: dict[Path, Mark]
    mistakes: tuple[Mistake, ...] = ()  # what can be told while reading on

    def at(self, path: Path) -> Mark:
        """Return where the value at ``path`` stands, or else the nearest thing around it."""
        for length in range(len(path), -1, -1):
            if mark := self.values.get(path[:length]):
                return mark
        return Mark(1, 1)

    def key_at(self, path: Path) -> Mark:
        """Return where the key at the end of ``path`` stands."""
        return self.keys.get(path) or self.at(path)


def parse(text: str, file: str) -> Tree:
    """Read one YAML document; raise :class:`NotReadable` where reading on makes no sense."""
    reader = _Reader(file)
    try:
        events = YAML(typ="safe", pure=True).parse(text)
        return reader.read(events)
    except MarkedYAMLError as error:
        raise NotReadable(_syntax(file, text, error)) from None
    except YAMLError:
        line, column = _first_control_character(text)
        raise NotReadable(
            mistake_at(
                file,
                Mark(line, column),
                (),
                code="file.control_character",
                ja="文字として扱えない制御文字が入っています。消してください。",
                en="A control character stands here; delete it.",
            )
        ) from None


@dataclass(slots=True)
class _Reader:
    """Walks over the events of the parser and builds values."""

    file: str
    keys: dict[Path, Mark] = field(default_factory=dict)
    values: dict[Path, Mark] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)
    count: int = 0  # of values, those of a key that stands twice too

    def read(self, events: Iterator[Event]) -> Tree:
        value: object = None
        documents = 0
        for event in events:
            if isinstance(event, DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise NotReadable(
                        self._mistake(
                            event,
                            (),
                            code="file.two_documents",
                            ja="2つ目の文書（---）があります。ファイルを分けてください。",
                            en="A second document (---) begins here; use one file for each.",
                        )
                    )
                value = self._value(next(events), events, ())
        return Tree(self.file, value, self.keys, self.values, tuple(self.mistakes))

    def _value(self, event: Event, events: Iterator[Event], path: Path) -> object:
        self._refuse_clever(event, path)
        self.values[path] = _mark(event)
        self.count += 1
        if self.count > MOST_VALUES:
            raise NotReadable(
                self._mistake(
                    event,
                    path,
                    code="file.too_many_values",
                    ja=f"値が {MOST_VALUES:,} 個を超えています。"
                    "設定ファイルにデータを入れないでください。",
                    en=f"There are more than {MOST_VALUES:,} values;"
                    " data do not belong into settings.",
                )
            )
        if isinstance(event, ScalarEvent):
            return self._scalar(event, path)
        if isinstance(event, SequenceStartEvent):
            return self._sequence(events, path)
        return self._mapping(events, path)

    def _sequence(self, events: Iterator[Event], path: Path) -> list[object]:
        items: list[object] = []
        while not isinstance(event := next(events), SequenceEndEvent):
            items.append(self._value(event, events, (*path, len(items))))
        return items

    def _mapping(self, events: Iterator[Event], path: Path) -> dict[str, object]:
        held: dict[str, object] = {}
        while not isinstance(event := next(events), MappingEndEvent):
            self._refuse_clever(event, path)
            if not isinstance(event, ScalarEvent):
                raise NotReadable(
                    self._mistake(
                        event,
                        path,
                        code="file.key_not_text",
                        ja="項目名は1つの語で書いてください。",
                        en="A key must be a single word.",
                    )
                )
            below = (*path, str(event.value))
            if event.value in held:
                first = self.keys[below].line
                self.mistakes.append(
                    self._mistake(
                        event,
                        below,
                        code="file.key_twice",
                        ja=f"「{event.value}」が2回あります（1回目は {first}行目）。"
                        "どちらかを消してください。",
                        en=f"{event.value!r} stands twice (first in line {first}); delete one.",
                    )
                )
            self.keys[below] = _mark(event)
            held[event.value] = self._value(next(events), events, below)
        return held

    def _scalar(self, event: ScalarEvent, path: Path) -> object:
        text: str = event.value
        if event.style is not None:  # quoted, or a block of text
            return text
        if text in _WORDS:
            return _WORDS[text]
        if _INT.fullmatch(text):
            return int(text) if len(text) < 20 else text  # noqa: PLR2004 - beyond 64 bits it is a code
        if _FLOAT.fullmatch(text):
            return float(text)
        if _LEADING_ZERO.fullmatch(text):
            key = next((step for step in reversed(path) if isinstance(step, str)), "-")
            self.mistakes.append(
                self._mistake(
                    event,
                    path,
                    code="file.leading_zero",
                    ja=f"先頭が 0 の {text} は引用符で囲んでください。囲まないと 0 が消えます。",
                    en=f"Put {text} in quotation marks, or its leading zeros are lost.",
                    example=f'{key}: "{text}"',
                )
            )
        return text

    def _refuse_clever(self, event: Event, path: Path) -> None:
        if len(path) > DEEPEST:
            code, ja, en = "file.too_deep", "入れ子が深すぎます。", "The nesting is too deep."
            path = path[:3]
        elif isinstance(event, AliasEvent) or getattr(event, "anchor", None):
            code = "file.alias"
            ja = "YAML のアンカー（&）と参照（*）は使えません。値をそのまま書いてください。"
            en = "Anchors (&) and aliases (*) are not read; write the value itself."
        elif tag := getattr(event, "tag", None):
            code = "file.tag"
            ja = f"YAML のタグ（{tag}）は使えません。値だけを書いてください。"
            en = f"Tags ({tag}) are not read; write the value alone."
        else:
            return
        raise NotReadable(self._mistake(event, path, code=code, ja=ja, en=en))

    def _mistake(
        self, event: Event, path: Path, *, code: str, ja: str, en: str, example: str = ""
    ) -> Mistake:
        mark = _mark(event)
        return mistake_at(self.file, mark, path, code=code, ja=ja, en=en, example=example)


def _mark(event: Event) -> Mark:
    return Mark(event.start_mark.line + 1, event.start_mark.column + 1)


def _syntax(file: str, text: str, error: MarkedYAMLError) -> Mistake:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    opened = ("end of stream", "expected ','")  # told where it was opened, not where it was missed
    if error.context_mark and any(part in (error.problem or "") for part in opened):
        line, column = error.context_mark.line + 1, error.context_mark.column + 1
    ja, en, example = (
        "YAML として読めません。この行と前の行の字下げ、引用符、括弧を確かめてください。",
        "This is no YAML; check indentation, quotation marks and brackets here and one line above.",
        "site: hall-core",
    )
    for part, said_ja, said_en, right in _SYNTAX:
        if part in (error.problem or ""):
            ja, en, example = said_ja, said_en, right
            break
    line = min(line, text.count("\n") + 1)
    return mistake_at(
        file,
        Mark(line, column),
        (),
        code="file.syntax",
        ja=ja,
        en=en,
        expected="YAML",
        example=example,
    )


def _first_control_character(text: str) -> tuple[int, int]:
    for number, line in enumerate(text.split("\n"), 1):
        for column, char in enumerate(line, 1):
            if not (char.isprintable() or char in "\t\r\u3000"):
                return number, column
    return 1, 1
