"""``kumobashi release codebook``: made once, read by its owner, lost for good."""

import json
from datetime import UTC, datetime
from pathlib import Path

from kumobashi.cli.exits import Exit
from kumobashi.kernel import business_date
from kumobashi.planning.workspace import load
from tests.unit.cli.conftest import Kumobashi

LINK = "notice-attributes"
EPOCH = str(business_date(datetime.now(UTC)).year)
CODED = f"{LINK}-{EPOCH}"


def put_under_codes(workspace: Path) -> None:
    rule = workspace / f"rules/{LINK}.yaml"
    coding = f"coding: {{columns: keyed, order: shuffled, epoch: '{EPOCH}', layout: {LINK}}}"
    rule.write_text(f"{rule.read_text('utf-8')}{coding}\n", encoding="utf-8")


def test_a_codebook_is_made_once_with_the_receivers_layout(
    kumobashi: Kumobashi, workspace: Path
) -> None:
    put_under_codes(workspace)
    ask = ("release", "codebook", LINK, "--workspace", workspace, "--json")

    before = kumobashi(*ask)
    made = kumobashi(*ask, "--make")
    again = kumobashi(*ask, "--make")
    read = kumobashi(*ask)

    assert before.exit_code == Exit.REFUSED
    assert "release.codebook_missing" in before.output
    assert [r.exit_code for r in (made, again, read)] == [Exit.OK] * 3, made.output
    said = json.loads(made.stdout)
    assert said["written"] == f"layouts/{CODED}.yaml"
    assert {"written": None, **json.loads(read.stdout)} == {**said, "written": None}
    assert json.loads(again.stdout)["columns"] == said["columns"]
    assert "生年月" in [column["ja"] for column in said["columns"]]
    layouts = load(workspace).layouts
    assert list(layouts.get(CODED, "1").names) == [column["code"] for column in said["columns"]]


def test_people_see_codes_beside_names(kumobashi: Kumobashi, workspace: Path) -> None:
    put_under_codes(workspace)

    made = kumobashi("release", "codebook", LINK, "--make", "--workspace", workspace)

    lines = made.stdout.splitlines()
    assert len([line for line in lines if line.startswith("c")]) == 13
    assert any(line.endswith("  birth_ym  生年月") for line in lines)
    assert f"layout を {CODED}" in made.stdout


def test_a_lost_codebook_is_not_made_again(kumobashi: Kumobashi, workspace: Path) -> None:
    put_under_codes(workspace)
    ask = ("release", "codebook", LINK, "--make", "--workspace", workspace)
    kumobashi(*ask)
    (book,) = (workspace / "var/hall-core/codebooks").glob("*.json")
    book.unlink()

    lost = kumobashi(*ask)

    assert lost.exit_code == Exit.REFUSED
    assert "release.codebook_lost" in lost.stderr
    assert not book.exists()


def test_a_link_without_coding_has_no_codebook(kumobashi: Kumobashi, workspace: Path) -> None:
    said = kumobashi("release", "codebook", LINK, "--workspace", workspace)

    assert said.exit_code == Exit.REFUSED
    assert "release.coding_undeclared" in said.stderr
