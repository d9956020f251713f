"""The how-to about measuring a list shows what the commands print for the files that it shows."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from kumobashi.cli.entry import root
from kumobashi.cli.risk_json import of_measures
from kumobashi.risk.explaining import explain
from kumobashi.risk.measures import SensitiveMeasures, Sizes, tell

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "how-to/measure-what-a-list-reveals.md").read_text(encoding="utf-8")
REFERENCE = (DOCS / "reference/risk.md").read_text(encoding="utf-8")


def test_the_files_of_the_page_give_what_the_page_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, births = re.findall(r"^```text\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    (tmp_path / "名簿.csv").write_text(rows, encoding="cp932")
    (tmp_path / "全住民.csv").write_text(rows + rows.partition("\n")[2], encoding="utf-8")
    (tmp_path / "階層").mkdir()
    (tmp_path / "階層/生まれた年.csv").write_text(births, encoding="utf-8")
    (tmp_path / "階層/性別.csv").write_text("女;*\n男;*\n", encoding="utf-8")
    (tmp_path / "階層/町.csv").write_text("川辺町;*\n丘の上;*\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    blocks = re.findall(
        r"^```console\n\$ kumobashi (.*?)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL
    )
    assert len(blocks) == 3

    for command, shown in blocks:
        said = CliRunner().invoke(root, command.split())

        assert said.exit_code == 0, said.output
        printed = "\n".join(line.rstrip() for line in said.output.splitlines())
        assert printed.endswith(shown.strip("\n").removeprefix("...\n"))


def test_the_reference_names_every_key_and_every_sentence() -> None:
    one = SensitiveMeasures(l=1, entropy_l=1, t=0, delta=0, is_ordered=False, values=1)
    sizes = Sizes(rows=1, population=1, classes=1)
    found = tell([sizes])

    for key in (*of_measures(found), "identifying", "levels", "losses", "optimal"):
        assert f"`{key}`" in REFERENCE, key
    for explained in explain(replace(found, sensitive={"…": one})):
        assert explained.title_ja in REFERENCE, explained.name
