import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kumobashi.directory.entries import Directory
from kumobashi.planning import publishing
from kumobashi.planning.sampling import write_sample
from kumobashi.planning.workspace import Workspace, load
from kumobashi.testing.clocks import HandClock

NOW = datetime(2026, 11, 20, 16, tzinfo=UTC)


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sample(tmp_path_factory.mktemp("sample") / "city", clock=HandClock(NOW))


@pytest.fixture
def folder(pristine: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(pristine, tmp_path / "city"))


@pytest.fixture
def workspace(folder: Path) -> Workspace:
    return load(folder)


@pytest.fixture
def directory(folder: Path) -> Directory:
    return publishing.load_directory(folder, now=NOW)
