"""``kumobashi catalogue``: layouts, items, versions and lineage."""

import json
from pathlib import Path
from typing import Any

import pytest

from kumobashi.cli.exits import Exit
from kumobashi.cli.lineage import lineage
from kumobashi.planning.workspace import load
from tests.unit.cli.conftest import Kumobashi


def emitted(kumobashi: Kumobashi, *args: str | Path) -> Any:
    done = kumobashi("catalogue", *args, "--json")
    assert done.exit_code == Exit.OK, done.output
    return json.loads(done.stdout)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin where no workspace is."""
    monkeypatch.chdir(tmp_path)


def test_the_list_names_versions_with_their_days(kumobashi: Kumobashi) -> None:
    done = kumobashi("catalogue", "list")

    assert done.exit_code == Exit.OK
    lines = [line.split() for line in done.stdout.splitlines()]
    assert ["child-allowance", "2012", "2012-04-01〜2024-09-30", "10", "独自"] in [
        line[:5] for line in lines
    ]
    assert ["nonresidents", "1", "2026-10-01〜", "29", "公開", "住登外者"] in lines


def test_the_list_of_a_day_leaves_out_what_is_not_valid(kumobashi: Kumobashi) -> None:
    held = emitted(kumobashi, "list", "--date", "2024-09-30")

    assert [(one["layout"], one["version"]) for one in held] == [
        ("child-allowance", "2012"),
        ("trial-attributes", "1"),
    ]


def test_the_list_holds_the_layouts_of_the_workspace(kumobashi: Kumobashi, sample: Path) -> None:
    there = {one["layout"] for one in emitted(kumobashi, "list", "--workspace", sample)}
    here = {one["layout"] for one in emitted(kumobashi, "list")}

    assert "welfare-profiles" in there - here


def test_items_and_code_lists_are_listed(kumobashi: Kumobashi) -> None:
    items = {item["item"]: item for item in emitted(kumobashi, "list", "--items")}
    codes = {one["code_list"] for one in emitted(kumobashi, "list", "--codes")}

    assert items["birth_date"]["romaji"] == "seinengappi"
    assert "era" in codes
    assert "seinengappi" not in kumobashi("catalogue", "list", "--codes").stdout


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["resident-registry"], "版 2、期間 2026-10-01〜"),
        (["resident-registry", "--version", "1"], "版 1、期間 2026-04-01〜"),
        (["era"], "1868-01-25〜1912-07-29"),
        (["birth_date"], "JSON 名: seinengappi"),
        (["生年月日"], "JSON 名: seinengappi"),
        (["seinengappi"], "項目ID: 03100012"),
        (["03100012"], "resident-registry 版 2"),
    ],
)
def test_one_thing_is_shown_by_any_of_its_names(
    kumobashi: Kumobashi, args: list[str], said: str
) -> None:
    done = kumobashi("catalogue", "show", *args)

    assert done.exit_code == Exit.OK, done.output
    assert said in done.stdout


@pytest.mark.parametrize("name", ["resident-registry", "era", "birth_date"])
def test_what_is_shown_is_there_for_machines(kumobashi: Kumobashi, name: str) -> None:
    assert emitted(kumobashi, "show", name)


def test_an_unknown_name_is_refused_with_the_nearest(kumobashi: Kumobashi) -> None:
    done = kumobashi("catalogue", "show", "birthdate")

    assert done.exit_code == Exit.USAGE
    assert "birth_date" in done.stderr


def test_an_unknown_version_is_refused(kumobashi: Kumobashi) -> None:
    done = kumobashi("catalogue", "diff", "resident-registry", "1", "99")

    assert done.exit_code == Exit.USAGE
    assert "resident-registry 2" in done.stderr.replace("\n", " ")


def test_versions_are_compared(kumobashi: Kumobashi) -> None:
    done = kumobashi("catalogue", "diff", "vaccinations", "1", "2")
    found = emitted(kumobashi, "diff", "vaccinations", "1", "2")

    assert "＋ vaccine_lot  ロット番号" in done.stdout
    assert [change["name"] for change in found["fields"]] == [
        "vaccine_lot",
        "vaccine_volume",
        "vaccination_place",
    ]
    same = kumobashi("catalogue", "diff", "vaccinations", "1", "1")
    assert "違いはありません" in same.stdout


def test_an_item_is_followed_from_its_dataset_through_rules_and_links(
    kumobashi: Kumobashi, sample: Path
) -> None:
    found = emitted(kumobashi, "lineage", "birth_date", "--workspace", sample)
    said = kumobashi("catalogue", "lineage", "birth_date", "--workspace", sample).stdout

    flows = {(f["source"], f["target"], f["link"], f["said"]["ja"]) for f in found["flows"]}
    assert (
        "integrated-db.residents.birth_date",
        "notice-cloud.notice_attributes.birth_ym",
        "notice-attributes",
        "年月まで",
    ) in flows
    assert (
        "integrated-db.residents.birth_date",
        None,
        "vaccination-reminders",
        "対象者を選ぶ",
    ) in flows
    assert {held["place"] for held in found["held"]} >= {
        "integrated-db.residents.birth_date",
        "nhi.insured_residents.birth_date",
    }
    assert "連携 notice-attributes  rules/notice-attributes.yaml" in said


def test_every_flow_names_a_line_of_its_rule_that_is_about_it(sample: Path) -> None:
    for flow in lineage(load(sample), "宛名番号").flows:
        lines = (sample / flow.file).read_text("utf-8").splitlines()
        near = "\n".join(lines[flow.line - 1 : flow.line + 1])
        wanted = flow.target.column if flow.target else flow.source.column
        assert wanted in near or flow.kind == "decides"


def test_what_is_received_is_followed_back_to_its_source(sample: Path) -> None:
    found = lineage(load(sample), "notice-cloud.notice_attributes.tax_exempt")

    assert [str(flow.source) for flow in found.flows] == [
        "integrated-db.resident_tax.exemption_kind"
    ]


def test_an_item_goes_on_where_a_receiver_sends_it_further(workspace: Path) -> None:
    (workspace / "rules/onward.yaml").write_text(
        "kumobashi: 1\nrelease: onward\nversion: 1\nname: 国保から先へ\n"
        "datasets: {insured: nhi.insured_residents}\n"
        "subject: {dataset: insured, key: resident_no}\n"
        "columns:\n  - {name: token, op: token, of: resident_no}\n"
        "  - {name: assistance_kind, op: keep, of: sex}\n",
        encoding="utf-8",
    )
    link = (workspace / "links/welfare-to-citizen-app.yaml").read_text("utf-8")
    link = link.replace("link: welfare-to-citizen-app", "link: onward")
    link = link.replace("release: welfare-to-citizen-app", "release: onward")
    (workspace / "links/onward.yaml").write_text(
        link.replace("from: integrated-db", "from: nhi"), encoding="utf-8"
    )

    found = lineage(load(workspace), "integrated-db.residents.sex")

    assert [
        str(flow.target) for flow in found.flows if flow.link in {"resident-to-nhi", "onward"}
    ] == [
        "nhi.insured_residents.sex",
        "citizen-app.welfare_profiles.assistance_kind",
    ]


def test_lineage_of_nothing_is_refused_with_the_nearest(kumobashi: Kumobashi, sample: Path) -> None:
    done = kumobashi("catalogue", "lineage", "生年月月", "--workspace", sample)

    assert done.exit_code == Exit.USAGE
    assert "生年月日" in done.stderr


def test_the_items_that_decide_about_a_notice_in_the_hall_are_followed(sample: Path) -> None:
    found = lineage(load(sample), "integrated-db.residents.address_number")

    (flow,) = [f for f in found.flows if f.link == "campaign-targets"]
    assert (flow.kind, flow.file) == ("decides", "campaigns/landslide.yaml")
    assert "土砂災害の啓発" in flow.said.ja
    assert flow.line > 1
