import re
from pathlib import Path

import pytest

from kumobashi.catalogue.code_lists import load_code_lists
from kumobashi.catalogue.errors import ItemUnknown, RegistryBroken
from kumobashi.catalogue.items import load_items, read_items
from kumobashi.catalogue.layouts import load_layouts

HEADER = "item,item_id,ja,romaji,en,type,digits,fixed,code_list,sensitivity,own_shape,source\n"
RIGHT = "sex,03100011,性別,seibetsu,sex,X,1,,sex,attribute,no,da\n"
SOURCES = {"da": "デジタル庁"}


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    path = tmp_path / "items.csv"
    path.write_text(HEADER + RIGHT, encoding="utf-8")
    return path


def test_a_registry_is_read(registry: Path) -> None:
    item = read_items(registry, SOURCES)["sex"]

    assert (item.ja, item.romaji, item.type, item.digits) == ("性別", "seibetsu", "X", 1)
    assert item.source == "デジタル庁"
    assert not item.own_shape


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("sex,0310", "Sex,0310", "item"),
        ("03100011", "3100011", "item_id"),
        ("性別,", ",", "ja"),
        ("seibetsu", "性別", "romaji"),
        (",X,", ",Z,", "type"),
        (",X,1,", ",X,0,", "digits"),
        (",X,1,,", ",X,1,perhaps,", "fixed"),
        ("attribute", "secret", "sensitivity"),
        (",no,", ",,", "own_shape"),
        (",da", ",hearsay", "source"),
        (",da", "", "-"),
    ],
)
def test_a_broken_line_names_file_line_and_column(
    registry: Path, old: str, new: str, key: str
) -> None:
    registry.write_text(HEADER + RIGHT.replace(old, new, 1), encoding="utf-8")

    with pytest.raises(RegistryBroken) as caught:
        read_items(registry, SOURCES)

    assert (caught.value.file, caught.value.line, caught.value.key) == ("items.csv", 2, key)


def test_an_item_defined_twice_is_refused(registry: Path) -> None:
    registry.write_text(HEADER + RIGHT + RIGHT, encoding="utf-8")

    with pytest.raises(RegistryBroken) as caught:
        read_items(registry, SOURCES)

    assert caught.value.line == 3


def test_another_header_is_refused(registry: Path) -> None:
    registry.write_text(RIGHT, encoding="utf-8")

    with pytest.raises(RegistryBroken, match="line 1"):
        read_items(registry, SOURCES)


def test_an_unknown_item_is_refused_with_the_nearest() -> None:
    with pytest.raises(ItemUnknown) as caught:
        load_items()["birthdate"]

    assert "birth_date" in caught.value.remedy("en")


def test_every_item_is_used_and_every_shipped_field_is_an_item() -> None:
    used = {field.item for layout in load_layouts() for field in layout.fields}

    assert used == set(load_items())


def test_items_are_sound() -> None:
    lists = load_code_lists()
    ids = [item_id for item in load_items().values() for item_id in item.item_ids]

    assert len(ids) == len(set(ids))
    for item in load_items().values():
        assert "個人番号" not in item.ja
        assert "kojinbango" not in item.romaji
        assert item.code_list is None or item.code_list in list(lists)
        # Whoever has a public id has a public definition.
        assert not (item.item_ids and item.own_shape)
        # Long vowels are not written: tokyo, not tōkyō or toukyou.
        assert not re.search(r"ou(?!chi)|uu(?!m)|oo", item.romaji.replace("_", " ")), item.romaji


def test_names_in_json_are_unique_within_a_layout() -> None:
    for layout in load_layouts():
        names = [field.romaji for field in layout.fields]
        assert len(names) == len(set(names)), layout.layout
        assert "" not in names


def test_an_item_id_belongs_to_its_business() -> None:
    assert load_layouts().get("nonresidents", "1").field("sex").item_id == "03100011"
    assert load_layouts().get("resident-registry", "2").field("sex").item_id is None


def test_the_trial_record_counts_the_household_by_each_year_of_age() -> None:
    names = load_layouts().get("trial-attributes", "1").names

    assert len(names) == 109
    assert names[6] == "household_members_of_age_0"
    assert names[105:107] == ("household_members_of_age_99", "household_members_of_100")
    field = load_layouts().get("trial-attributes", "1").field("household_members_of_age_7")
    assert (field.ja, field.romaji) == ("世帯構成（人数）7歳", "setaikosei_ninzu_7sai")
