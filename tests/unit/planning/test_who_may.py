"""The plan asks who may have what: rows of the workspace, units, kinds, clouds and their ends."""

from datetime import date
from pathlib import Path

import pytest

from kumobashi.directory.entries import Directory
from kumobashi.planning.errors import WorkspaceBroken
from kumobashi.planning.plan import plan
from kumobashi.planning.questioning import question_of
from kumobashi.planning.workspace import Workspace, load
from kumobashi.policy.questions import Question

ON = date(2026, 11, 22)
LINK = "notice-attributes"


def edit(folder: Path, file: str, before: str, after: str) -> None:
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")


def without(folder: Path, beginning: str) -> None:
    """Take the row that begins so out of the workspace's who_may.csv."""
    path = folder / "policy/who_may.csv"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith(beginning)]
    assert len(kept) == len(lines) - 1
    path.write_text("".join(kept), encoding="utf-8")


def codes(folder: Path, directory: Directory, link: str, on: date = ON) -> list[str]:
    return [reason.code for reason in plan(load(folder), directory, link, on=on).reasons]


@pytest.mark.parametrize(
    ("row", "link"),
    [
        ("vaccination,notice-service,vaccinations,vaccination-r", "vaccination-reminders"),
        ("resident-tax,notice-service", LINK),
        ("resident-registry,childcare-service", "childcare-notices"),
    ],
)
def test_a_link_whose_row_is_gone_is_refused_at_the_dataset(
    folder: Path, directory: Directory, row: str, link: str
) -> None:
    without(folder, row)

    (refused,) = plan(load(folder), directory, link, on=ON).reasons

    assert refused.code == "policy.not_listed"
    assert refused.where.file == f"rules/{link}.yaml"
    assert refused.where.line > 1


def asked(workspace: Workspace, link: str) -> Question:
    return question_of(workspace, workspace.link(link), (), ())


def test_every_dataset_is_asked_for_but_that_of_the_consents(workspace: Workspace) -> None:
    read = {source.dataset for source in asked(workspace, "vaccination-reminders").sources}
    sent = {source.dataset for source in asked(workspace, "campaign-targets").sources}

    assert read == {"integrated-db.residents", "vaccination.vaccinations"}
    assert "consent-desk.consents" not in sent
    campaigns = [workspace.campaign(code) for code in ("infant-check-18m", "landslide")]
    assert {name for one in campaigns for name in one.datasets.values()} <= sent
    judged = [
        held.dataset for held in asked(workspace, "campaign-targets").sources if held.is_judged
    ]
    assert judged == ["integrated-db.residents"]


def test_what_a_campaign_judges_by_is_a_flag_beside_the_items(
    folder: Path, directory: Directory
) -> None:
    path = folder / "policy/who_may.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    row = "resident-registry,notice-service,resident-record,child-notices,"
    at = next(number for number, line in enumerate(lines) if line.startswith(row))
    lines[at] = lines[at].replace(",yes,*,", ",yes,token,")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    (refused,) = plan(load(folder), directory, "campaign-targets", on=ON).reasons

    assert refused.code == "policy.form_not_permitted"
    assert "対象者を選ぶことで" in refused.ja


def test_an_item_made_from_the_consents_is_asked_for(folder: Path, directory: Directory) -> None:
    column = "{name: nhi_insured, op: flag, dataset: nhi, of: qualification_kind, one: ["
    released = "{name: nhi_insured, op: flag, dataset: consents, of: purpose, one: [p, "
    edit(folder, f"rules/{LINK}.yaml", column, released)

    found = plan(load(folder), directory, LINK, on=ON).reasons

    assert "policy.forbidden" in [reason.code for reason in found]


def test_a_receiver_without_a_unit_is_refused_with_the_units_there_are(
    folder: Path, directory: Directory
) -> None:
    edit(folder, "systems/notice-cloud.yaml", "unit: notice-service\n", "")

    (refused,) = plan(load(folder), directory, LINK, on=ON).reasons

    assert refused.code == "policy.no_unit"
    assert refused.where.file == "systems/notice-cloud.yaml"
    assert "notice-service" in refused.remedy_ja


def test_an_old_workspace_is_read_and_its_links_are_refused(
    folder: Path, directory: Directory
) -> None:
    for path in (folder / "policy").glob("*.csv"):
        path.unlink()
    (folder / "policy").rmdir()

    assert codes(folder, directory, LINK) == ["policy.not_listed"] * 6 + ["policy.cloud_level"] * 2
    assert codes(folder, directory, "resident-to-nhi") == []


def test_a_certification_is_a_caution_from_90_days_ahead_and_a_refusal_when_it_is_over(
    folder: Path, directory: Directory
) -> None:
    edit(folder, "sites/public-cloud.yaml", "2036-03-31", "2027-03-31")
    workspace = load(folder)

    def planned(on: date) -> tuple[list[str], list[str]]:
        found = plan(workspace, directory, "vaccination-reminders", on=on)
        return [r.code for r in found.reasons], [c.code for c in found.cautions]

    assert planned(date(2026, 12, 30)) == ([], [])
    assert planned(date(2026, 12, 31)) == ([], ["policy.certification_ends"])
    assert planned(date(2027, 3, 31)) == ([], ["policy.certification_ends"])
    assert planned(date(2027, 4, 1)) == (["policy.cloud_level"], [])


def test_a_cloud_abroad_holds_no_residents(folder: Path, directory: Directory) -> None:
    edit(folder, "sites/public-cloud.yaml", "jurisdiction: JP", "jurisdiction: US")

    assert "policy.cloud_level" in codes(folder, directory, "vaccination-reminders")


def test_rows_that_contradict_each_other_decide_nothing_at_all(folder: Path) -> None:
    path = folder / "policy/who_may.csv"
    text = path.read_text(encoding="utf-8")
    again = text.splitlines()[1].replace(",yes,*,", ",no,,")
    path.write_text(f"{text}{again}\n", encoding="utf-8")

    with pytest.raises(WorkspaceBroken) as caught:
        load(folder)

    (mistake,) = caught.value.mistakes
    assert (mistake.code, mistake.file) == ("policy.contradiction", "policy/who_may.csv")
    assert mistake.line == len(text.splitlines()) + 1
    assert "policy/who_may.csv:2" in mistake.ja


def test_mistakes_of_the_rules_stand_beside_those_of_other_files(folder: Path) -> None:
    edit(folder, "policy/units.csv", "outside", "nowhere")
    edit(folder, "sites/hall-core.yaml", "zone: mynumber #", "zone: mynunber #")

    with pytest.raises(WorkspaceBroken) as caught:
        load(folder)

    files = [mistake.file for mistake in caught.value.mistakes]
    assert {"policy/units.csv", "sites/hall-core.yaml"} <= set(files)
    assert files.count("policy/units.csv") == 2


def test_an_unstated_proviso_leaves_the_hash_as_it_was(folder: Path, directory: Directory) -> None:
    edit(folder, f"links/{LINK}.yaml", "  proviso: 総務課が確認（架空）", "  # proviso: ")
    silent = plan(load(folder), directory, LINK, on=ON)

    basis = silent.decision["legal_basis"]
    assert set(basis) == {"code", "consent", "ordinance", "note", "until"}
    edit(folder, f"links/{LINK}.yaml", "  # proviso: ", "  proviso: 別の人が確認")
    said = plan(load(folder), directory, LINK, on=ON)
    assert said.hash != silent.hash
    assert [caution.code for caution in silent.cautions] == ["policy.proviso_unstated"]
    assert said.cautions == ()


def test_the_plan_knows_the_rows_that_decided(folder: Path, directory: Directory) -> None:
    found = plan(load(folder), directory, LINK, on=ON)

    files = {origin.file for origin in found.rows}
    assert {
        "policy/who_may.csv",
        "policy/tables/units.csv",
        "policy/tables/level_masks.csv",
    } <= files
    assert all(origin.holds(ON) for origin in found.rows)
