import json
import stat
import sys
from pathlib import Path

import pytest

from kumobashi.crypto.keys import SealKey, SigningKey, TokenKey
from kumobashi.directory.entries import Directory
from kumobashi.planning import publishing, schemas
from kumobashi.planning.errors import WorkspaceExists
from kumobashi.planning.sampling import write_sample
from kumobashi.planning.workspace import Workspace, load
from kumobashi.testing.clocks import HandClock
from tests.unit.planning.conftest import NOW

SITES = ("hall-core", "hall-exchange", "asp-relay", "public-cloud")


def test_every_site_gets_its_keys_and_nobody_else_can_read_them(folder: Path) -> None:
    for site in SITES:
        private = folder / "private" / site
        SigningKey.load(private / "sign.key")
        SealKey.load(private / "seal.key")
        if sys.platform != "win32":
            assert stat.S_IMODE(private.stat().st_mode) == 0o700
            assert {stat.S_IMODE(path.stat().st_mode) for path in private.iterdir()} == {0o600}
    TokenKey.load(folder / "private/hall-core/token.key")
    assert [site for site in SITES if (folder / "private" / site / "token.key").exists()] == [
        "hall-core"
    ]


def test_the_directory_is_published_and_names_no_tables(folder: Path, directory: Directory) -> None:
    assert directory.version == 1
    assert directory.municipality.code == "999997"
    assert publishing.publish_directory(folder, now=NOW).version == 2
    assert not hasattr(directory.systems["integrated-db"].datasets["residents"], "table")
    assert "file:private" not in repr(directory)


def test_ports_stand_in_the_files_and_in_the_directory(tmp_path: Path) -> None:
    ports = {site: 20000 + number for number, site in enumerate(SITES)}

    folder = write_sample(tmp_path, ports=ports, clock=HandClock(NOW))

    urls = {name: site.url for name, site in load(folder).sites.items()}
    assert urls == {site: f"http://127.0.0.1:{port}" for site, port in ports.items()}
    found = publishing.load_directory(folder, now=NOW)
    assert {name: site.url for name, site in found.sites.items()} == urls


def test_an_existing_workspace_is_never_overwritten_unasked(folder: Path) -> None:
    key = (folder / "private/hall-core/sign.key").read_bytes()

    with pytest.raises(WorkspaceExists):
        write_sample(folder, clock=HandClock(NOW))
    write_sample(folder, clock=HandClock(NOW), overwrite=True)

    assert (folder / "private/hall-core/sign.key").read_bytes() == key


def test_every_file_names_a_schema_that_is_there_and_accepts_it(folder: Path) -> None:
    written = [path for path in folder.rglob("*.yaml") if path.parent.name != "interfaces"]
    for path in sorted(written):  # documents of interfaces are their vendors'
        first = path.read_text(encoding="utf-8").splitlines()[0]
        name = first.removeprefix("# yaml-language-server: $schema=")
        assert name != first, path
        assert "properties" in json.loads((path.parent / name).read_text(encoding="utf-8"))


def test_the_published_schemas_are_those_of_the_models() -> None:
    published = Path("docs/reference/schemas")

    assert {path.name: path.read_text(encoding="utf-8") for path in published.glob("*.json")} == (
        schemas.texts()
    ), "run: python -m kumobashi.planning.schemas docs/reference/schemas"


def test_the_sample_holds_no_number_column_and_no_anonymity(workspace: Workspace) -> None:
    for path in sorted(workspace.folder.rglob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        assert "個人番号" not in text.replace("個人番号利用事務系", "").replace(
            "個人番号の利用等に関する条例", ""
        )
        assert "匿名" not in text
