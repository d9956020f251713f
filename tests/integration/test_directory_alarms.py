"""What a follower of the directory hears is believed only if it fits what was heard before."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.applications import Starlette

from kumobashi.cli.gateways import free_ports
from kumobashi.crypto.keys import SigningKey
from kumobashi.directory.document import sign, write_durably
from kumobashi.directory.entries import Directory
from kumobashi.kernel import SystemClock
from kumobashi.planning.publishing import load_directory
from kumobashi.planning.sampling import SAMPLE_PORTS, write_sample
from kumobashi.service.directory_api import DirectoryFace
from tests.unit.calls.sites_here import open_socket, run

pytestmark = pytest.mark.slow
Put = Callable[[Directory, SigningKey], None]


@pytest.fixture
def place(tmp_path: Path) -> tuple[Path, Directory, Put]:
    folder = write_sample(tmp_path / "city", ports=free_ports(tuple(SAMPLE_PORTS)))
    kept = tmp_path / "kept"
    kept.mkdir()

    def put(directory: Directory, key: SigningKey) -> None:
        write_durably(kept / "directory.jws", sign(directory, key).encode())

    return folder, load_directory(folder, now=SystemClock().now()), put


async def _follow(folder: Path) -> tuple[int, str]:
    """Follow once; return the exit and the code of what went wrong."""
    face = DirectoryFace(
        workspace=folder, kept=folder.parent / "kept", clock=SystemClock(), is_over=lambda: False
    )
    async with run(Starlette(routes=list(face.routes())), open_socket()) as url:
        words = [
            "directory",
            "follow",
            "--once",
            "--json",
            "--url",
            url,
            "--workspace",
            str(folder),
        ]
        done = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "kumobashi", *words],
            capture_output=True,
            text=True,
            timeout=60,
        )
    said = done.stdout + done.stderr
    code = json.loads(said).get("error", {}).get("code", "") if said.strip() else ""
    return done.returncode, code


async def test_another_document_of_the_same_version_is_an_alarm(
    place: tuple[Path, Directory, Put],
) -> None:
    folder, directory, put = place
    key = SigningKey.load(folder / "keys/directory.key")
    put(directory, key)
    assert await _follow(folder) == (0, "")
    assert await _follow(folder) == (0, "")

    put(replace(directory, contacts={}), key)

    assert await _follow(folder) == (2, "directory.forked")


async def test_a_document_of_another_key_is_told_as_such(
    place: tuple[Path, Directory, Put],
) -> None:
    folder, directory, put = place
    put(replace(directory, version=directory.version + 1), SigningKey.generate())

    assert await _follow(folder) == (2, "directory.altered")


async def test_a_memory_that_holds_no_document_is_told_as_such(
    place: tuple[Path, Directory, Put],
) -> None:
    folder, directory, put = place
    put(directory, SigningKey.load(folder / "keys/directory.key"))
    (folder / "var").mkdir(exist_ok=True)
    (folder / "var/directory-seen.jws").write_bytes("壊".encode())

    assert await _follow(folder) == (2, "directory.altered")
