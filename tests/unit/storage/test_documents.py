from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from kumobashi.storage.documents import LARGEST_BYTES, Document, Mistake, read, read_text


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    kind: Literal["inner"]
    size: int = Field(ge=1, examples=[3])


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid")
    kumobashi: Literal[1]
    name: str = Field(examples=["架空市"])
    colour: Colour = Colour.RED
    day: date | None = None
    share: float = 0.5
    inner: list[Inner] = []
    codes: dict[str, list[str | int]] = {}
    is_on: bool = False


def told(text: str) -> Mistake:
    found = read_text(text, Model, file="m.yaml")
    assert isinstance(found, tuple)
    assert len(found) == 1, [m.say() for m in found]
    return found[0]


def test_a_good_file_gives_its_value_and_the_lines_of_its_keys() -> None:
    text = 'kumobashi: 1\nname: 架空市\nday: "2026-11-21"\ninner:\n  - {kind: inner, size: 2}\n'

    document = read_text(text, Model, file="m.yaml")

    assert isinstance(document, Document)
    assert document.value.day == date(2026, 11, 21)
    assert (document.line("day"), document.line("inner", 0, "size")) == (3, 5)
    assert document.line("colour") == 1  # not written: the nearest thing around it


@pytest.mark.parametrize(
    ("text", "code", "line", "word"),
    [
        ("name: x\n", "file.format", 1, "kumobashi: 1"),
        ("kumobashi: 2\nname: x\n", "file.format", 1, "新しい"),
        ("kumobashi: 0\nname: x\n", "file.format", 1, "upgrade"),
        ("kumobashi: true\nname: x\n", "file.format", 1, "読めません"),
        ("- a\n", "file.not_keys", 1, "項目"),
        ("", "file.not_keys", 1, "項目"),
        ("kumobashi: 1\nname: a: b\n", "file.syntax", 2, "「:」"),
        ("kumobashi: 1\nname:\n\t- x\n", "file.syntax", 3, "タブ"),
        ("kumobashi: 1\nname: 'x\n", "file.syntax", 2, "引用符"),
        ("kumobashi: 1\nname: @x\n", "file.syntax", 2, "記号"),
        ("kumobashi: 1\nname: &a x\n", "file.alias", 2, "アンカー"),
        ("kumobashi: 1\nname: !!python/object:os.system x\n", "file.tag", 2, "タグ"),
        ("kumobashi: 1\nname: x\n---\nb: 1\n", "file.two_documents", 3, "2つ目"),
        ("kumobashi: 1\nname: \x01\n", "file.control_character", 2, "制御文字"),
        ("kumobashi: 1\nname: x\nname: y\n", "file.key_twice", 3, "2行目"),
        ("kumobashi: 1\nname: " + "[" * 40 + "]" * 40 + "\n", "file.too_deep", 2, "入れ子"),
        ("kumobashi: 1\nname: x\ncolour: rad\n", "file.choice", 3, "「red」"),
        ("kumobashi: 1\nname: x\nday: 昨日\n", "file.type", 3, "日付"),
        ("kumobashi: 1\nname: x\nshare: half\n", "file.type", 3, "数"),
        ("kumobashi: 1\nname: x\nis_on: yes\n", "file.type", 3, "true"),
        ("kumobashi: 1\nname: x\ninner: {a: 1}\n", "file.type", 3, "並び"),
        ("kumobashi: 1\nname: x\ninner: [{kind: inner, size: 0}]\n", "file.limit", 3, "1 以上"),
        ("kumobashi: 1\nname: x\ninner: [{kind: inner, size: 1.5}]\n", "file.type", 3, "整数"),
        ("kumobashi: 1\nname: 5\n", "file.type", 2, "引用符"),
    ],
)
def test_every_kind_of_mistake_is_told_in_words(text: str, code: str, line: int, word: str) -> None:
    found = told(text)

    assert (found.code, found.line) == (code, line)
    assert word in found.ja
    assert found.en
    assert "Input should" not in found.en
    assert "Input should" not in found.ja


def test_a_code_that_would_lose_its_zero_is_a_mistake() -> None:
    found = told('kumobashi: 1\nname: x\ncodes: {a: ["01", 02]}\n')

    assert (found.code, found.example) == ("file.leading_zero", 'a: "02"')


def test_billions_of_laughs_are_not_even_begun() -> None:
    lines = ["kumobashi: 1", "a: &a [x, x]"]
    lines += [f"{b}: &{b} [*{a}, *{a}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)]

    assert told("\n".join(lines)).code == "file.alias"


def test_a_large_file_and_a_foreign_charset_are_refused(tmp_path: Path) -> None:
    large, foreign = tmp_path / "large.yaml", tmp_path / "sjis.yaml"
    large.write_text("#" * (LARGEST_BYTES + 1), encoding="ascii")
    foreign.write_bytes("kumobashi: 1\nname: 架空市\n".encode("cp932"))

    codes = [read(path, Model, root=tmp_path) for path in (large, foreign, tmp_path / "none.yaml")]

    assert [found[0].code for found in codes if isinstance(found, tuple)] == [
        "file.too_large",
        "file.not_utf8",
        "file.missing",
    ]
    assert isinstance(codes[1], tuple)
    assert codes[1][0].line == 2


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_bytes(b"\xef\xbb\xbfkumobashi: 1\nname: x\n")

    assert isinstance(read(path, Model), Document)


@given(st.text(max_size=200))
def test_no_text_at_all_gets_past_as_an_exception(text: str) -> None:
    found = read_text(text, Model, file="m.yaml")

    assert isinstance(found, tuple | Document)


@given(
    st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=40)
)
def test_what_is_quoted_comes_back(name: str) -> None:
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    document = read_text(f'kumobashi: 1\nname: "{quoted}"\n', Model, file="m.yaml")

    if isinstance(document, Document):
        assert document.value.name.split() == name.split()  # YAML folds line separators
    else:
        assert document[0].code in {"file.control_character", "file.syntax"}
