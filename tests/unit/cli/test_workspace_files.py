"""``kumobashi workspace`` and the forms that ``plan`` takes."""

import json
import time
from pathlib import Path
from xml.etree import ElementTree as ET

from rich.cells import cell_len

from kumobashi.cli.exits import Exit
from tests.unit.cli.conftest import Kumobashi


def change(workspace: Path, file: str, before: str, after: str) -> None:
    path = workspace / file
    text = path.read_text("utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), encoding="utf-8")


def test_check_says_that_all_is_well(kumobashi: Kumobashi, sample: Path) -> None:
    done = kumobashi("workspace", "check", "--workspace", sample)
    told = json.loads(kumobashi("workspace", "check", "--json", "--workspace", sample).stdout)

    assert done.exit_code == Exit.OK
    assert done.stdout.startswith("✓ 間違いはありません（60 ファイル）")
    assert told == {"files": 60, "mistakes": [], "cautions": []}


def test_check_tells_every_mistake_of_every_file_at_once(
    kumobashi: Kumobashi, workspace: Path
) -> None:
    change(workspace, "links/notice-attributes.yaml", "contact: vendor-b", "contact: vendor-x")
    change(workspace, "sites/hall-core.yaml", "zone: mynumber", "zone: mynunber")
    change(workspace, "systems/nhi.yaml", 'version: "1"', 'version: "3"')

    done = kumobashi("workspace", "check", "--workspace", workspace)
    answer = kumobashi("workspace", "check", "--json", "--workspace", workspace)

    told = {m["file"]: m for m in json.loads(answer.stdout)["mistakes"]}
    assert (done.exit_code, answer.exit_code) == (Exit.REFUSED, Exit.REFUSED)
    assert done.stdout.startswith("× 間違い 3 個")
    assert told.keys() == {
        "links/notice-attributes.yaml",
        "sites/hall-core.yaml",
        "systems/nhi.yaml",
    }
    assert all(m["line"] > 1 and m["column"] > 1 and m["example"] for m in told.values())
    assert "mynumber | lgwan | internet" in told["sites/hall-core.yaml"]["expected"]
    assert all(f"{m['file']}:{m['line']}" in done.stdout for m in told.values())


def test_cautions_do_not_change_the_exit_code(kumobashi: Kumobashi, workspace: Path) -> None:
    args = ("workspace", "check", "--date", "2036-03-01", "--workspace", workspace)

    done, told = kumobashi(*args), json.loads(kumobashi(*args, "--json").stdout)

    assert done.exit_code == Exit.OK
    assert "期限 2036-03-31 が近づいています" in done.stdout.replace("\n    ", "")
    assert {c["code"] for c in told["cautions"]} == {
        "caution.basis_ends",
        "caution.certification_ends",
    }


def test_upgrade_shows_first_and_writes_when_told(kumobashi: Kumobashi, workspace: Path) -> None:
    change(workspace, "sites/hall-core.yaml", "../.schemas/site.json", "elsewhere.json")
    before = (workspace / "sites/hall-core.yaml").read_text("utf-8")

    shown = kumobashi("workspace", "upgrade", "--workspace", workspace)
    after_showing = (workspace / "sites/hall-core.yaml").read_text("utf-8")
    written = kumobashi("workspace", "upgrade", "--write", "--json", "--workspace", workspace)
    again = kumobashi("workspace", "upgrade", "--workspace", workspace)

    assert [done.exit_code for done in (shown, written, again)] == [Exit.OK] * 3
    assert "-# yaml-language-server: $schema=elsewhere.json" in shown.stdout
    assert after_showing == before
    assert [held["file"] for held in json.loads(written.stdout)["files"]] == [
        "sites/hall-core.yaml"
    ]
    assert "すべて今の形です" in again.stdout


def test_the_picture_is_an_svg_on_paper_and_in_a_pipe(
    kumobashi: Kumobashi, sample: Path, tmp_path: Path
) -> None:
    out = tmp_path / "連携図.svg"

    piped = kumobashi("workspace", "graph", "--workspace", sample)
    done = kumobashi("workspace", "graph", "--out", out, "--workspace", sample)

    assert (piped.exit_code, done.exit_code) == (Exit.OK, Exit.OK)
    assert out.read_text("utf-8") == piped.stdout
    assert ET.fromstring(piped.stdout).tag.endswith("svg")  # noqa: S314 - our own drawing
    assert "送れません" in piped.stdout  # the sample's bad example is crossed out


def test_all_plans_are_one_table_within_the_width(kumobashi: Kumobashi, sample: Path) -> None:
    done = kumobashi("plan", "--workspace", sample)

    lines = done.stdout.splitlines()
    assert done.exit_code == Exit.REFUSED
    assert lines[0] == "連携 13 のうち 送れます 12（承認待ち 12）、変更あり 0、送れません 1"
    assert sum("○ 承認待ち" in line for line in lines) == 12
    assert max(cell_len(line) for line in lines) <= 100


def test_a_source_that_does_not_answer_leaves_the_rest_of_the_plan_readable(
    kumobashi: Kumobashi, sample: Path
) -> None:
    link = "resident-to-school"

    shown = kumobashi("plan", link, "--workspace", sample)
    told = json.loads(kumobashi("plan", link, "--json", "--workspace", sample).stdout)
    asked = kumobashi("plan", link, "--count", "--workspace", sample)
    approved = kumobashi("plan", link, "--approve", "--workspace", sample)

    assert shown.exit_code == Exit.OK
    assert "数えられませんでした。統合DBのデータベースに接続できません" in shown.stdout
    assert told["measured"] is None
    assert "統合DB" in told["why_not_counted"]["ja"]
    assert (asked.exit_code, approved.exit_code) == (Exit.REFUSED, Exit.REFUSED)
    assert not (sample / "approvals" / f"{link}.yaml").exists()


def test_a_page_is_written_for_one_link_and_for_all(
    kumobashi: Kumobashi, sample: Path, tmp_path: Path
) -> None:
    one, all_of_them = tmp_path / "one.html", tmp_path / "all.html"
    args = ("--no-count", "--workspace", sample)

    done = kumobashi("plan", "resident-to-school", "--html", one, *args)
    kumobashi("plan", "--html", all_of_them, *args, "--lang", "en")

    assert done.exit_code == Exit.OK
    assert "住民基本台帳 → 学齢簿" in one.read_text("utf-8")
    assert one.read_text("utf-8").count("<article") == 1
    assert all_of_them.read_text("utf-8").count("<article") == 13
    assert '<html lang="en">' in all_of_them.read_text("utf-8")


def test_the_plan_of_the_whole_sample_takes_less_than_a_second(
    kumobashi: Kumobashi, sample: Path
) -> None:
    kumobashi("plan", "--workspace", sample)  # what is imported once is not counted
    began = time.process_time()

    kumobashi("plan", "--workspace", sample)

    assert time.process_time() - began < 1
