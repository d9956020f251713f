"""``kumobashi file check`` as the clerk of a small town uses it."""

import json
from pathlib import Path

from kumobashi.planning.sample_file import NAME
from kumobashi.planning.sampling import write_sample
from tests.unit.cli.conftest import Kumobashi

LINES = [
    "宛名番号,支給区分,認定年月日",
    "0010000001,1,2026-04-01",
    "10000002,１,令和8年4月1日",
    "0010000003,7,2026-04-01",
]


def given_file(folder: Path, *lines: str) -> Path:
    path = folder / "受給者.csv"
    path.write_text("\r\n".join(lines), encoding="cp932", newline="")
    return path


def test_a_clean_file_is_green(kumobashi: Kumobashi, tmp_path: Path) -> None:
    path = given_file(tmp_path, *LINES[:2])

    said = kumobashi("file", "check", path, "--layout", "child-support-allowance", "--version", "1")

    assert said.exit_code == 0
    assert "指摘はありません" in said.output
    assert "cp932" in said.output


def test_faults_are_shown_with_line_item_expected_and_got(
    kumobashi: Kumobashi, tmp_path: Path
) -> None:
    said = kumobashi(
        "file",
        "check",
        given_file(tmp_path, *LINES),
        "--layout",
        "child-support-allowance",
        "--version",
        "1",
    )

    assert said.exit_code == 1
    (row,) = [
        line.split()
        for line in said.output.splitlines()
        if "コード表にない値" in line and " 7 " in line
    ]
    assert row[:2] == ["4", "支給区分"]
    assert "先頭の 0 の欠け" in said.output
    assert "10000002" not in said.output


def test_the_corrected_copy_passes_when_all_could_be_put_right(
    kumobashi: Kumobashi, tmp_path: Path
) -> None:
    path, copy = given_file(tmp_path, *LINES[:3]), tmp_path / "直し.xlsx"
    layout = ("--layout", "child-support-allowance", "--version", "1")

    assert kumobashi("file", "check", path, *layout).exit_code == 1
    assert kumobashi("file", "check", path, *layout, "--fix", copy).exit_code == 0
    assert kumobashi("file", "check", copy, *layout).exit_code == 0


def test_findings_are_written_for_excel(kumobashi: Kumobashi, tmp_path: Path) -> None:
    path, listed = given_file(tmp_path, *LINES), tmp_path / "指摘.csv"

    kumobashi(
        "file",
        "check",
        path,
        "--layout",
        "child-support-allowance",
        "--version",
        "1",
        "--findings",
        listed,
    )

    text = listed.read_text(encoding="utf-8-sig")
    assert text.splitlines()[0] == "行,項目,日本語名,符号,標準の符号,期待,実際,説明"
    assert "4,payment_kind,支給区分,finding.unknown_code,E0002" in text


def test_machines_get_it_all(kumobashi: Kumobashi, tmp_path: Path) -> None:
    said = kumobashi(
        "file",
        "check",
        given_file(tmp_path, *LINES),
        "--layout",
        "child-support-allowance",
        "--version",
        "1",
        "--json",
    )

    found = json.loads(said.output)
    assert (found["charset"], found["delimiter"], found["rows"]) == ("cp932", ",", 3)
    assert {one["rule"] for one in found["corrections"]} == {"half_width", "dates", "zeros"}
    assert [one["line"] for one in found["left"]] == [4]


def test_the_samples_file_is_said_line_by_line_and_its_copy_passes(
    kumobashi: Kumobashi, tmp_path: Path
) -> None:
    city = write_sample(tmp_path / "city")
    path, copy = city / "examples" / NAME, tmp_path / "直し.xlsx"
    asked = ("--layout", "school-register-residents")
    here = ("--workspace", city, "file", "check")

    said = kumobashi(*here, path, *asked)
    mended = kumobashi(*here, path, *asked, "--fix", copy, "--findings", tmp_path / "指摘.xlsx")

    assert said.exit_code == 1
    assert "氏  U+E000  3 行目から 1 件" in said.output
    assert mended.exit_code == 0, mended.output
    assert "直した写しに指摘はありません" in mended.output
    assert kumobashi(*here, copy, *asked).exit_code == 0
    assert (tmp_path / "指摘.xlsx").stat().st_size > 0
