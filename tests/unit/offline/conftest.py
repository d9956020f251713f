"""A small folder to carry: a program of one module and one package it needs, built here."""

import base64
import hashlib
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tools.offline import wheels
from tools.offline.archives import write
from tools.offline.folders import Parts, folder
from tools.offline.locks import PLATFORMS, Pin

VERSION = "9.9.9"
PYTHON = f"{sys.version_info[0]}.{sys.version_info[1]}"
# Prints its arguments, so that a test sees what it was started with.
_PROGRAM = """
import sys
import hashi

def main():
    print("kumobashi 9.9.9" if "--version" in sys.argv else " ".join([hashi.WORD, *sys.argv[1:]]))
"""
_MAIN = "from kumobashi.cli import main\nmain()\n"


def make_wheel(
    target: Path,
    name: str,
    modules: Mapping[str, str],
    *,
    version: str = "1.0",
    headers: str = "License-Expression: MIT\n",
    files: Mapping[str, str] | None = None,
) -> Path:
    """Write a wheel; ``files`` go into its ``dist-info``."""
    inside = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n{headers}"
    contents = {
        **modules,
        f"{inside}/METADATA": metadata + "\n",
        f"{inside}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        **{f"{inside}/{path}": text for path, text in (files or {}).items()},
    }
    record = "".join(
        f"{path},sha256={_digest(text)},{len(text.encode())}\n" for path, text in contents.items()
    )
    path = target / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name_, text in contents.items():
            archive.writestr(zipfile.ZipInfo(name_), text)
        archive.writestr(zipfile.ZipInfo(f"{inside}/RECORD"), f"{record}{inside}/RECORD,,\n")
    return path


def _digest(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


@pytest.fixture
def parts(tmp_path: Path) -> Callable[[str], Parts]:
    """What a small folder is made of, for a platform."""
    made = tmp_path / "wheels"
    made.mkdir()
    ours = make_wheel(
        made,
        "kumobashi",
        {"kumobashi/__init__.py": "", "kumobashi/cli.py": _PROGRAM, "kumobashi/__main__.py": _MAIN},
        version=VERSION,
        headers="License-Expression: Apache-2.0\nRequires-Dist: hashi\n",
        files={"entry_points.txt": "[console_scripts]\nkumobashi = kumobashi.cli:main\n"},
    )
    needed = make_wheel(made, "hashi", {"hashi.py": "WORD = '橋'\n"})
    pin = Pin(name="hashi", version="1.0", marker="", hashes=frozenset({wheels.sha256(needed)}))

    def of(platform: str) -> Parts:
        return Parts(
            platform=PLATFORMS[platform],
            version=VERSION,
            pythons=[PYTHON],
            pins=[pin],
            wheels={"hashi==1.0": frozenset({needed})},
            ours=ours,
            pip=wheels.pip_wheel(tmp_path),
            rights={"LICENSE": wheels.ROOT / "LICENSE"},
        )

    return of


@pytest.fixture
def carried(parts: Callable[[str], Parts], tmp_path: Path) -> Callable[[str], Path]:
    """The small folder for a platform, written, carried and unpacked."""

    def unpacked(platform: str) -> Path:
        made = parts(platform)
        kind = "zip" if platform == "windows" else "tar"
        archive = write(tmp_path / f"{made.root}.{kind}", made.root, folder(made))
        place = tmp_path / "運んだ先 (USB)"
        if kind == "zip":
            with zipfile.ZipFile(archive) as file:
                file.extractall(place)
        else:
            place.mkdir()
            subprocess.run(["tar", "xf", str(archive), "-C", str(place)], check=True)
        return place / made.root

    return unpacked
