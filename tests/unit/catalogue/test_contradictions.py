from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumobashi.catalogue.contradictions import contradictions, overlaps
from kumobashi.catalogue.errors import LayoutBroken, LayoutsOverlap
from kumobashi.catalogue.fields import Layout
from kumobashi.catalogue.layouts import layout_from, load_layouts

BEGIN = date(2026, 4, 1)


def tree(*fields: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "kumobashi": 1,
        "layout": "cards",
        "version": "1",
        "name": "利用券",
        "source": "架空市",
        "valid_from": BEGIN,
        "key": ["no"],
        "fields": [{"name": "no", "ja": "番号", "type": "X", "sensitivity": "identifier"}, *fields],
        **more,
    }


def of(kind: str, **more: Any) -> dict[str, Any]:
    return {"name": "a", "ja": "あ", "type": kind, "sensitivity": "personal", **more}


@pytest.mark.parametrize("layout", list(load_layouts()), ids=lambda held: held.layout)
def test_shipped_layouts_hang_together(layout: Layout) -> None:
    assert list(contradictions(layout)) == []


def test_shipped_versions_overlap_only_where_they_say_so() -> None:
    assert list(overlaps(load_layouts())) == []


@pytest.mark.parametrize(
    ("field", "key"),
    [
        (of("DATE", digits=10), "fields[1].digits"),
        (of("TIME", digits=8), "fields[1].digits"),
        (of("YEAR", digits=4), "fields[1].digits"),
        (of("9V", digits=3), "fields[1].digits"),
        (of("X", digits="3,2"), "fields[1].digits"),
        (of("X", digits="3.2"), "fields[1].digits"),
        (of("X", digits=True), "fields[1].digits"),
        (of("X", digits=1, code_list="care_level"), "fields[1].digits"),
        (of("X", digits=10, code_list="relationship"), "fields[1].digits"),
        (of("9", code_list="vaccine"), "fields[1].code_list"),
        (of("DATE", code_list="sex"), "fields[1].code_list"),
        (of("X", code_list="colour"), "fields[1].code_list"),
        (of("X", condition={"field": "a"}), "fields[1].condition"),
        (of("X", condition={"field": "b"}), "fields[1].condition"),
        (of("X", condition={"field": "no"}, required=True), "fields[1].condition"),
        (of("X", condition={"of": "no"}), "fields[1].condition.of"),
        (of("X", condition="no"), "fields[1].condition."),
        (of("X", repeat=[3, 1]), "fields[1].repeat"),
        (of("X", repeat=[0]), "fields[1].repeat"),
        (of("X", ja="番号"), "fields[1].ja"),
        ({"item": "birth_date", "digits": 10}, "fields[1].digits"),
        ({"item": "birth_date", "type": "X"}, "fields[1].type"),
        ({"item": "birthdate"}, "fields[1].item"),
        ({"name": "a", "ja": "あ", "type": "X"}, "fields[1].sensitivity"),
    ],
)
def test_a_field_that_contradicts_itself_is_refused_at_its_key(
    field: dict[str, Any], key: str
) -> None:
    with pytest.raises(LayoutBroken) as caught:
        layout_from(tree(field), "cards.yaml")

    assert (caught.value.file, caught.value.key) == ("cards.yaml", key)


def test_a_condition_on_a_value_that_cannot_be_is_refused() -> None:
    condition = {"field": "sex", "one_of": ["7"]}
    with pytest.raises(LayoutBroken) as caught:
        layout_from(tree({"item": "sex"}, of("X", condition=condition)), "cards.yaml")

    assert caught.value.key == "fields[2].condition"


def test_an_end_before_the_beginning_is_refused() -> None:
    with pytest.raises(LayoutBroken) as caught:
        layout_from(tree(valid_to=BEGIN - timedelta(days=1)), "cards.yaml")

    assert caught.value.key == "valid_to"


def version(name: str, first: int, days: int | None, parallel: tuple[str, ...] = ()) -> Layout:
    begin = BEGIN + timedelta(days=first)
    end = None if days is None else begin + timedelta(days=days)
    said = {"version": name, "valid_from": begin, "valid_to": end}
    if parallel:
        said["parallel"] = list(parallel)
    return layout_from(tree(**said), "cards.yaml")


@given(st.integers(0, 20), st.none() | st.integers(0, 20), st.integers(0, 20), st.integers(0, 20))
def test_versions_overlap_when_they_share_a_day(
    first: int, days: int | None, second: int, more: int
) -> None:
    one, other = version("1", first, days), version("2", second, more)
    shared = [
        day for day in range(second, second + more + 1) if one.is_valid(BEGIN + timedelta(days=day))
    ]

    assert bool(list(overlaps([one, other]))) == bool(shared)
    assert list(overlaps([one, version("2", second, more, ("1",))])) == []


def test_the_version_that_follows_is_the_one_of_a_day() -> None:
    layouts = load_layouts()

    assert layouts.on("child-allowance", date(2024, 9, 30)).version == "2012"
    assert layouts.on("child-allowance", date(2024, 10, 1)).version == "2"
    assert layouts.on("child-allowance", date(2026, 11, 22)).version == "2"
    assert layouts.on("resident-registry", date(2026, 9, 30)).version == "1"
    assert layouts.on("resident-registry", date(2026, 10, 1)).version == "2"


def test_a_folder_with_two_versions_of_one_day_is_refused(tmp_path: Any) -> None:
    for number in ("1", "2"):
        (tmp_path / f"cards-{number}.yaml").write_text(
            f'kumobashi: 1\nlayout: cards\nversion: "{number}"\nname: 利用券\nsource: 架空市\n'
            "key: [resident_no]\nfields:\n  - {item: resident_no, required: true}\n",
            encoding="utf-8",
        )

    with pytest.raises(LayoutsOverlap) as caught:
        load_layouts(tmp_path)

    assert "parallel" in caught.value.remedy("ja")


def test_a_folder_with_one_version_in_two_files_is_refused(tmp_path: Any) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text(
            'kumobashi: 1\nlayout: cards\nversion: "1"\nname: 利用券\nsource: 架空市\n'
            "key: [resident_no]\nfields:\n  - {item: resident_no, required: true}\n",
            encoding="utf-8",
        )

    with pytest.raises(LayoutsOverlap):
        load_layouts(tmp_path)
