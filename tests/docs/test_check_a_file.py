"""The how-to about people's files shows what the command prints for the file that it shows."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from kumobashi.cli.entry import root

PAGE = Path(__file__).parents[2] / "docs/how-to/check-a-file.md"


def test_the_file_of_the_page_gives_what_the_page_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = PAGE.read_text(encoding="utf-8")
    content = text.partition("```text\n")[2].partition("```")[0]
    command, _, shown = text.partition("$ kumobashi ")[2].partition("```")[0].partition("\n")
    (tmp_path / "受給者.csv").write_text(content, encoding="cp932")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")

    said = CliRunner().invoke(root, command.split())

    assert [line.rstrip() for line in said.output.splitlines()] == shown.splitlines()
