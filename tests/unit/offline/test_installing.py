"""The installers of Linux and Windows, run on a small folder; no setting of this machine counts."""

import importlib.util
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from tests.unit.offline.conftest import PYTHON, make_wheel
from tools.offline.archives import sums

Carried = Callable[[str], Path]
LINUX = "linux-x86_64"
on_linux = pytest.mark.skipif(
    (platform.system(), platform.machine()) != ("Linux", "x86_64"),
    reason="the installer of Linux x86_64",
)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A person's settings that would spoil an installation, if they counted."""
    (tmp_path / "home" / ".config" / "pip").mkdir(parents=True)
    spoiling = "[global]\nindex-url = http://127.0.0.1:1/simple\ntarget = /nonexistent\n"
    (tmp_path / "home" / ".config" / "pip" / "pip.conf").write_text(spoiling, encoding="ascii")
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path / "home"),
        "PYTHON": sys.executable,
        "PIP_TARGET": "/nonexistent",
        "PYTHONPATH": "/nonexistent",
    }


def install(
    folder: Path, environment: dict[str, str], *arguments: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", str(folder / "install.sh"), *arguments],
        capture_output=True,
        encoding="utf-8",
        env=environment,
        timeout=120,
        check=False,
    )


def say_plan(target: Path, environment: dict[str, str]) -> str:
    command = [str(target / "kumobashi"), "plan"]
    return subprocess.check_output(command, encoding="utf-8", env=environment)


@on_linux
def test_it_installs_and_installs_again_without_a_change(
    carried: Carried, environment: dict[str, str], tmp_path: Path
) -> None:
    folder, target = carried(LINUX), tmp_path / "導入 先"

    done = install(folder, environment, str(target))
    assert done.returncode == 0, done.stderr
    made = (target / "kumobashi").resolve()
    again = install(folder, environment, str(target))

    assert again.returncode == 0, again.stderr
    assert (target / "kumobashi").resolve() == made
    assert say_plan(target, environment) == "橋 plan\n"


@on_linux
@pytest.mark.parametrize("name", ["wheels/hashi-1.0-py3-none-any.whl", "requirements.txt"])
@pytest.mark.parametrize("is_missing", [True, False])
def test_one_file_missing_or_altered_installs_nothing(
    carried: Carried,
    environment: dict[str, str],
    tmp_path: Path,
    name: str,
    is_missing: bool,
) -> None:
    folder, target = carried(LINUX), tmp_path / "target"
    body = bytearray((folder / name).read_bytes())
    body[-1] ^= 1
    (folder / name).unlink()
    if not is_missing:
        (folder / name).write_bytes(body)

    done = install(folder, environment, str(target))

    assert done.returncode == 2
    assert name in done.stderr
    assert not target.exists()


@on_linux
def test_a_wheel_that_somebody_added_is_not_installed(
    carried: Carried, environment: dict[str, str], tmp_path: Path
) -> None:
    folder, target = carried(LINUX), tmp_path / "target"
    make_wheel(folder / "wheels", "hashi", {"hashi.py": "WORD = '偽'"}, version="1.0.post1")

    done = install(folder, environment, str(target))

    assert done.returncode == 0, done.stderr
    assert say_plan(target, environment) == "橋 plan\n"


@on_linux
def test_a_folder_with_other_files_is_left_as_it_is(
    carried: Carried, environment: dict[str, str], tmp_path: Path
) -> None:
    target = tmp_path / "taken"
    target.mkdir()
    (target / "台帳.xlsx").write_bytes(b"")

    done = install(carried(LINUX), environment, str(target))

    assert done.returncode == 3
    assert [path.name for path in target.iterdir()] == ["台帳.xlsx"]


@on_linux
def test_a_python_that_does_not_fit_is_refused_with_those_that_do(
    carried: Carried, environment: dict[str, str], tmp_path: Path
) -> None:
    other = tmp_path / "python3"
    other.write_text("#!/bin/sh\nexit 1\n", encoding="ascii")
    other.chmod(0o755)

    done = install(carried(LINUX), {**environment, "PYTHON": str(other)}, str(tmp_path / "t"))

    assert done.returncode == 1
    assert f"CPython {PYTHON}" in done.stderr
    assert not (tmp_path / "t").exists()


@on_linux
def test_what_fails_half_way_leaves_nothing_behind(
    carried: Carried, environment: dict[str, str], tmp_path: Path
) -> None:
    folder, target = carried(LINUX), tmp_path / "target"
    # A file that cannot be installed, in a folder whose checksums say that it is the right one.
    (folder / "requirements.txt").write_text("nothing==1 --hash=sha256:00\n", encoding="ascii")
    _sum_again(folder)

    done = install(folder, environment, str(target))

    assert done.returncode == 3
    assert not list((target / "versions").iterdir())
    assert not (target / "kumobashi").exists()


@on_linux
@pytest.mark.parametrize("arguments", [["--all"], ["a", "b"], [""]])
def test_words_it_does_not_know_are_refused(
    carried: Carried, environment: dict[str, str], arguments: list[str]
) -> None:
    done = install(carried(LINUX), environment, *arguments)

    assert done.returncode == 64


def _sum_again(folder: Path) -> None:
    files = {
        str(path.relative_to(folder)): path
        for path in folder.rglob("*")
        if path.is_file() and path.name != "SHA256SUMS"
    }
    (folder / "SHA256SUMS").write_text(sums(files), encoding="ascii")


# --- start.py, which start.cmd opens on Windows; it runs here too ---


def start(
    folder: Path, home: Path, *arguments: str, **settings: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", str(folder / "start.py"), *arguments],
        capture_output=True,
        encoding="utf-8",
        env={"PATH": os.environ["PATH"], "LOCALAPPDATA": str(home), **settings},
        timeout=120,
        check=False,
    )


def test_the_first_start_prepares_and_the_second_only_opens(
    carried: Carried, tmp_path: Path
) -> None:
    folder, home = carried("windows"), tmp_path / "利用者"

    first = start(folder, home, "--reset", PIP_TARGET="/nonexistent")
    second = start(folder, home)

    assert first.returncode == 0, first.stderr
    city = home / "kumobashi" / "training"
    assert f"橋 training --folder {city} --reset" in first.stdout
    assert "First start" in first.stdout
    assert second.stdout == f"橋 training --folder {city}\n"


def test_an_altered_file_of_the_windows_folder_starts_nothing(
    carried: Carried, tmp_path: Path
) -> None:
    folder = carried("windows")
    with (folder / "wheels" / "hashi-1.0-py3-none-any.whl").open("ab") as file:
        file.write(b"0")

    done = start(folder, tmp_path / "home")

    assert done.returncode == 2
    assert "hashi-1.0" in done.stderr
    assert not (tmp_path / "home").exists()


def test_a_preparation_that_fails_leaves_nothing_behind(carried: Carried, tmp_path: Path) -> None:
    folder = carried("windows")
    (folder / "requirements.txt").write_text("nothing==1 --hash=sha256:00\n", encoding="ascii")
    _sum_again(folder)

    done = start(folder, tmp_path / "home")

    assert done.returncode == 3
    assert not list((tmp_path / "home" / "kumobashi").iterdir())


@pytest.fixture
def starting(carried: Carried) -> ModuleType:
    spec = importlib.util.spec_from_file_location("starting", carried("windows") / "start.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_python_that_the_wheels_do_not_fit_is_refused(
    starting: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starting, "PYTHONS", ["2.7"])

    with pytest.raises(starting.Stop, match=r"2\.7") as caught:
        starting.check_machine()

    assert caught.value.code == 1
