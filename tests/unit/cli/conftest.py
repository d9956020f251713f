"""A sample workspace, and a terminal that speaks to it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kumobashi.cli.entry import root
from kumobashi.planning.sampling import write_sample
from kumobashi.testing.scenes import applied, blocked, every_light
from tests.unit.cli.fake_gateway import FakeGateway

Kumobashi = Callable[..., Result]


@pytest.fixture
def kumobashi(monkeypatch: pytest.MonkeyPatch) -> Kumobashi:
    monkeypatch.setenv("COLUMNS", "100")

    def run(*args: str | Path) -> Result:
        return CliRunner().invoke(root, [str(arg) for arg in args])

    return run


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Not to be written to."""
    return write_sample(tmp_path_factory.mktemp("sample") / "city")


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return write_sample(tmp_path / "city")


@pytest.fixture
def gateway() -> Iterator[FakeGateway]:
    latest = applied().latest
    assert latest is not None
    assert blocked().latest is None
    with FakeGateway(every_light(), [latest]).serving() as fake:
        yield fake


@pytest.fixture
def served(tmp_path: Path, gateway: FakeGateway) -> Path:
    """A workspace whose hall-core is the fake."""
    return write_sample(tmp_path / "served", ports={"hall-core": gateway.port})
