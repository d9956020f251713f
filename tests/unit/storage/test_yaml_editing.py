"""One place of a YAML text changes; every other byte stays."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from kumobashi.storage.yaml_editing import added, changed, holds, removed, value_of

SAMPLE = Path("src/kumobashi/planning/sample")
FILES = sorted(str(path) for kind in ("systems", "sites") for path in (SAMPLE / kind).glob("*"))
VALUES = st.recursive(
    st.integers() | st.booleans() | st.text(st.characters(codec="utf-8", exclude_categories=["C"])),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), inner, max_size=3)
    ),
    max_leaves=6,
)
KEYS = st.from_regex(r"zz[a-z0-9_]{1,9}", fullmatch=True)


def _read(file: str) -> str:
    return Path(file).read_bytes().decode("utf-8")


@given(file=st.sampled_from(FILES), key=KEYS, inner=st.lists(KEYS, max_size=2), value=VALUES)
def test_what_is_added_and_removed_again_leaves_every_byte(
    file: str, key: str, inner: list[str], value: object
) -> None:
    text, path = _read(file), (key, *inner)

    longer = added(text, path, value)

    assert holds(longer, path)
    found = value_of(longer)
    for step in path:
        found = found[step]
    assert found == value
    assert {k: v for k, v in value_of(longer).items() if k != key} == value_of(text)
    assert removed(longer, path) == text


@given(file=st.sampled_from(FILES), value=VALUES)
def test_a_changed_value_is_read_back_and_all_else_is_what_it_was(file: str, value: object) -> None:
    text = _read(file)

    other = changed(text, ("name",), value)

    assert value_of(other) == value_of(text) | {"name": value}
    rows, was = other.splitlines(), text.splitlines()
    assert [a for a, b in zip(rows, was, strict=True) if a != b] in (
        [], [row for row in rows if row.startswith("name: ")],
    )  # fmt: skip
    assert changed(other, ("name",), value_of(text)["name"]) == text


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        ("a: {b: 1, c: 2} # x\n", ("a", "b"), "a: {c: 2} # x\n"),
        ("a: {b: 1, c: 2} # x\n", ("a", "c"), "a: {b: 1} # x\n"),
        ("a: {b: 1}\n", ("a", "b"), "a: {}\n"),
        ("a:\n  b: 1 # x\n  c: 2\nd: 3", ("a", "b"), "a:\n  c: 2\nd: 3"),
        ("a:\n  b:\n    - 1\n# of d\nd: 3", ("a", "b"), "# of d\nd: 3"),
        ("a: |\n  text\n\nd: 3\n", ("d",), "a: |\n  text\n\n"),
    ],
)
def test_the_comma_and_the_emptied_mapping_go_too(
    text: str, path: tuple[str, ...], expected: str
) -> None:
    assert removed(text, path) == expected


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        ("a: {} # x\n", ("a", "b"), "a: {b: 1} # x\n"),
        ("a: {c: 2}\n", ("a", "b"), "a: {c: 2, b: 1}\n"),
        ("a:\r\n  c: 2\r\nd: 3\r\n", ("a", "b"), "a:\r\n  c: 2\r\n  b: 1\r\nd: 3\r\n"),
        ("a: 1", ("b",), "a: 1\nb: 1\n"),
        ("a:\n  - 1\n  - 2 # last\n\n# of d\nd: 3\n", ("a",), "a: 1 # last\n\n# of d\nd: 3\n"),
        ('a: "1" # x\n', ("a",), "a: 1 # x\n"),
    ],
)
def test_line_ends_and_comments_stay(text: str, path: tuple[str, ...], expected: str) -> None:
    assert changed(text, path, 1) == expected


def test_a_quoted_value_stays_quoted() -> None:
    assert changed('url: "http://a"\n', ("url",), "http://b") == 'url: "http://b"\n'


@pytest.mark.parametrize(
    ("text", "path"),
    [("a: 1\n", ("a", "b")), ("a: [1]\n", ("a", "b")), ("- 1\n", ("a",)), ("\ufeffa: 1\n", ("b",))],
)
def test_what_is_no_mapping_takes_no_key(text: str, path: tuple[str, ...]) -> None:
    with pytest.raises(KeyError):
        added(text, path, 1)


def test_nothing_is_taken_out_that_is_not_there() -> None:
    for path in (("b",), ("a",)):  # the last key of a file stays
        with pytest.raises(KeyError):
            removed("a: 1\n", path)


def test_a_block_keeps_its_own_lines_and_comments() -> None:
    block = "name: 照会 # 名前\nkind: rest\n\nversions:\n  v1: {}\n"

    text = added("services:\n  a: 1\nz: 2\n", ("services", "b"), block=block)

    assert YAML(typ="safe").load(text)["services"]["b"] == value_of(block)
    assert "    name: 照会 # 名前\n" in text
    assert removed(text, ("services", "b")) == "services:\n  a: 1\nz: 2\n"
