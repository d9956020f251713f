"""The training as a clerk opens it: made, looked at, left, opened again, begun anew."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytestmark = [pytest.mark.scenario, pytest.mark.slow]


def _command(folder: Path, *more: str) -> list[str]:
    options = ["--folder", str(folder), "--residents", "2000", "--no-browser", "--json"]
    return [sys.executable, "-m", "kumobashi", "training", *options, *more]


@contextmanager
def _open(folder: Path, *more: str) -> Iterator[dict[str, str]]:
    """Open the training and give what it says once it is ready."""
    buffered = {name: said for name, said in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with subprocess.Popen(
        _command(folder, *more), stdout=subprocess.PIPE, text=True, env=buffered
    ) as process:
        try:
            assert process.stdout
            text = ""
            while not text.endswith("}\n"):
                line = process.stdout.readline()
                assert line, f"ended with {process.wait()}: {text}"
                text += line
            yield json.loads(text)
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 0


def _get(url: str) -> str:
    try:
        asked = urllib.request.Request(url, headers={"Accept": "text/html"})  # noqa: S310 - ours
        with urllib.request.urlopen(asked, timeout=30) as answer:  # noqa: S310 - likewise
            return str(answer.read().decode())
    except urllib.error.HTTPError as error:
        with error:
            return str(error.read().decode())


def _run(folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        _command(folder, *more), capture_output=True, encoding="utf-8", timeout=240, check=False
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("training") / "訓練"
    done = _run(folder, "--exit")
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_every_page_says_that_it_is_a_training_and_the_work_stays(made: Path) -> None:
    workspace = made / "city"
    with _open(made) as told:
        assert told["workspace"] == str(workspace)
        home = told["url"].rstrip("/")
        pages = {
            "/",
            "/links",
            "/plans",
            "/workspace",
            "/changes",
            "/campaigns",
            "/sign-in",
            "/nothing-here",
        }
        pages |= set(re.findall(r'href="(/(?:links|plans)/[^"#?]+)"', _get(f"{home}/links")))
        silent = [page for page in sorted(pages) if "訓練中" not in _get(home + page)]
        english = _get(f"{home}/?lang=en")
        morning = _get(f"{home}/")

        second = _run(made)

    assert len(pages) > 12
    assert silent == []
    assert "In training" in english
    assert "11件中 3件 取込済み" in morning  # what the night brought is still there
    assert second.returncode == 2
    assert json.loads(second.stdout)["error"]["code"] == "storage.already_running"


def test_a_way_out_keeps_it_from_starting(made: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(made, folder)
    site = folder / "city" / "sites" / "public-cloud.yaml"
    text = site.read_text("utf-8")
    site.write_text(text.replace("http://127.0.0.1", "http://192.0.2.1"), encoding="utf-8")
    before = (folder / "city" / "directory.jws").read_bytes()

    refused = _run(folder, "--exit")

    assert refused.returncode == 2
    assert json.loads(refused.stdout)["error"]["code"] == "service.leaves_training"
    assert (folder / "city" / "directory.jws").read_bytes() == before  # nothing was signed


@pytest.mark.faults
def test_a_reset_begins_anew(made: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(made, folder)
    (folder / "city" / "kumobashi.yaml").write_text("kumobashi: 1\n", encoding="ascii")

    broken = _run(folder, "--exit")
    again = _run(folder, "--exit", "--reset")

    assert broken.returncode == 2
    assert again.returncode == 0, again.stdout
    assert "999997" in (folder / "city" / "kumobashi.yaml").read_text("utf-8")


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "kumobashi.yaml").write_text("kumobashi: 1\n", encoding="ascii")

    done = _run(tmp_path, "--reset")

    assert done.returncode == 2
    assert [path.name for path in tmp_path.iterdir()] == ["kumobashi.yaml"]
