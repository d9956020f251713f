r"""Read the files that people write, and tell them everything that is wrong at once.

A file is YAML, begins ``kumobashi: 1``, and is checked by a pydantic model. What comes out is a
:class:`Document`, which knows the line of every key, or the mistakes: file, line, column, key, what
was expected, in Japanese and English, with an example and the nearest known key.

>>> from pydantic import BaseModel, ConfigDict
>>> class Site(BaseModel):
...     model_config = ConfigDict(extra="forbid")
...     kumobashi: int
...     site: str
...     port: int
>>> for mistake in read_text("kumobashi: 1\nsite: a\nprot: 80\n", Site, file="a.yaml"):
...     print(mistake.line, mistake.key, mistake.en, mistake.example)
3 prot The key 'prot' is unknown; 'port' was probably meant. port: 1
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path as FilePath
from typing import Generic, TypeVar

from pydantic import BaseModel, ValidationError

from kumobashi.storage.mistakes import Mark, Mistake, Path, Said, mistake_at
from kumobashi.storage.sentences import explain
from kumobashi.storage.yaml_files import NotReadable, Tree, parse

__all__ = ["FORMAT", "Document", "Mark", "Mistake", "Path", "Said", "read", "read_text"]

FORMAT = 1  # the number behind ``kumobashi:``; one release back stays readable
LARGEST_BYTES = 512 * 1024
_ATTEMPTS = 3
_MOST_MISTAKES = 100  # of one file that are told; more help nobody
# A workspace is read again whenever one of its files is saved; the others are as they were.
_parsed = lru_cache(maxsize=1_024)(parse)

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Document(Generic[M]):
    """A file that was read: its value, and where each part of it stands."""

    file: str
    value: M
    tree: Tree

    def line(self, *path: str | int) -> int:
        """Return the line of the key at ``path``, or of the nearest thing around it."""
        return self.tree.key_at(path).line

    def mistake(
        self, path: Path, *, code: str, ja: str, en: str, expected: str = "", example: str = ""
    ) -> Mistake:
        """Return a mistake about the value at ``path``, found after the file was read."""
        mark = self.tree.at(path)
        return mistake_at(
            self.file, mark, path, code=code, ja=ja, en=en, expected=expected, example=example
        )


def read(
    path: FilePath,
    model: type[M],
    *,
    root: FilePath | None = None,
    examples: Mapping[str, str] | None = None,
) -> Document[M] | tuple[Mistake, ...]:
    """Read ``path``; ``root`` is the folder that messages name files from.

    ``examples`` gives a right line by key, for models whose fields carry no example themselves.
    """
    file = path.relative_to(root).as_posix() if root else path.name
    try:
        if path.stat().st_size > LARGEST_BYTES:
            return (_too_large(file),)
        body = _whole(path)
    except FileNotFoundError:
        ja = "ファイルがありません。作ってください。"
        en = "The file is missing; make it."
        return (mistake_at(file, Mark(1, 1), (), code="file.missing", ja=ja, en=en),)
    except OSError:
        ja = "ファイルを読めません。権限を確かめてください。"
        en = "The file cannot be read; check its permissions."
        return (mistake_at(file, Mark(1, 1), (), code="file.unreadable", ja=ja, en=en),)
    if body is None:
        ja = "読んでいる間に書き換えられ続けています。保存が終わってから、もう一度試してください。"
        en = "The file keeps changing while it is read; try again when it is saved."
        return (mistake_at(file, Mark(1, 1), (), code="file.changing", ja=ja, en=en),)
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        mark = Mark(body.count(b"\n", 0, error.start) + 1, 1)
        ja = "UTF-8 として読めません。UTF-8 で保存し直してください（Shift_JIS は使えません）。"
        en = "This is not UTF-8; save the file as UTF-8 (Shift_JIS is not read)."
        return (mistake_at(file, mark, (), code="file.not_utf8", ja=ja, en=en),)
    return read_text(text, model, file=file, examples=examples)


def _whole(path: FilePath) -> bytes | None:
    """Return the bytes of one moment; ``None`` when the file changed during every attempt."""
    for _ in range(_ATTEMPTS):
        before = path.stat()
        body = path.read_bytes()
        after = path.stat()
        if _state(before) == _state(after) and len(body) == after.st_size:
            return body
    return None


def _state(held: os.stat_result) -> tuple[int, int, int]:
    return held.st_ino, held.st_size, held.st_mtime_ns


def read_text(
    text: str, model: type[M], *, file: str, examples: Mapping[str, str] | None = None
) -> Document[M] | tuple[Mistake, ...]:
    """Check the text of a file."""
    if len(text) > LARGEST_BYTES:
        return (_too_large(file),)
    try:
        tree = _parsed(text, file)
    except NotReadable as error:
        return (error.mistake,)
    found = tree.mistakes[:_MOST_MISTAKES]
    if wrong := _header(tree):
        return (*found, wrong)
    try:
        # By way of JSON, because JSON in strict mode takes dates and enums from text but never
        # turns "1" into 1: what an editor's JSON Schema refuses is refused here too.
        value = model.model_validate_json(json.dumps(tree.value), strict=True)
    except ValidationError as error:
        return (*found, *explain(error, model, tree, examples or {}))
    return found or Document(file, value, tree)


def _header(tree: Tree) -> Mistake | None:
    """Check that the file is one of ours and of a release that this program can read."""
    right = f"kumobashi: {FORMAT}"
    if not isinstance(tree.value, dict):
        return mistake_at(
            tree.file,
            Mark(1, 1),
            (),
            code="file.not_keys",
            ja="「項目: 値」の形で書いてください。1行目は kumobashi: 1 です。",
            en="Write keys and values; the first line is kumobashi: 1.",
            expected=right,
            example=right,
        )
    got: object = tree.value.get("kumobashi")
    if type(got) is int and got == FORMAT:
        return None
    if got is None:
        ja = "1行目に kumobashi: 1 がありません。雲橋の設定ファイルの版を示します。"
        en = "The first line must be kumobashi: 1; it states the format of the file."
    elif type(got) is int and got > FORMAT:
        ja = (
            f"このファイルは新しい雲橋の形式 {got} です（この雲橋が読めるのは {FORMAT} まで）。"
            "雲橋を更新してください。"
        )
        en = f"This file has the newer format {got}; this program reads up to {FORMAT}. Update it."
    else:
        ja = (
            f"形式 {got!r} は読めません。kumobashi: {FORMAT} と書くか、"
            "kumobashi workspace upgrade で書き換えてください。"
        )
        en = f"Format {got!r} is not readable; write kumobashi: {FORMAT} or run workspace upgrade."
    path: Path = ("kumobashi",)
    mark = tree.at(path)
    return mistake_at(
        tree.file, mark, path, code="file.format", ja=ja, en=en, expected=right, example=right
    )


def _too_large(file: str) -> Mistake:
    size = f"{LARGEST_BYTES // 1024} KiB"
    return mistake_at(
        file,
        Mark(1, 1),
        (),
        code="file.too_large",
        ja=f"ファイルが大きすぎます（上限 {size}）。設定ファイルにデータを入れないでください。",
        en=f"The file is larger than {size}; data do not belong into settings.",
    )
