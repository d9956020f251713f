"""``kumobashi policy``: asking, listing, what changes on a day, mistakes in a folder."""

import csv
import json
from io import StringIO
from pathlib import Path
from shutil import copytree

import pytest

from kumobashi.cli.exits import Exit
from kumobashi.policy.tables import load_tables
from tests.unit.cli.conftest import Kumobashi

TABLES = Path("src/kumobashi/policy/tables")

NHI = ("--to", "nhi", "--kind", "resident-record", "--purpose", "national-health-insurance")
DAY = ("--date", "2026-11-22")


def test_a_permit_ends_with_0_and_names_row_and_article(kumobashi: Kumobashi, sample: Path) -> None:
    found = kumobashi("policy", "ask", *NHI, *DAY, "--workspace", sample)

    assert found.exit_code == Exit.OK, found.output
    assert "渡してよい" in found.stdout
    assert "policy/tables/who_may.csv:2" in found.stdout
    assert "未確認" in found.stdout


def test_a_denial_ends_with_2_and_says_what_to_do(kumobashi: Kumobashi, sample: Path) -> None:
    args = ("policy", "ask", *NHI[:-1], "advertising", *DAY, "--workspace", sample)

    found = kumobashi(*args)
    as_json = json.loads(kumobashi(*args, "--json").stdout)
    english = kumobashi(*args, "--lang", "en")

    assert found.exit_code == Exit.REFUSED
    assert "書かれていないものは渡せない" in found.stdout
    assert "policy/who_may.csv" in found.stdout
    assert (as_json["permitted"], as_json["code"]) == (False, "policy.not_listed")
    assert "denied" in english.stdout


@pytest.mark.parametrize(
    ("more", "code"),
    [
        (("--form", "kept", "--basis", "69-1-tax"), "policy.permitted"),
        (("--form", "kept", "--basis", "61"), "policy.other_basis"),
        (("--basis", "69-9"), "policy.unknown_basis"),
        (("--to-zone", "internet"), "policy.not_listed"),
    ],
)
def test_form_basis_and_zone_are_asked_too(
    kumobashi: Kumobashi, sample: Path, more: tuple[str, ...], code: str
) -> None:
    args = ("--to", "nhi", "--kind", "local-tax", "--purpose", "national-health-insurance")

    found = kumobashi("policy", "ask", *args, *more, *DAY, "--json", "--workspace", sample)

    said = json.loads(found.stdout)
    assert said["code"] == code
    assert found.exit_code == (Exit.OK if said["permitted"] else Exit.REFUSED)


def test_a_row_of_the_municipality_answers_with_its_own_file(
    kumobashi: Kumobashi, sample: Path
) -> None:
    who = ("--to", "notice-service", "--kind", "local-tax", "--purpose", "child-notices")
    args = (*who, "--to-zone", "internet", "--form", "flag", "--basis", "69-2-1")

    found = kumobashi("policy", "ask", *args, *DAY, "--json", "--workspace", sample)

    said = json.loads(found.stdout)
    assert said["permitted"], said
    assert said["said"][0]["rows"][0]["file"] == "policy/who_may.csv"
    kept = kumobashi("policy", "ask", *args[:-4], "--form", "kept", *DAY, "--workspace", sample)
    assert kept.exit_code == Exit.REFUSED


def test_a_slip_of_the_pen_is_no_denial(kumobashi: Kumobashi, sample: Path) -> None:
    found = kumobashi(
        "policy", "ask", "--to", "nhii", "--kind", "resident-record", "--purpose", "x",
        "--workspace", sample,
    )  # fmt: skip

    assert found.exit_code == Exit.USAGE
    assert "nhi" in found.stderr


def test_rows_are_searched_and_come_as_csv_and_json(kumobashi: Kumobashi, sample: Path) -> None:
    args = ("policy", "rows", "--search", "支援措置", "--table", "who_may", *DAY,
            "--workspace", sample)  # fmt: skip

    shown = kumobashi(*args)
    as_csv = list(csv.DictReader(StringIO(kumobashi(*args, "--csv").stdout)))
    as_json = json.loads(kumobashi(*args, "--json").stdout)

    assert "support-measures" in shown.stdout
    assert [row["kind"] for row in as_csv] == ["support-measures"]
    assert [(row["kind"], row["permit"]) for row in as_json] == [("support-measures", "no")]
    assert as_csv[0]["line"] == str(as_json[0]["line"])
    assert kumobashi("policy", "rows", "--table", "who").exit_code == Exit.USAGE


def test_the_fictional_linkage_table_is_shown_as_such(kumobashi: Kumobashi, sample: Path) -> None:
    found = kumobashi("policy", "rows", "--linkage", "--all", "--json", "--workspace", sample)

    rows = json.loads(found.stdout)
    assert len(rows) == 284
    assert len({row["item"] for row in rows}) == 120
    assert all(row["source"].startswith("架空") for row in rows)
    assert all(row["verified"] == "未確認" for row in rows)


def ends(workspace: Path, on: str) -> int:
    """Let the row on vaccination reminders end on a day; return its line."""
    path = workspace / "policy/who_may.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        if line.startswith("vaccination,notice-service,vaccinations,vaccination-reminders"):
            lines[number] = line.replace("2023-04-01,,", f"2023-04-01,{on},")
            path.write_text("\n".join(lines) + "\n", encoding="utf-8")
            return number + 1
    raise AssertionError


def test_what_would_break_on_a_day(kumobashi: Kumobashi, workspace: Path) -> None:
    line = ends(workspace, "2027-03-31")
    args = ("--today", "2026-11-22", "--workspace", workspace)

    breaks = kumobashi("policy", "check", "--on", "2027-04-01", "--json", *args)
    last = kumobashi("policy", "check", "--on", "2027-03-31", "--json", *args)
    shown = kumobashi("policy", "check", "--on", "2027-04-01", *args)

    said = json.loads(breaks.stdout)
    (broken,) = [link for link in said["links"] if link["breaks"]]
    assert broken["link"] == "vaccination-reminders"
    assert [reason["code"] for reason in broken["reasons_then"]] == ["policy.not_listed"]
    assert [row["line"] for row in broken["ending"]] == [line]
    assert said["rows_ending"] == [f"policy/who_may.csv:{line}"]
    assert [found.exit_code for found in (breaks, last, shown)] == [Exit.RED, Exit.OK, Exit.RED]
    assert "1 本の連携が止まります" in shown.stdout
    assert f"policy/who_may.csv:{line}" in shown.stdout


def test_a_draft_of_the_rules_is_tried_without_touching_the_workspace(
    kumobashi: Kumobashi, workspace: Path, tmp_path: Path
) -> None:
    draft = tmp_path / "draft"
    draft.mkdir()
    for path in (workspace / "policy").glob("*.csv"):
        (draft / path.name).write_bytes(path.read_bytes())
    lines = (draft / "who_may.csv").read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if "childcare-notices" not in line]
    (draft / "who_may.csv").write_text("\n".join(kept) + "\n", encoding="utf-8")
    args = ("policy", "check", "--on", "2026-11-22", "--today", "2026-11-22", "--json")

    present = json.loads(kumobashi(*args, "--workspace", workspace).stdout)
    drafted = json.loads(kumobashi(*args, "--tables", draft, "--workspace", workspace).stdout)

    def permitted(said: dict[str, list[dict[str, object]]]) -> set[object]:
        return {link["link"] for link in said["links"] if link["permitted_then"]}

    assert permitted(present) - permitted(drafted) == {"childcare-notices"}


def test_lint_tells_every_mistake_of_a_folder(kumobashi: Kumobashi, workspace: Path) -> None:
    clean = kumobashi("policy", "lint", "--workspace", workspace)
    path = workspace / "policy/who_may.csv"
    text = path.read_text(encoding="utf-8")
    path.write_text(text + text.splitlines()[1] + "\nnowhere,nhi\n", encoding="utf-8")

    found = kumobashi("policy", "lint", workspace / "policy", "--json")
    shown = kumobashi("policy", "lint", "--workspace", workspace)
    plan = kumobashi("plan", "resident-to-nhi", "--workspace", workspace)

    assert clean.exit_code == Exit.OK
    codes = [mistake["code"] for mistake in json.loads(found.stdout)["mistakes"]]
    assert codes == ["policy.unreadable", "policy.contradiction"]
    assert (found.exit_code, shown.exit_code) == (Exit.REFUSED, Exit.REFUSED)
    assert "policy/who_may.csv:2" in shown.stdout
    # while the rules contradict themselves, nothing is decided: not even another link
    assert plan.exit_code == Exit.REFUSED
    assert "policy.contradiction" in plan.stderr or "重なっています" in plan.stderr


def test_lint_reads_whole_tables_too(kumobashi: Kumobashi) -> None:
    found = kumobashi("policy", "lint", Path("src/kumobashi/policy/tables"))

    assert found.exit_code == Exit.OK, found.output
    assert kumobashi("policy", "lint", "nowhere").exit_code == Exit.USAGE


def test_the_benchmark_decides_the_same_in_all_ways(kumobashi: Kumobashi) -> None:
    found = kumobashi("bench", "policy", "--json", "--rounds", "1", "--questions", "500",
                      "--decisions", "20000", "--peer-questions", "50")  # fmt: skip

    said = json.loads(found.stdout)
    assert said["rows"] == 555
    assert 0.5 < said["permitted"] / said["questions"] < 0.65
    assert set(said["ways"]) == {"floor", "known", "by_day", "first", "in_words"}
    assert set(said["peers"]) == {"pycasbin", "cedarpy"}


@pytest.mark.parametrize("file", sorted(path.name for path in TABLES.glob("*.csv")))
def test_what_rows_prints_can_be_read_again(
    kumobashi: Kumobashi, sample: Path, tmp_path: Path, file: str
) -> None:
    copytree(TABLES, tmp_path / "tables")
    printed = kumobashi("policy", "rows", "--table", file, "--all", "--csv", "--tables", TABLES,
                        "--workspace", sample)  # fmt: skip
    rows = list(csv.DictReader(StringIO(printed.stdout)))
    with (tmp_path / "tables" / file).open("w", encoding="utf-8", newline="") as again:
        writer = csv.DictWriter(again, [name for name in rows[0] if name not in ("file", "line")],
                                extrasaction="ignore")  # fmt: skip
        writer.writeheader()
        writer.writerows(rows)

    read = load_tables(tmp_path / "tables")

    assert list(read.every_row()) == list(load_tables().every_row())


def test_the_fictional_linkage_table_can_be_asked(kumobashi: Kumobashi) -> None:
    args = ("policy", "ask", "--linkage", "--to", "inquirer-01", "--purpose", "affair-001",
            "--kind", "information-01", *DAY, "--json")  # fmt: skip

    may = kumobashi(*args, "--from", "provider-01")
    may_not = kumobashi(*args, "--from", "provider-02")
    before = kumobashi(*args[:7], "--kind", "information-01", "--from", "provider-01",
                       "--date", "2015-12-31", "--json")  # fmt: skip

    assert [found.exit_code for found in (may, may_not, before)] == [0, 2, 2]
    said = json.loads(may.stdout)
    assert "架空" in said["said"][0]["rows"][0]["source"]
    assert kumobashi(*args).exit_code == Exit.USAGE  # who gives must be said
