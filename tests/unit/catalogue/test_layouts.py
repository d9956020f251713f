import subprocess
import sys
from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumobashi.catalogue.code_lists import load_code_lists, read_code_list
from kumobashi.catalogue.contradictions import overlaps
from kumobashi.catalogue.errors import (
    CodeListBroken,
    CodeListUnknown,
    LayoutBroken,
    LayoutUnknown,
)
from kumobashi.catalogue.layouts import Layout, layout_from, load_layouts

LOCAL = """kumobashi: 1
layout: library-cards
version: "2"
name: 図書館利用者
valid_from: 2027-04-01
valid_to: 2030-03-31
source: 架空市
own_shape: true
key: [card_no]
fields:
  - {name: card_no, ja: 利用券番号, type: X, digits: 8, required: true, sensitivity: identifier}
  - {name: since, ja: 登録年月日, type: DATE, sensitivity: personal}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "library.yaml").write_text(LOCAL, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("layout", list(load_layouts()), ids=lambda layout: layout.layout)
def test_shipped_layouts_have_keys_sources_and_known_code_lists(layout: Layout) -> None:
    assert layout.key
    assert layout.source
    assert set(layout.key) <= set(layout.names)
    for field in layout.fields:
        assert field.ja
        assert field.code_list is None or field.code_list in load_code_lists()
        assert "個人番号" not in field.ja


def test_only_the_public_item_ids_of_nonresidents_are_given() -> None:
    given = {
        (layout.layout, field.item_id)
        for layout in load_layouts()
        for field in layout.fields
        if field.item_id is not None
    }
    # 03100002 is the individual number, which no layout holds.
    public = {f"031{number:05}" for number in range(1, 30)} - {"03100002"}
    assert given == {("nonresidents", number) for number in public}


def test_local_layouts_join_the_shipped_ones(folder: Path) -> None:
    layouts = load_layouts(folder)
    assert len(layouts) == len(load_layouts()) + 1
    assert layouts.versions("library-cards") == ("2",)
    assert layouts.get("library-cards", "2").field("since").type == "DATE"


def test_a_folder_that_is_not_there_adds_nothing(tmp_path: Path) -> None:
    assert len(load_layouts(tmp_path / "layouts")) == len(load_layouts())


def test_an_unknown_layout_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(LayoutUnknown) as caught:
        load_layouts().get("resident-registry", "9")
    assert "resident-registry 1" in caught.value.remedy("en")


def test_validity_chooses_the_version_of_a_day(folder: Path) -> None:
    layouts = load_layouts(folder)
    assert layouts.on("library-cards", date(2027, 4, 1)).version == "2"
    for day in (date(2027, 3, 31), date(2030, 4, 1)):
        with pytest.raises(LayoutUnknown):
            layouts.on("library-cards", day)


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("kumobashi: 1", "kumobashi: 2", "kumobashi"),
        ('version: "2"', "version: 2", "version"),
        ("type: DATE", "type: DAY", "fields[1].type"),
        ("digits: 8", "digits: -8", "fields[0].digits"),
        ("digits: 8", "digit: 8", "fields[0].digit"),
        ("sensitivity: personal", "sensitivity: secret", "fields[1].sensitivity"),
        ("name: since", "name: card_no", "fields"),
        ("key: [card_no]", "key: [card]", "key"),
        ("valid_from: 2027-04-01", "valid_from: spring", "valid_from"),
        ("valid_to: 2030-03-31", "valid_to: 2030-03-31 12:00:00", "valid_to"),
        ("own_shape: true", "own_shape: [", "YAML"),
        ("own_shape: true", "colour: red", "colour"),
    ],
)
def test_a_broken_layout_names_the_file_and_the_key(
    folder: Path, old: str, new: str, key: str
) -> None:
    (folder / "library.yaml").write_text(LOCAL.replace(old, new), encoding="utf-8")
    with pytest.raises(LayoutBroken) as caught:
        load_layouts(folder)
    assert caught.value.file == "library.yaml"
    assert caught.value.key == key


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.dates(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
)


@given(json_like)
def test_anything_that_is_no_layout_is_refused_in_words(tree: object) -> None:
    with pytest.raises(LayoutBroken):
        layout_from(tree, "x.yaml")


@given(
    st.sampled_from(
        ["layout", "version", "name", "source", "key", "fields", "valid_from", "own_shape"]
    ),
    json_like,
)
def test_one_wrong_value_never_fails_in_another_way(key: str, value: object) -> None:
    tree: dict[str, object] = {
        "kumobashi": 1,
        "layout": "a",
        "version": "1",
        "name": "あ",
        "source": "x",
        "valid_from": date(2026, 4, 1),
        "own_shape": True,
        "key": ["n"],
        "fields": [{"name": "n", "ja": "番号", "type": 9, "sensitivity": "public"}],
    }
    assert layout_from(tree, "x.yaml").fields[0].type == "9"
    with suppress(LayoutBroken):
        layout_from({**tree, key: value}, "x.yaml")


def test_importing_layouts_needs_no_engine() -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, kumobashi.catalogue.layouts; "  # noqa: ISC004 - one program
            "print([m for m in ('duckdb', 'pyarrow', 'numpy', 'ruamel.yaml') if m in sys.modules])",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


def test_code_lists_say_where_they_come_from() -> None:
    for name, codes in load_code_lists().items():
        assert len(codes.values) == len(set(codes.values)), name
        assert all(code.source and code.ja and code.en for code in codes.codes), name


@given(st.lists(st.sampled_from(["02", "12", "20", "99"]), min_size=1, max_size=6))
def test_relationships_chain_up_to_four_codes(parts: list[str]) -> None:
    assert (",".join(parts) in load_code_lists()["relationship"]) == (len(parts) <= 4)


def test_a_chain_is_read_in_words() -> None:
    assert load_code_lists()["relationship"].ja("20,12") == "子の妻"
    assert "20,12" not in load_code_lists()["sex"]


def test_an_unknown_code_list_is_refused() -> None:
    with pytest.raises(CodeListUnknown, match="colour"):
        load_code_lists()["colour"]
    assert len(load_code_lists()) == len(list(load_code_lists()))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("code,ja\n", 1),
        ("code,ja,en,own_shape,source\n", 2),
        ("code,ja,en,own_shape,source\n1,一,one\n", 2),
        ("code,ja,en,own_shape,source\n1,,one,no,x\n", 2),
        ("code,ja,en,own_shape,source\n1,一,one,no,x\n2,二,two,no,x\n1,壱,one,no,x\n", 4),
        ("code,ja,en,own_shape,source,valid_from,valid_to\n1,一,one,no,x,spring,\n", 2),
    ],
)
def test_a_broken_code_list_names_the_line(tmp_path: Path, text: str, line: int) -> None:
    path = tmp_path / "x.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CodeListBroken) as caught:
        read_code_list(path)
    assert caught.value.line == line


def test_what_ships_is_named_for_its_layout_and_version_and_no_two_are_of_one_day() -> None:
    shipped = load_layouts()

    named = [(name, version) for name in shipped.names() for version in shipped.versions(name)]

    assert sorted((layout.layout, layout.version) for layout in shipped) == sorted(named)
    assert list(overlaps(shipped)) == []
