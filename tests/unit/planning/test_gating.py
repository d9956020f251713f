"""Nothing leaves the hall unmeasured: a rule without a gate is refused by the plan."""

from datetime import date
from pathlib import Path

import pytest

from kumobashi.directory.entries import Directory
from kumobashi.planning.errors import WorkspaceBroken
from kumobashi.planning.plan import Plan, plan
from kumobashi.planning.workspace import load

ON = date(2026, 11, 21)
CLOUD, HALL = "vaccination-reminders", "resident-to-nhi"
MAPPING = "{dataset: vaccinations, key: town, to: {city: resident_no}}"
WAIVED = "gate: {none: 庁内の国保に必要な項目だけを渡すため}\n"


def planned(folder: Path, directory: Directory, link: str) -> Plan:
    return plan(load(folder), directory, link, on=ON)


def change(folder: Path, file: str, before: str, after: str) -> None:
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), encoding="utf-8")


def gate_of(folder: Path, name: str, gate: str) -> None:
    """Put another gate, or none, in the place of the one a rule has."""
    path = folder / f"rules/{name}.yaml"
    head = path.read_text(encoding="utf-8").partition("\ngate:")[0].rstrip("\n")
    path.write_text(f"{head}\n{gate}", encoding="utf-8")


def test_without_a_gate_nothing_leaves_the_hall(folder: Path, directory: Directory) -> None:
    assert planned(folder, directory, CLOUD).is_permitted
    gate_of(folder, CLOUD, "")

    found = planned(folder, directory, CLOUD)

    (reason,) = found.reasons
    assert reason.code == "planning.gate_missing"
    assert (reason.where.file, reason.where.line) == (f"rules/{CLOUD}.yaml", 4)
    assert "公共クラウド" in reason.ja


def test_a_gate_cannot_be_waived_on_the_way_out(folder: Path, directory: Directory) -> None:
    gate_of(folder, CLOUD, WAIVED)

    assert [r.code for r in planned(folder, directory, CLOUD).reasons] == ["planning.gate_waived"]


@pytest.mark.parametrize("gate", ["", WAIVED])
def test_inside_the_hall_a_gate_is_not_asked_for(
    folder: Path, directory: Directory, gate: str
) -> None:
    gate_of(folder, HALL, gate)

    assert planned(folder, directory, HALL).is_permitted


def test_every_cloud_is_outside_the_hall(folder: Path, directory: Directory) -> None:
    gate_of(folder, CLOUD, "")
    change(folder, "sites/public-cloud.yaml", "kind: public_cloud", "kind: private_cloud")

    assert "planning.gate_missing" in [r.code for r in planned(folder, directory, CLOUD).reasons]


def test_tokens_and_constants_alone_need_no_gate(folder: Path, directory: Directory) -> None:
    gate_of(folder, CLOUD, "")
    change(
        folder,
        f"rules/{CLOUD}.yaml",
        "op: truncate, of: birth_date, to: month, ladder: [year]",
        'op: constant, value: "201711"',
    )

    assert planned(folder, directory, CLOUD).is_permitted


def test_a_gate_is_part_of_the_decision(folder: Path, directory: Directory) -> None:
    before = planned(folder, directory, CLOUD).hash
    change(folder, f"rules/{CLOUD}.yaml", "k_map: 5", "k_map: 10")

    assert planned(folder, directory, CLOUD).hash != before


@pytest.mark.parametrize(
    ("before", "after", "code", "key"),
    [
        (
            "ladder: [year]",
            "ladder: [year, drop]",
            "workspace.drop_required",
            "columns[1].ladder[1]",
        ),
        ("of: birth_date", "of: town_code", "workspace.operation_type", "columns[1].of"),
        (
            "op: truncate, of: birth_date, to: month, ladder: [year]",
            "op: keep, of: birth_date, ladder: [4]",
            "workspace.operation_type",
            "columns[1].of",
        ),
        (
            "population: residents",
            "population: vaccinations",
            "workspace.unknown",
            "gate.population",
        ),
        (
            "op: truncate, of: birth_date, to: month, ladder: [year]",
            "op: drop, of: birth_dat",
            "workspace.unknown",
            "columns[1].of",
        ),
        (
            "op: truncate, of: birth_date, to: month, ladder: [year]",
            f"op: area, of: town_code, to: city, mapping: {MAPPING}",
            "workspace.unknown",
            "columns[1].mapping.key",
        ),
    ],
)
def test_what_does_not_fit_the_datasets_is_told(
    folder: Path, before: str, after: str, code: str, key: str
) -> None:
    change(folder, f"rules/{CLOUD}.yaml", before, after)
    change(folder, f"rules/{CLOUD}.yaml", "on_fail: climb", "on_fail: refuse")

    with pytest.raises(WorkspaceBroken) as broken:
        load(folder)

    found = [m for m in broken.value.mistakes if (m.code, m.key) == (code, key)]
    assert found, broken.value.mistakes  # one for each column that is missing
    assert found[0].line > 1
