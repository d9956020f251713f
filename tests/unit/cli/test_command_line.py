"""Help, failures and exit codes of the command line."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from kumobashi.cli.command import Group
from kumobashi.cli.entry import root
from kumobashi.cli.exits import MEANINGS, Exit, exit_of
from kumobashi.cli.tables import all_errors
from tests.unit.cli.conftest import Kumobashi

ROOT = Path(__file__).resolve().parents[3]


def _commands(group: Group, above: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    context = click.Context(group)
    found: list[tuple[str, ...]] = []
    for name in group.list_commands(context):
        made = group.get_command(context, name)
        found.append((*above, name))
        if isinstance(made, Group):
            found += _commands(made, (*above, name))
    return found


COMMANDS = _commands(root)


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_explains_itself_with_an_example_in_both_languages(
    kumobashi: Kumobashi, path: tuple[str, ...]
) -> None:
    japanese = kumobashi(*path, "--help")
    english = kumobashi("--lang", "en", *path, "--help")

    assert japanese.exit_code == english.exit_code == 0
    assert "例:\n  $ kumobashi " in japanese.stdout
    assert "使い方: kumobashi" in japanese.stdout
    assert "Example:\n  $ kumobashi " in english.stdout
    assert not re.search("[ぁ-ん]", english.stdout)


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_example_can_be_read(path: tuple[str, ...]) -> None:
    found: click.Command = root
    for name in path:
        assert isinstance(found, Group)
        made = found.get_command(click.Context(found), name)
        assert made is not None
        found = made
    words = shlex.split(found.example)  # type: ignore[attr-defined]

    assert words[0] == "kumobashi"
    assert words[1 : 1 + len(path)] == list(path)
    if not isinstance(found, Group):
        found.make_context("kumobashi", words[1 + len(path) :], resilient_parsing=False)


def test_every_command_takes_the_three_common_options() -> None:
    for path in COMMANDS:
        found: click.Command = root
        for name in path:
            assert isinstance(found, Group)
            found = found.get_command(click.Context(found), name) or found
        names = {name for parameter in found.params for name in parameter.opts}
        assert {"--workspace", "--lang", "--json"} <= names, path


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["nothing"], "コマンド nothing はありません。"),
        (["link", "run"], "引数 LINK がありません。"),
        (["serve"], "オプション --site がありません。"),
        (["plan", "--aprove"], "オプション --aprove はありません。もしかして: --approve"),
        (["link", "run", "x", "--timeout", "soon"], "--timeout の値が正しくありません"),
        (["errors", "x"], "引数が多すぎます（x）。"),
    ],
)
def test_a_wrong_command_line_is_told_in_japanese(
    kumobashi: Kumobashi, args: list[str], said: str
) -> None:
    done = kumobashi(*args)

    assert done.exit_code == Exit.USAGE
    assert said in done.stderr
    assert "cli.usage" in done.stderr


def test_outside_a_workspace_it_says_where_it_looked(kumobashi: Kumobashi, tmp_path: Path) -> None:
    done = kumobashi("plan", "--workspace", tmp_path)

    assert done.exit_code == Exit.USAGE
    assert str(tmp_path) in done.stderr
    assert "kumobashi init --sample" in done.stderr


def test_the_nearest_workspace_above_is_taken(
    kumobashi: Kumobashi, sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(sample / "links")

    assert kumobashi("directory", "show").exit_code == Exit.OK


def test_all_mistakes_of_a_workspace_are_told_with_file_line_and_column(
    kumobashi: Kumobashi, workspace: Path
) -> None:
    site = workspace / "sites" / "asp-relay.yaml"
    text = site.read_text(encoding="utf-8")
    text = text.replace("zone: lgwan", "zone: lgwann").replace("role: relay", "rolle: relay")
    site.write_text(text, encoding="utf-8")
    line = 1 + text[: text.index("lgwann")].count("\n")

    people = kumobashi("plan", "--workspace", workspace)
    machines = kumobashi("plan", "--workspace", workspace, "--json")

    assert people.exit_code == machines.exit_code == Exit.REFUSED
    assert f"sites/asp-relay.yaml:{line}:7  zone" in people.stderr
    assert "rolle" in people.stderr
    told = json.loads(machines.stdout)["error"]
    assert told["code"] == "planning.workspace_broken"
    assert {mistake["key"] for mistake in told["mistakes"]} >= {"zone", "rolle"}


def test_what_nobody_foresaw_is_told_without_its_text(
    kumobashi: Kumobashi, sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("山田太郎")

    monkeypatch.setattr("kumobashi.cli.terminal.Terminal.workspace", fail)

    done = kumobashi("plan", "--workspace", sample)

    assert done.exit_code == Exit.UNEXPECTED
    assert "RuntimeError" in done.stderr
    assert "山田太郎" not in done.output
    assert "Traceback" not in done.output


def test_every_code_of_the_table_is_the_code_of_an_error() -> None:
    known = {error.code for error in all_errors()}

    for code in ("exchange.drifted", "exchange.outside_bounds", "service.gateway_down"):
        assert code in known
        assert exit_of(code) is not Exit.REFUSED


def test_the_table_has_every_error_whatever_was_imported_before() -> None:
    asked = "from kumobashi.cli.tables import all_errors; print(*(e.code for e in all_errors()))"
    run = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    known = set(run.stdout.split())
    folder = ROOT / "src" / "kumobashi"
    written = {
        code
        for path in folder.rglob("*.py")
        if "testing" not in path.parts
        for code in re.findall(
            r'^    code = "([a-z]\w*\.\w+)"$', path.read_text("utf-8"), re.MULTILINE
        )
    }

    assert len(written) > 300
    assert written <= known


def test_the_page_shows_the_table_of_exit_codes() -> None:
    page = (ROOT / "docs" / "reference" / "cli.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| (\d+) \| (.+) \|$", page, re.MULTILINE))

    assert rows == {str(int(code)): words.ja for code, words in MEANINGS.items()}


def test_the_page_names_every_command() -> None:
    page = (ROOT / "docs" / "reference" / "cli.md").read_text(encoding="utf-8")

    for path in COMMANDS:
        assert f"`kumobashi {' '.join(path)}" in page, path
    named = re.findall(r"^`kumobashi [^`]*`", page, re.MULTILINE)
    assert len(named) == len(set(named))  # and each once
