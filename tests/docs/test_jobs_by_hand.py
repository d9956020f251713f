"""The page about a cloud of jobs: its curl and its Python do what stands there."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs import examples

PAGE = examples.ROOT / "docs" / "how-to" / "tables-in-a-cloud.md"
HERE = "http://127.0.0.1:8790"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("curl"), reason="not installed: curl"),
]


def parts(language: str) -> list[str]:
    text = PAGE.read_text(encoding="utf-8")
    return ["\n".join(b.body) + "\n" for b in examples.blocks(text) if b.language == language]


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """Make the cloud as the page does, on a free port."""
    folder = tmp_path_factory.mktemp("page")
    subprocess.run([sys.executable, "-c", parts("python")[0]], cwd=folder, check=True, timeout=60)
    command = "python -m kumobashi.testing.jobs_cloud cloud 8790 &"
    assert f"$ {command}\n" in parts("console")
    with subprocess.Popen(
        [sys.executable, *command.split()[1:-2], "0"], cwd=folder, env=os.environ
    ) as process:
        try:
            end = time.monotonic() + 30
            while not (folder / "cloud/port").exists():
                assert time.monotonic() < end
                time.sleep(0.02)
            port = (folder / "cloud/port").read_text("ascii")
            yield folder, f"http://127.0.0.1:{port}"
        finally:
            process.kill()


def test_the_commands_and_the_program_of_the_page_do_what_it_says(cloud: tuple[Path, str]) -> None:
    folder, at = cloud
    (script,), (_, program) = parts("sh"), parts("python")
    _, results, read = parts("text")

    curl = subprocess.run(
        ["sh", "-eu", "-c", script.replace(HERE, at)],
        cwd=folder, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    python = subprocess.run(
        [sys.executable, "-c", program.replace(HERE, at)],
        cwd=folder, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip

    assert curl.stdout == results
    assert python.stdout == read
