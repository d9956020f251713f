"""Bringing files up to date, and what to see to."""

from datetime import date
from pathlib import Path

import pytest

from kumobashi.planning.cautions import cautions
from kumobashi.planning.errors import WorkspaceBroken
from kumobashi.planning.upgrading import upgrades, write
from kumobashi.planning.workspace import load
from tests.unit.planning.test_plan import ON, edit

NEXT = date(2027, 4, 1)
SYSTEM, LAYOUT = "systems/citizen-app.yaml", "layouts/welfare-profiles.yaml"


def second_version(folder: Path, *, without: str = "") -> None:
    """End the first version of a local layout, and add a second."""
    text = (folder / LAYOUT).read_text("utf-8")
    edit(
        folder,
        LAYOUT,
        'valid_from: "2026-04-01"',
        'valid_from: "2026-04-01"\nvalid_to: "2027-03-31"',
    )
    text = text.replace('version: "1"', 'version: "2"').replace("2026-04-01", "2027-04-01")
    kept = [line for line in text.splitlines() if not without or without not in line]
    (folder / "layouts/welfare-profiles-2.yaml").write_text("\n".join(kept) + "\n", "utf-8")


def test_a_current_workspace_has_nothing_to_do(folder: Path) -> None:
    assert upgrades(folder, on=ON) == []


def test_a_layout_that_is_over_gives_way_to_the_next_and_only_that_line_changes(
    folder: Path,
) -> None:
    second_version(folder)

    assert upgrades(folder, on=ON) == []
    (found,) = upgrades(folder, on=NEXT)

    assert found.file == SYSTEM
    changed = [line for line in found.diff().splitlines()[2:] if line[:1] in "+-"]
    assert changed == [
        '-  welfare_profiles: {layout: welfare-profiles, version: "1", table: welfare_profiles}',
        '+  welfare_profiles: {layout: welfare-profiles, version: "2", table: welfare_profiles}',
    ]
    assert "第1版 → 第2版" in found.why_ja[0]
    assert (folder / SYSTEM).read_text("utf-8") == found.before  # nothing is written unasked

    write(folder, [found])

    assert load(folder).dataset("citizen-app.welfare_profiles")[1].version == "2"
    assert upgrades(folder, on=NEXT) == []


def test_a_newer_layout_that_would_break_a_link_is_not_taken(folder: Path) -> None:
    second_version(folder, without="assistance_kind")

    assert upgrades(folder, on=NEXT) == []
    codes = {(c.code, c.file) for c in cautions(load(folder), on=NEXT)}
    assert ("caution.layout_ends", SYSTEM) in codes


def test_schema_lines_and_schemas_are_put_right(folder: Path) -> None:
    edit(folder, "sites/hall-core.yaml", "$schema=../.schemas/site.json", "$schema=old.json")
    main = folder / "kumobashi.yaml"
    rest = main.read_text("utf-8").partition("\n")[2]
    main.write_text(rest, encoding="utf-8")
    (folder / ".schemas/link.json").write_text("{}", encoding="utf-8")

    found = upgrades(folder, on=ON)
    write(folder, found)

    assert [rewrite.file for rewrite in found] == [
        "kumobashi.yaml",
        "sites/hall-core.yaml",
        ".schemas/link.json",
    ]
    assert main.read_text("utf-8").partition("\n")[2] == rest
    assert upgrades(folder, on=ON) == []


def test_a_broken_workspace_is_corrected_before_it_is_upgraded(folder: Path) -> None:
    edit(folder, SYSTEM, "contact: vendor-b", "contact: nobody")

    with pytest.raises(WorkspaceBroken):
        upgrades(folder, on=ON)


def test_the_sample_has_nothing_to_see_to(folder: Path) -> None:
    assert cautions(load(folder), on=ON) == []


def test_ends_that_come_near_and_files_that_nobody_uses_are_named(folder: Path) -> None:
    edit(folder, "links/notice-attributes.yaml", "2036-03-31", "2026-12-31")
    edit(folder, "sites/public-cloud.yaml", "2036-03-31", "2026-11-30")
    edit(
        folder,
        "kumobashi.yaml",
        "  it-desk:",
        "  nobody: {name: 前の担当, phone: 000-000-0099, hours: なし}\n  it-desk:",
    )
    (folder / "links/resident-to-school.yaml").unlink()
    edit(folder, "links/resident-to-collection.yaml", "utf-8-bom", 'utf-8, substitutes: {"髙": 高}')

    found = {(c.code, c.file, c.key) for c in cautions(load(folder), on=ON)}

    assert found == {
        ("caution.basis_ends", "links/notice-attributes.yaml", "legal_basis.until"),
        (
            "caution.certification_ends",
            "sites/public-cloud.yaml",
            "certifications[0].valid_to",
        ),
        (
            "caution.substitutes_unused",
            "links/resident-to-collection.yaml",
            "characters.substitutes",
        ),
        ("caution.unused", "kumobashi.yaml", "contacts.nobody"),
        ("caution.unused", "rules/resident-to-school.yaml", "release"),
        ("caution.unused", "systems/school-register.yaml", "system"),
    }


def test_codes_that_no_list_has_and_items_that_are_too_long_are_seen_before_the_night(
    folder: Path,
) -> None:
    edit(folder, "rules/notice-attributes.yaml", 'one: ["1", "3"]', 'one: ["1", "7"]')
    edit(
        folder, "rules/resident-to-school.yaml", 'resident_status: ["1"]', 'resident_status: ["5"]'
    )
    edit(
        folder,
        "layouts/school-register-residents.yaml",
        "digits: 300",
        "digits: 40",
    )
    edit(folder, "layouts/collection-addressees.yaml", "type: X, digits: 7", 'type: "9", digits: 7')

    found = {(c.code, c.file, c.key): c for c in cautions(load(folder), on=ON)}

    assert found.keys() == {
        ("caution.code", "rules/notice-attributes.yaml", "columns[9].one[1]"),
        ("caution.code", "rules/resident-to-school.yaml", "subject.only.resident_status[0]"),
        ("caution.digits", "rules/resident-to-school.yaml", "columns[11].of"),
        ("caution.type", "rules/resident-to-collection.yaml", "columns[8].of"),
    }
    assert all(caution.line > 1 and caution.expected for caution in found.values())


def test_the_layout_of_an_answer_is_seen_to_like_that_of_a_dataset(folder: Path) -> None:
    old = folder / "layouts/collection-payments.yaml"
    text = old.read_text(encoding="utf-8")
    first = 'valid_from: "2026-04-01"\n'
    old.write_text(text.replace(first, f'{first}valid_to: "2026-12-31"\n'), encoding="utf-8")
    new = text.replace('version: "1"', 'version: "2"').replace(first, 'valid_from: "2027-01-01"\n')
    (folder / "layouts/collection-payments-2.yaml").write_text(new, encoding="utf-8")
    later = date(2027, 1, 5)

    told = {(c.code, c.file, c.key) for c in cautions(load(folder), on=later)}
    (rewrite,) = [one for one in upgrades(folder, on=later) if one.file.startswith("systems/")]

    at = "services.payments.versions.v1.operations.searchPayments.answer.version"
    assert ("caution.layout_ends", "systems/collection.yaml", at) in told
    assert rewrite.file == "systems/collection.yaml"
    assert rewrite.why_en[0].startswith("searchPayments: layout collection-payments 1 → 2")
    assert 'layout: collection-payments, version: "2"' in rewrite.after
