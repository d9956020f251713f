"""A few rounds as anybody plays them; ``make faults`` plays many."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from kumobashi.testing.faults.facilities import has

pytestmark = [pytest.mark.scenario, pytest.mark.slow]
PROGRAM = [sys.executable, "-m", "kumobashi.testing.faults.run"]


def play(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *arguments], capture_output=True, text=True, timeout=900, check=False
    )


def test_rounds_lose_nothing_and_end_with_one_line(tmp_path: Path) -> None:
    done = play("--rounds", "6", "--seed", "11", "--json", "--folder", str(tmp_path))

    assert done.returncode == 0, done.stdout + done.stderr
    said = json.loads(done.stdout)
    assert said["line"] == "rounds 6: lost 0, duplicated 0, unfinished 0, undetected 0"
    assert sum(said["injected"].values()) >= 6
    assert said["faults"] == []


@pytest.mark.postgres
@pytest.mark.skipif(not has("postgresql"), reason="no PostgreSQL here")
def test_a_receivers_database_that_restarts(tmp_path: Path) -> None:
    done = play("--rounds", "2", "--seed", "5", "--only", "F4", "--target", "postgresql", "--json")

    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["injected"].keys() == {"F4"}


def test_what_cannot_be_played_is_said() -> None:
    done = play("--rounds", "0")

    assert done.returncode == 2
    assert "--rounds" in done.stderr


def test_the_checker_finds_what_somebody_does_to_a_played_town(tmp_path: Path) -> None:
    """After a round, rows are taken away, doubled and changed behind everybody's back."""
    import duckdb

    assert play("--rounds", "1", "--seed", "3", "--only", "F12,F18", "--folder",
                str(tmp_path)).returncode == 0  # fmt: skip
    ground = tmp_path / "from-1"
    description = json.loads((ground / "checked.json").read_text("utf-8"))
    target = Path(description["links"]["resident-to-nhi"]["store"]["at"])
    connection = duckdb.connect(str(target))
    try:
        (one, two, three), *_ = [
            [row[0] for row in connection.execute(
                "select resident_no from insured_residents order by 1 limit 3").fetchall()]
        ]  # fmt: skip
        connection.execute(f"delete from insured_residents where resident_no = '{one}'")
        connection.execute(f"update insured_residents set sex = '9' where resident_no = '{two}'")
        connection.execute(
            f"insert into insured_residents select * from insured_residents"
            f" where resident_no = '{three}'"
        )
    finally:
        connection.close()
    # The small disks are gone with the program that played; their states were no part of this.
    description["states"] = {
        site: said for site, said in description["states"].items() if Path(said["at"]).exists()
    }
    for link in ("notice-attributes", "notice-changes"):
        del description["links"][link]
    (ground / "checked.json").write_text(json.dumps(description), "utf-8")

    done = subprocess.run(
        [sys.executable, "-m", "kumobashi.testing.faults.check", str(ground / "checked.json"),
         "--json"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    found = json.loads(done.stdout)["faults"]
    rows = {(each["kind"], each["who"]) for each in found if "nhi" in each["who"]}
    assert done.returncode == 1
    assert rows == {
        ("lost", f"resident-to-nhi {one}"),
        ("altered", f"resident-to-nhi {two}"),
        ("duplicated", f"resident-to-nhi {three}"),
    }
