"""A link under codes: the hall speaks of names, the receiver's layout of codes."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from kumobashi.directory.entries import Directory
from kumobashi.planning.coding import coded_layout_text, is_coded_from, logical_layout
from kumobashi.planning.errors import WorkspaceBroken
from kumobashi.planning.plan import plan
from kumobashi.planning.workspace import Workspace, load
from kumobashi.release.coding import Codebook, codebook

ON = date(2026, 11, 21)
LINK = "notice-attributes"
CODED = "notice-attributes-2026q4"
CODING = "coding: {columns: keyed, order: shuffled, epoch: 2026Q4, layout: notice-attributes}\n"


def change(folder: Path, file: str, before: str, after: str) -> None:
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), encoding="utf-8")


def code(folder: Path) -> Codebook:
    """Put the sample's link under codes, as the command does; return the codebook."""
    change(folder, f"rules/{LINK}.yaml", "gate:", f"{CODING}gate:")
    workspace = load(folder)
    logical = logical_layout(workspace, workspace.link(LINK))
    book = codebook(bytes(32), "notice-cloud", "notice_attributes", "2026Q4", logical.names)
    coding = workspace.rules[LINK].coding
    assert coding is not None
    text = coded_layout_text(logical, book, coding)
    (folder / f"layouts/{CODED}.yaml").write_text(text, encoding="utf-8")
    change(folder, "systems/notice-cloud.yaml", "layout: notice-attributes,", f"layout: {CODED},")
    return book


def coded(folder: Path, workspace: Workspace) -> set[str]:
    return set(workspace.layout("notice-cloud.notice_attributes").names)


def test_the_receivers_layout_has_codes_and_no_word_of_what_they_mean(folder: Path) -> None:
    book = code(folder)

    text = (folder / f"layouts/{CODED}.yaml").read_text(encoding="utf-8")
    workspace = load(folder)
    logical = logical_layout(workspace, workspace.link(LINK))

    assert coded(folder, workspace) == set(book.order)
    assert [f.name for f in workspace.layouts.get(CODED, "1").fields] == list(book.order)
    assert workspace.layouts.get(CODED, "1").key == (book.codes["token"],)
    for field in logical.fields:
        assert field.ja not in text
        assert field.name not in text.replace("notice-attributes", "")
        same = workspace.layouts.get(CODED, "1").field(book.codes[field.name])
        assert (same.type, same.digits, same.required) == (field.type, field.digits, field.required)
        assert same.code_list is None


def test_the_plan_speaks_of_names_and_is_permitted(folder: Path, directory: Directory) -> None:
    code(folder)

    found = plan(load(folder), directory, LINK, on=ON)

    assert [item.name for item in found.items][:3] == ["token", "base_date", "sex"]
    assert found.items[3].ja == "生年月"
    # Only the directory, which was published before, must be published anew.
    assert [reason.code for reason in found.reasons] == ["planning.directory_stale"]


def test_before_the_receiver_has_the_coded_layout_nothing_leaves(
    folder: Path, directory: Directory
) -> None:
    change(folder, f"rules/{LINK}.yaml", "gate:", f"{CODING}gate:")

    found = plan(load(folder), directory, LINK, on=ON)

    (reason,) = found.reasons
    assert reason.code == "planning.layout_not_coded"
    assert reason.where.file == "systems/notice-cloud.yaml"
    assert CODED in reason.example


@pytest.mark.parametrize("on", [date(2026, 9, 30), date(2027, 1, 1)])
def test_a_key_epoch_that_is_over_or_not_begun_is_refused(
    folder: Path, directory: Directory, on: date
) -> None:
    code(folder)

    reasons = plan(load(folder), directory, LINK, on=on).reasons

    (over,) = [r for r in reasons if r.code == "planning.epoch_over"]
    assert over.where.key == "coding"


def test_a_layout_of_another_shape_is_not_the_coded_one(folder: Path) -> None:
    code(folder)
    workspace = load(folder)
    logical, held = workspace.layouts.get(LINK, "1"), workspace.layouts.get(CODED, "1")

    assert is_coded_from(held, logical)
    assert not is_coded_from(logical, logical)
    assert not is_coded_from(replace(held, fields=held.fields[1:]), logical)
    wider = replace(held.fields[0], digits=99)
    assert not is_coded_from(replace(held, fields=(wider, *held.fields[1:])), logical)


def test_a_logical_layout_that_is_not_there_is_told(folder: Path) -> None:
    said = CODING.replace("layout: notice-attributes", "layout: notice-attribute")
    change(folder, f"rules/{LINK}.yaml", "gate:", f"{said}gate:")

    with pytest.raises(WorkspaceBroken) as broken:
        load(folder)

    (found,) = broken.value.mistakes
    assert (found.code, found.key) == ("workspace.unknown", "coding.layout")
    assert "notice-attributes" in found.ja
