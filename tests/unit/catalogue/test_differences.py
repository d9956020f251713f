from dataclasses import replace
from datetime import date

import pytest

from kumobashi.catalogue.differences import Change, differences
from kumobashi.catalogue.fields import Condition, Layout
from kumobashi.catalogue.layouts import load_layouts

REGISTER = load_layouts().get("resident-registry", "2")


@pytest.mark.parametrize("layout", list(load_layouts()), ids=lambda held: held.layout)
def test_a_layout_does_not_differ_from_itself(layout: Layout) -> None:
    assert differences(layout, layout).is_empty


def test_what_came_is_what_went_the_other_way() -> None:
    old, new = (load_layouts().get("resident-registry", version) for version in ("1", "2"))
    there, back = differences(old, new), differences(new, old)

    def named(kind: str, of: object) -> set[str]:
        return {c.name for c in of.fields if c.kind == kind}  # type: ignore[attr-defined]

    assert named("added", there) == named("removed", back)
    assert named("removed", there) == named("added", back)
    assert len(named("changed", there)) == len(named("changed", back))


def test_a_column_that_was_renamed_is_one_change() -> None:
    fields = tuple(
        replace(field, name="gender") if field.name == "sex" else field for field in REGISTER.fields
    )
    (change,) = differences(REGISTER, replace(REGISTER, fields=fields)).fields

    assert (change.kind, change.name) == ("changed", "gender")
    assert change.changes == (Change(of="name", old="sex", new="gender"),)


def test_each_property_is_told_with_what_it_was() -> None:
    label = REGISTER.field("birth_date_label")
    changed = replace(
        label, digits=80, required=False, condition=Condition(field="sex"), sensitivity="special"
    )
    fields = tuple(changed if f is label else f for f in REGISTER.fields)
    new = replace(REGISTER, fields=fields, valid_to=date(2027, 3, 31), key=("full_name",))
    found = differences(REGISTER, new)

    assert found.fields[0].changes == (
        Change(of="size", old="72", new="80"),
        Change(of="condition", old="birth_date_unknown=1", new="sex"),
        Change(of="sensitivity", old="personal", new="special"),
    )
    assert found.whole == (
        Change(of="key", old="resident_no", new="full_name"),
        Change(of="valid_to", old="", new="2027-03-31"),
    )
    assert not found.is_reordered


def test_another_order_is_told() -> None:
    assert differences(REGISTER, replace(REGISTER, fields=REGISTER.fields[::-1])).is_reordered
