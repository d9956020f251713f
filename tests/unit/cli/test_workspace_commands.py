"""The commands that need no gateway: init, plan, directory, schemas, doctor, errors."""

import json
from pathlib import Path

import pytest

from kumobashi.cli.exits import Exit
from kumobashi.cli.gateways import free_ports
from tests.unit.cli.conftest import Kumobashi


def test_init_writes_a_sample_once(kumobashi: Kumobashi, tmp_path: Path) -> None:
    made = kumobashi("init", "--sample", tmp_path / "city", "--port-base", "9100")
    again = kumobashi("init", "--sample", tmp_path / "city")

    assert made.exit_code == Exit.OK, made.output
    assert "127.0.0.1:9101" in (tmp_path / "city/sites/hall-exchange.yaml").read_text("utf-8")
    assert again.exit_code == Exit.REFUSED
    assert "planning.workspace_exists" in again.stderr


def test_init_builds_the_city_when_asked(kumobashi: Kumobashi, tmp_path: Path) -> None:
    made = kumobashi("init", "--sample", tmp_path / "city", "--residents", "1000", "--json")

    rows = json.loads(made.stdout)["rows"]
    assert rows["resident_registry"] >= 1000
    assert (tmp_path / "city/var/hall-core/data/integrated-db.duckdb").exists()


def test_a_plan_is_approved_by_name(kumobashi: Kumobashi, workspace: Path) -> None:
    link = "notice-attributes"
    args = ("--no-count", "--workspace", workspace)

    before = kumobashi("plan", link, "--json", *args)
    done = kumobashi("plan", link, "--approve", "--by", "情報政策課", *args)
    after = kumobashi("plan", link, "--json", *args)

    assert [r.exit_code for r in (before, done, after)] == [Exit.OK] * 3, done.output
    assert json.loads(before.stdout)["standing"] == "unapproved"
    assert json.loads(after.stdout)["standing"] == "approved"
    assert json.loads(after.stdout)["approval"]["by"] == "情報政策課"


def test_a_plan_that_changed_since_is_told_apart(kumobashi: Kumobashi, workspace: Path) -> None:
    link = "notice-attributes"
    args = ("--no-count", "--workspace", workspace)
    kumobashi("plan", link, "--approve", *args)
    rule = workspace / "rules" / f"{link}.yaml"
    rule.write_text(
        rule.read_text("utf-8").replace("length: 13, ladder: [10, 6]", "length: 6"),
        encoding="utf-8",
    )

    done = kumobashi("plan", link, *args)

    assert done.exit_code == Exit.DRIFTED
    assert "承認のあとで変わりました" in done.stdout


def test_a_refused_plan_names_article_and_remedy(kumobashi: Kumobashi, sample: Path) -> None:
    done = kumobashi("plan", "welfare-to-citizen-app", "--workspace", sample)

    assert done.exit_code == Exit.REFUSED
    assert "送れません" in done.stdout
    assert "69条" in done.stdout


def test_all_plans_end_with_the_worst(kumobashi: Kumobashi, sample: Path) -> None:
    done = kumobashi("plan", "--no-count", "--json", "--workspace", sample)

    assert done.exit_code == Exit.REFUSED
    assert len(json.loads(done.stdout)) == 13


def test_the_directory_goes_one_version_up(kumobashi: Kumobashi, workspace: Path) -> None:
    made = kumobashi("directory", "publish", "--days", "30", "--json", "--workspace", workspace)
    shown = kumobashi("directory", "show", "--workspace", workspace)

    assert json.loads(made.stdout)["version"] == 2
    assert "第 2 版" in shown.stdout


def test_schemas_are_written(kumobashi: Kumobashi, tmp_path: Path) -> None:
    done = kumobashi("schemas", tmp_path / "out")

    assert done.exit_code == Exit.OK
    assert (tmp_path / "out" / "link.json").exists()


def test_the_doctor_finds_what_is_wrong(kumobashi: Kumobashi, workspace: Path) -> None:
    for site, port in free_ports(("hall-core", "hall-exchange", "asp-relay")).items():
        path = workspace / "sites" / f"{site}.yaml"
        text = path.read_text("utf-8")
        old = {"hall-core": 8740, "hall-exchange": 8741, "asp-relay": 8742}[site]
        path.write_text(text.replace(f":{old}", f":{port}"), encoding="utf-8")
    (workspace / "private/hall-core/seal.key").chmod(0o644)

    done = kumobashi("doctor", "--workspace", workspace)
    told = json.loads(kumobashi("doctor", "--json", "--workspace", workspace).stdout)

    assert done.exit_code == Exit.RED
    assert "chmod 600 private/hall-core/seal.key" in done.stdout
    assert "kumobashi serve --site hall-core" in done.stdout
    states = {check["code"]: check["state"] for check in told}
    assert (states["doctor.workspace"], states["doctor.key_modes"]) == ("good", "wrong")


def test_errors_lists_each_code_once(kumobashi: Kumobashi) -> None:
    told = json.loads(kumobashi("errors", "--json").stdout)

    codes = [error["code"] for error in told]
    assert len(codes) == len(set(codes)) > 50
    assert "service.gateway_down" in codes
    assert kumobashi("errors").exit_code == Exit.OK


def test_the_demo_leaves_strange_folders_alone(kumobashi: Kumobashi, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work", encoding="ascii")

    done = kumobashi("demo", "--folder", tmp_path, "--exit")

    assert done.exit_code == Exit.REFUSED
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("site", ["nowhere"])
def test_serving_an_unknown_site_names_the_known(
    kumobashi: Kumobashi, sample: Path, site: str
) -> None:
    done = kumobashi("serve", "--site", site, "--workspace", sample)

    assert done.exit_code == Exit.USAGE
    assert "hall-core" in done.stderr
