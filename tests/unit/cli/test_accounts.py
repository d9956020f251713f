"""``kumobashi account``: what is told once, to whom, and what is never told again."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from kumobashi.cli.entry import root
from kumobashi.planning.sampling import write_sample

Run = Callable[..., tuple[int, str]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sample(tmp_path_factory.mktemp("accounts") / "city")


@pytest.fixture
def run(folder: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def ran(*words: str, site: str = "hall-core") -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            root.main(["--workspace", str(folder), "account", *words, "--site", site])
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out + said.err

    return ran


def test_an_account_is_made_listed_and_let_in_again(run: Run) -> None:
    code, said = run("list")
    assert code == 0
    assert "利用者はまだいません" in said

    code, said = run("add", "sato", "--role", "operator", "--json")
    made = json.loads(said)
    assert code == 0
    assert made["otpauth"].startswith("otpauth://totp/")

    code, said = run("list", "--json")
    assert json.loads(said) == [
        {"name": "sato", "shown": "sato", "role": "operator", "locked": False}
    ]
    assert made["secret"] not in said

    code, said = run("reset", "sato")
    assert code == 0
    assert "いまだけ表示します" in said
    assert made["password"] not in said


def test_refusals_are_told_with_their_code(run: Run) -> None:
    run("add", "suzuki", "--role", "viewer")

    for words, refusal in (
        (("add", "suzuki", "--role", "viewer"), "identity.account_exists"),
        (("add", "Suzuki!", "--role", "viewer"), "identity.name_unfit"),
        (("reset", "nobody"), "identity.account_unknown"),
    ):
        code, said = run(*words, "--json")
        assert code == 2
        assert refusal in said
    code, said = run("list", "--json", site="nowhere")
    assert code == 64
    assert "service.site_missing" in said


def test_an_account_is_bound_reviewed_and_closed(run: Run, tmp_path: Path) -> None:
    run("add", "care-vendor", "--role", "vendor")
    code, said = run("review", "--json")
    before = {row["name"]: row for row in json.loads(said)}
    assert code == 0
    assert before["care-vendor"]["remarks"] == ["unbound"]

    code, said = run("bind", "care-vendor", "--system", "vaccination")
    assert code == 0
    assert "vaccination" in said
    after = {row["name"]: row for row in json.loads(run("review", "--json")[1])}
    assert after["care-vendor"]["remarks"] == []
    assert after["care-vendor"]["systems"] == ["vaccination"]

    saved = tmp_path / "accounts.csv"
    assert run("review", "--csv", str(saved))[0] == 0
    assert "care-vendor" in saved.read_text(encoding="utf-8-sig")

    assert run("close", "care-vendor")[0] == 0
    assert "care-vendor" not in run("review")[1]
    assert run("close", "care-vendor")[0] == 2


def test_an_account_is_bound_to_nothing_that_is_not_there(run: Run) -> None:
    run("add", "tax-vendor", "--role", "vendor")

    assert run("bind", "tax-vendor", "--system", "nowhere")[0] != 0
    assert run("bind", "tax-vendor", "--link", "nowhere")[0] != 0
    row = next(row for row in json.loads(run("review", "--json")[1]) if row["name"] == "tax-vendor")
    assert row["systems"] == row["links"] == []
