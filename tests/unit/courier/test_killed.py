"""Killed at any point, an export leaves a medium that says it is incomplete, or a whole one."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kumobashi.courier.errors import MediumIncomplete
from kumobashi.crypto.keys import SealKey
from kumobashi.testing.crash_points import names
from tests.unit.courier.dying import world
from tests.unit.courier.media import READER, World
from tests.unit.courier.test_media import everything

pytestmark = pytest.mark.slow
FILES = 3
_ONCE = {"courier.index_to_write", "courier.index_written"}
_OF_THE_COMMAND = {"courier.export_begun", "courier.export_untold"}  # tests/scenario/test_courier


def points() -> Iterator[str]:
    for name in names():
        if name.startswith("courier.") and name not in _OF_THE_COMMAND:
            of_index = name in {"courier.file_unnamed", "courier.file_noted"}
            count = 1 if name in _ONCE else FILES + of_index
            yield from (f"{name}:{number}" for number in range(1, count + 1))


class Writers:
    """Processes that write, forked from one that has read the libraries."""

    def __init__(self) -> None:
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.unit.courier.dying"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )

    def write(self, folder: Path, crash: str = "") -> int:
        """Return how a process ended that wrote the medium of a folder."""
        assert self._server.stdin
        assert self._server.stdout
        self._server.stdin.write(f"{folder}\t{crash}\n")
        return int(self._server.stdout.readline())

    def close(self) -> None:
        """End it."""
        self._server.communicate()


@pytest.fixture(scope="module")
def writers() -> Iterator[Writers]:
    made = Writers()
    yield made
    made.close()


def read(made: World) -> dict[int, bytes]:
    keys = {made.key.kid: made.key.public}
    key = SealKey.load(made.folder / "seal.key")
    return everything(made.open(replace(READER, key=key, keys_of=lambda _site: keys)))


@pytest.mark.parametrize("point", list(points()))
def test_a_medium_says_it_is_incomplete_and_is_finished_by_the_same_command(
    tmp_path: Path, writers: Writers, point: str
) -> None:
    made = world(tmp_path)

    assert writers.write(tmp_path, point) == -signal.SIGKILL
    if point.startswith("courier.index_written"):
        assert [body for _, body in sorted(read(made).items())] == made.bodies
    else:
        with pytest.raises(MediumIncomplete):
            read(made)
    whole = {path: path.read_bytes() for path in made.files() if path.suffix == ".BIN"}

    assert writers.write(tmp_path) == 0
    assert [body for _, body in sorted(read(made).items())] == made.bodies
    written_again = [path.name for path, body in whole.items() if path.read_bytes() != body]
    assert not written_again


def test_killed_again_and_again_it_still_comes_to_an_end(tmp_path: Path, writers: Writers) -> None:
    made = world(tmp_path)

    for _ in range(FILES):
        assert writers.write(tmp_path, "courier.file_written:1") == -signal.SIGKILL
    assert writers.write(tmp_path, "courier.file_noted:1") == -signal.SIGKILL
    assert writers.write(tmp_path) == 0

    assert [body for _, body in sorted(read(made).items())] == made.bodies
