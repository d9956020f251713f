"""``kumobashi deletion``: what is late is red with whom to call; who decides signs in."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from kumobashi.cli.entry import root
from kumobashi.cli.exits import Exit
from kumobashi.testing.scenes import undeleted
from tests.unit.cli.conftest import Kumobashi
from tests.unit.cli.fake_gateway import FakeGateway

TRANSFER = undeleted().transfer


def test_what_is_late_is_red_in_the_state_of_links(
    kumobashi: Kumobashi, served: Path, gateway: FakeGateway
) -> None:
    gateway.overview = replace(gateway.overview, links=())

    done = kumobashi("link", "status", "--workspace", served)

    assert done.exit_code == Exit.RED
    assert "消去の証拠がありません" in done.stdout
    assert "段階2 三日超過" in done.stdout
    assert "000-0000-0202" in done.stdout


def test_the_list_names_who_has_what_until_when(kumobashi: Kumobashi, served: Path) -> None:
    done = kumobashi("deletion", "list", "--workspace", served)
    machine = kumobashi("deletion", "list", "--json", "--workspace", served)

    assert (done.exit_code, machine.exit_code) == (Exit.RED, Exit.RED)
    assert "公共クラウド" in done.stdout
    assert "2026-11-18" in done.stdout
    assert [held["transfer"] for held in json.loads(machine.stdout)] == [TRANSFER]


def test_nothing_late_ends_with_nought(
    kumobashi: Kumobashi, served: Path, gateway: FakeGateway
) -> None:
    gateway.overview = replace(gateway.overview, overdue=())

    done = kumobashi("deletion", "list", "--workspace", served)

    assert done.exit_code == Exit.OK
    assert "受け取り側が持つものはありません" in done.stdout


@pytest.mark.parametrize(("state", "code"), [("waiting", Exit.HELD), ("asked", Exit.OK)])
def test_a_request_says_whether_another_person_is_needed(
    kumobashi: Kumobashi, served: Path, gateway: FakeGateway, state: str, code: Exit
) -> None:
    gateway.decided = replace(undeleted(), state=state)

    done = kumobashi("deletion", "request", TRANSFER, "--workspace", served)

    assert done.exit_code == code
    assert ("deletion approve" in done.stdout) == (state == "waiting")
    method, path, _, body = gateway.asked[-1]
    assert (method, path) == ("POST", f"/api/v1/deletions/{TRANSFER}/request")
    assert body == {}


def test_whoever_decides_signs_in_and_the_password_is_on_no_command_line(
    served: Path, gateway: FakeGateway
) -> None:
    gateway.decided = replace(undeleted(), state="asked")
    words = ["deletion", "approve", TRANSFER, "--workspace", str(served), "--account", "suzuki"]

    done = CliRunner().invoke(root, [*words, "--password-stdin"], input="four-words\n123456\n")

    assert done.exit_code == Exit.OK
    assert gateway.asked[-1][3] == {
        "account": "suzuki",
        "password": "four-words",
        "code": "123456",
    }
    assert "four-words" not in done.output


def test_the_report_goes_to_a_file_or_to_standard_output(
    kumobashi: Kumobashi, served: Path, tmp_path: Path
) -> None:
    path = tmp_path / "report.csv"

    done = kumobashi("deletion", "report", "--output", path, "--workspace", served)
    shown = kumobashi("deletion", "report", "--format", "html", "--workspace", served)

    assert (done.exit_code, shown.exit_code) == (Exit.OK, Exit.OK)
    assert path.read_bytes().startswith(b"\xef\xbb\xbf"), "spreadsheets need to be told"
    assert path.read_text("utf-8-sig").splitlines()[1].startswith(TRANSFER)
    assert "<tr class=late>" in shown.stdout
