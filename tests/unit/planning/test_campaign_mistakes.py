"""What is wrong in the file of a campaign is told on its line, before anything is counted."""

from datetime import date
from pathlib import Path

import pytest

from kumobashi.planning.cautions import cautions
from kumobashi.planning.workspace import Workspace, load
from tests.unit.planning.test_workspace_mistakes import change, mistakes

KENSHIN, INFANT = "campaigns/health-check-40.yaml", "campaigns/infant-check-18m.yaml"
LANDSLIDE, LONE = "campaigns/landslide.yaml", "campaigns/lone-parent.yaml"
BROKEN = [
    # file, before, after, code, key, a telling word
    (KENSHIN, "min_precision: 0.95", "min_precision: 1.2", "file.limit", "min_precision", "1"),
    (KENSHIN, "min_recall: 0.99", "min_recall: 0", "file.limit", "min_recall", "0"),
    (KENSHIN, "column: birth_date", "column: birth_dat", "workspace.unknown",
     "exact.of[1].column", "birth_date"),
    (KENSHIN, "nhi: integrated-db.national", "nhi: integrated-db.nationl", "workspace.unknown",
     "datasets.nhi", "national_health_insurance"),
    (KENSHIN, "dataset: nhi", "dataset: nhy", "file.value", "exact.of[0].dataset", "datasets"),
    (KENSHIN, 'one_of: ["1", "3"]', 'one_of: ["1", "5"]', "workspace.unknown",
     "exact.of[0].where.one_of[1]", "コード"),
    (KENSHIN, "column: nhi_insured", "column: nhi_insurd", "workspace.unknown",
     "coarsened.when.of[0].column", "nhi_insured"),
    (KENSHIN, "op: flag, column: nhi_insured, is: 1",
     "op: has_age, column: nhi_insured, from: 1, to: 2", "workspace.comparison",
     "coarsened.when.of[0].op", "flag"),
    (KENSHIN, "op: age, column: birth_date, from: 40, at: {at: fiscal_year_end}",
     "op: number, column: birth_date, from: 40", "workspace.comparison", "exact.of[1].op", "age"),
    (KENSHIN, "rule: notice-attributes", "rule: notice-attribute", "workspace.unknown",
     "coarsened.rule", "notice-attributes"),
    (KENSHIN, "purpose: child-notices", "purpose: health", "workspace.other_purpose", "purpose",
     "child-notices"),
    (KENSHIN, "  nhi: {days: 3}\n", "", "file.value", "max_age", "nhi"),
    (KENSHIN, "  nhi: {days: 3}", "  nhi: {days: 0}", "file.value", "max_age.nhi", "1 時間"),
    (KENSHIN, "min_recall", "min_recal", "file.unknown_key", "min_recal", "min_recall"),
    (KENSHIN, "name: 特定健診の案内・勧奨", "name: 匿名の特定健診", "file.value", "name",
     "抽象化済"),
    (INFANT, "op: household_has", "op: household_hs", "file.choice", "exact.op", "household_has"),
    (INFANT, ", household: household_no", "", "file.value", "subject", "household"),
    (INFANT, "key: resident_no", "key: household_no", "workspace.other_people", "subject",
     "同じ人"),
    (INFANT, "{op: has_month, column: child_birth_yms, from: {years: 1, months: 6},",
     "{op: has_month, column: child_birth_yms, from: {years: 1, monhts: 6},", "file.unknown_key",
     "coarsened.when.from.monhts", "months"),
    (LANDSLIDE, '{"9999970001001": [3, 7]}', "{}", "file.limit", "exact.of", "1"),
    (LANDSLIDE, "{op: code, column: town_code", "{op: has_row, dataset: residents} #",
     "file.value", "coarsened.when", "提供ルールの項目だけ"),
    (LONE, "campaign: lone-parent", "campaign: lone", "workspace.file_name", "campaign",
     "lone.yaml"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "before", "after", "code", "key", "word"), BROKEN)
def test_each_mistake_is_told_on_its_line(
    folder: Path, file: str, before: str, after: str, code: str, key: str, word: str
) -> None:
    change(folder, file, before, after)

    found = [m for m in mistakes(folder) if m.file == file]

    told = [m for m in found if m.code == code and m.key == key]
    assert told, [(m.code, m.key, m.say()) for m in found]
    assert word in told[0].ja + told[0].example
    assert told[0].en
    assert told[0].line > 1


def test_people_of_another_site_cannot_be_compared(folder: Path) -> None:
    change(folder, "systems/integrated-db.yaml", "  residents:", "  moved:")
    change(folder, KENSHIN, "nhi: integrated-db.national_health_insurance", "nhi: notice-cloud.x")

    codes = {m.code for m in mistakes(folder) if m.file == KENSHIN}

    assert "workspace.other_site" in codes


def test_data_of_an_unknown_moment_are_no_base_for_a_campaign(folder: Path) -> None:
    change(folder, "systems/integrated-db.yaml", "as_of: {table: data_times}", "# as_of")

    told = [m for m in mistakes(folder) if m.code == "workspace.no_as_of"]

    assert {m.file for m in told} >= {KENSHIN, INFANT, LANDSLIDE, LONE}
    assert "live" in told[0].ja


def test_the_sample_holds_the_six_notices_of_the_report(workspace: Workspace) -> None:
    assert set(workspace.campaigns) >= {
        "childcare-benefit",
        "encephalitis-9y",
        "lone-parent",
        "health-check-40",
        "infant-check-18m",
        "landslide",
    }


def test_a_campaign_that_no_link_can_send_is_pointed_out(folder: Path) -> None:
    (folder / "links/campaign-targets.yaml").unlink()
    (folder / "links/notice-attributes.yaml").unlink()
    (folder / "consents/child-notices.yaml").unlink()  # its text names the links

    found = cautions(load(folder), on=date(2026, 11, 22))

    told = {c.file for c in found if c.code == "caution.unused"}
    assert {KENSHIN, INFANT, LANDSLIDE, LONE} <= told
