"""Layouts of a workspace: what contradicts itself is told with file, line and key, all at once."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kumobashi.catalogue.fields import Condition, Field, Layout
from kumobashi.catalogue.layouts import load_layouts
from kumobashi.crypto.canonical import canonical, digest
from kumobashi.planning.decisions import layout_hash
from kumobashi.planning.errors import WorkspaceBroken
from kumobashi.planning.sampling import write_sample
from kumobashi.planning.workspace import Workspace, load

HEAD = """kumobashi: 1
layout: library-cards
version: "1"
name: 図書館利用者
source: 架空市
key: [card_no]
fields:
  - {name: card_no, ja: 利用券番号, type: X, digits: 8, required: true, sensitivity: identifier}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_sample(tmp_path / "city")


def with_layout(folder: Path, text: str, name: str = "library-cards") -> Workspace:
    (folder / "layouts" / f"{name}.yaml").write_text(text, encoding="utf-8")
    return load(folder)


def mistakes(folder: Path, text: str) -> list[tuple[int, str, str]]:
    with pytest.raises(WorkspaceBroken) as caught:
        with_layout(folder, text)
    return [(m.line, m.key, m.code) for m in caught.value.mistakes]


def test_a_local_layout_may_name_items_of_the_registry(folder: Path) -> None:
    text = HEAD + "  - {item: birth_date}\n  - {item: sex, name: gender, ja: 性別（任意）}\n"
    layout = with_layout(folder, text).layouts.get("library-cards", "1")

    assert layout.field("birth_date").romaji == "seinengappi"
    assert layout.field("gender").code_list == "sex"
    assert layout.field("gender").item == "sex"


def test_contradictions_are_told_together_with_their_lines(folder: Path) -> None:
    text = HEAD + (
        "  - {name: a, ja: あ, type: DATE, digits: 10, sensitivity: personal}\n"
        "  - {name: b, ja: い, type: X, digits: 1, code_list: care_level, sensitivity: special}\n"
        "  - {name: c, ja: う, type: X, condition: {field: nobody}, sensitivity: personal}\n"
    )
    code = "workspace.layout_contradicts"

    assert mistakes(folder, text) == [
        (9, "fields[1].digits", code),
        (10, "fields[2].digits", code),
        (11, "fields[3].condition", code),
    ]


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("{item: birthdate}", "fields[1].item"),
        ("{item: birth_date, type: X}", "fields[1].type"),
        ("{name: a, ja: あ, type: X}", "fields[1].sensitivity"),
    ],
)
def test_a_field_is_an_item_or_says_all_by_itself(folder: Path, line: str, key: str) -> None:
    assert [(n, k) for n, k, _ in mistakes(folder, f"{HEAD}  - {line}\n")] == [(9, key)]


def test_a_local_version_of_the_same_days_must_say_so(folder: Path) -> None:
    text = HEAD.replace("library-cards", "consents").replace('"1"', '"9"')

    assert mistakes(folder, text) == [(1, "valid_from", "workspace.layouts_overlap")]
    said = text.replace("key:", 'parallel: ["1"]\nkey:')
    assert with_layout(folder, said).layouts.versions("consents") == ("1", "9")


def test_a_code_list_that_is_not_there_is_told_once_with_the_nearest(folder: Path) -> None:
    text = HEAD + "  - {name: a, ja: あ, type: X, code_list: sexes, sensitivity: attribute}\n"

    assert mistakes(folder, text) == [(9, "fields[1].code_list", "workspace.unknown")]


def test_one_version_in_two_files_is_told_at_the_second(folder: Path) -> None:
    (folder / "layouts" / "cards.yaml").write_text(HEAD, encoding="utf-8")

    assert mistakes(folder, HEAD) == [(3, "version", "workspace.twice")]


# -- what of a layout an approval covers -----------------------------------------------------------


def with_field(layout: Layout, name: str, **changed: Any) -> Layout:
    fields: tuple[Field, ...] = tuple(
        replace(field, **changed) if field.name == name else field for field in layout.fields
    )
    return replace(layout, fields=fields)


def test_layouts_that_say_nothing_new_keep_the_hash_that_was_approved() -> None:
    layout = load_layouts().get("resident-registry", "1")
    fields = [
        [f.name, f.type, f.digits, f.code_list, f.required, f.sensitivity] for f in layout.fields
    ]

    assert layout_hash(layout) == digest(canonical(fields))


def test_what_a_layout_asks_of_a_table_changes_its_hash_and_words_do_not() -> None:
    layout = load_layouts().get("resident-registry", "2")
    changed = [
        replace(layout, is_strict=False),
        with_field(layout, "birth_date_label", condition=Condition(field="sex")),
        with_field(layout, "municipality_code", is_fixed=False),
        with_field(layout, "display_order", decimals=1),
    ]

    assert len({layout_hash(one) for one in (layout, *changed)}) == 5
    assert layout_hash(with_field(layout, "sex", ja="せいべつ", romaji="x")) == layout_hash(layout)
