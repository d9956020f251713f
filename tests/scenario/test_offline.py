"""The archive for Linux, installed into an empty folder and run with the network closed.

`make offline-test` builds the archive and runs this. The network is closed by a namespace that
holds a loopback alone; where none may be made the test is skipped, for it would prove nothing.
"""

import os
import platform
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from tools.offline import wheels
from tools.offline.__main__ import BUILD
from tools.offline.archives import sums

pytestmark = [pytest.mark.offline]
# Between "$0" and "$@" stands the command; the demo's gateways talk to each other on the loopback.
_CLOSED = ["unshare", "--net", "--map-root-user", "sh", "-c", 'ip link set lo up; exec "$@"', "sh"]


def _why_not() -> str:
    if not (shutil.which("unshare") and shutil.which("ip")):
        return "neither unshare nor ip: the network cannot be closed"
    done = subprocess.run([*_CLOSED, "true"], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else f"the network cannot be closed: {done.stderr.strip()}"


@pytest.fixture(scope="module")
def closed() -> list[str]:
    """The words before a command that close the network to it."""
    if why := _why_not():
        pytest.skip(why)
    return _CLOSED


@pytest.fixture(scope="module")
def carried(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive, unpacked."""
    found = sorted(BUILD.glob(f"kumobashi-*-linux-{platform.machine()}.tar"))
    if not found:
        pytest.skip("no archive for this machine: make offline")
    place = tmp_path_factory.mktemp("carried")
    subprocess.run(["tar", "xf", str(found[-1]), "-C", str(place)], check=True)
    (folder,) = place.iterdir()
    return folder


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Nothing of this machine but its programs."""
    path = os.pathsep.join(
        part for part in os.environ["PATH"].split(os.pathsep) if ".venv" not in part
    )
    return {"PATH": path, "HOME": str(tmp_path_factory.mktemp("home")), "COLUMNS": "100"}


@pytest.fixture(scope="module")
def kumobashi(
    carried: Path,
    closed: list[str],
    environment: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> list[str]:
    """The command, as installed with the network closed."""
    target = tmp_path_factory.mktemp("target") / "雲橋"
    _run([*closed, "sh", str(carried / "install.sh"), str(target)], carried, environment)
    return [*closed, str(target / "kumobashi")]


def _run(
    command: list[str], folder: Path, environment: dict[str, str], *, expected: int = 0
) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert done.returncode == expected, done.stdout + done.stderr
    return done.stdout


def test_the_network_is_closed_indeed(closed: list[str], tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        probe = f"exec 3<>/dev/tcp/127.0.0.1/{server.getsockname()[1]}"
        open_ = subprocess.run(["bash", "-c", probe], capture_output=True, check=False)
        shut = subprocess.run([*closed, "bash", "-c", probe], capture_output=True, check=False)

    assert open_.returncode == 0
    assert shut.returncode != 0


def test_it_runs_from_the_version_to_a_night_of_the_city(
    kumobashi: list[str], environment: dict[str, str], tmp_path: Path
) -> None:
    assert _run([*kumobashi, "--version"], tmp_path, environment).startswith("kumobashi ")
    _run([*kumobashi, "init", "--sample", "city"], tmp_path, environment)
    told = _run(
        [*kumobashi, "--workspace", "city", "plan", "notice-attributes"], tmp_path, environment
    )
    assert "統合DB → お知らせ配信" in told
    night = ["demo", "--residents", "2000", "--exit", "--no-browser"]
    assert "送れません：統合DB → 市民アプリ" in _run([*kumobashi, *night], tmp_path, environment)


def test_the_sums_beside_the_archives_are_theirs() -> None:
    archives = {path.name: path for path in BUILD.glob("kumobashi-*.*") if path.is_file()}

    assert (BUILD / "SHA256SUMS").read_text(encoding="ascii") == sums(archives)


def test_it_holds_what_the_tree_holds_now(carried: Path, tmp_path: Path) -> None:
    ours = wheels.build(tmp_path / "ours")

    assert (carried / "wheels" / ours.name).read_bytes() == ours.read_bytes()
