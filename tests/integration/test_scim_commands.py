"""``kumobashi account push`` and ``token``, as typed, against services that really run."""

import json
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from kumobashi.cli.entry import root
from kumobashi.planning.sampling import write_sample
from kumobashi.service.scim_tokens import ProviderTokens
from tests.integration.scim_cloud import TOKEN, served_cloud

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_sample(tmp_path / "city")


@pytest.fixture
def run(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("CLOUD_TOKEN", TOKEN)

    def ran(*words: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            root.main(["--workspace", str(folder), "account", *words, "--site", "hall-core"])
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out + said.err

    return ran


def test_a_push_is_shown_first_then_done_and_nothing_is_left(run: Run) -> None:
    run("add", "sato", "--role", "operator", "--shown", "佐藤")
    with served_cloud() as cloud:
        where = ("push", "--to", cloud.base, "--token", "env:CLOUD_TOKEN")

        code, shown = run(*where, "--dry-run")
        assert code == 0
        assert "つくる" in shown
        assert cloud.people() == {}

        code, said = run(*where, "--json")
        assert code == 0
        assert [one["name"] for one in json.loads(said)["done"]] == ["sato"]
        assert json.loads(said)["missing_roles"] == ["operator"]
        assert TOKEN not in shown + said

        code, said = run(*where)
        assert code == 0
        assert "どちらも同じです" in said


def test_a_name_of_somebody_else_there_is_told_with_a_code_to_the_shell(run: Run) -> None:
    run("add", "sato", "--role", "operator")
    with served_cloud() as cloud:
        cloud.add("sato")

        code, said = run("push", "--to", cloud.base, "--token", "env:CLOUD_TOKEN")

    assert code == 1
    assert "触れていません: sato" in said


def test_a_far_side_that_refuses_is_told_with_its_code(run: Run) -> None:
    run("add", "sato", "--role", "operator")
    with served_cloud() as cloud:
        code, said = run("push", "--to", cloud.base, "--token", "env:PATH")

    assert code == 2
    assert "scim.far_refused" in said


def test_a_token_is_shown_once_and_kept_for_the_gateway_alone(run: Run, folder: Path) -> None:
    code, said = run("token", "city-login", "--json")

    token = json.loads(said)["token"]
    held = folder / "private" / "hall-core" / "scim" / "city-login.token"
    tokens = ProviderTokens(folder / "private" / "hall-core", site="hall-core")
    assert code == 0
    assert tokens.provider(f"Bearer {token}") == "city-login"
    assert sys.platform == "win32" or stat.S_IMODE(held.stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["../api", "City", "a b", ""])
def test_a_token_is_made_for_plain_names_only(run: Run, folder: Path, name: str) -> None:
    code, _ = run("token", name)

    assert code == 64
    assert not (folder / "private" / "hall-core" / "scim").exists()
