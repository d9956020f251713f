"""Packages of npm that our interoperability tests run, in ``build/node/``: pinned, no part of ours.

``tests/interop/others`` names them; its lock holds the digest of each and no address, so that they
come from wherever this machine's npm takes packages. No script of theirs runs while installing.
"""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
_NAMED = _ROOT / "tests" / "interop" / "others"
_KEPT = _ROOT / "build" / "node"
_FILES = ("package.json", "package-lock.json")
_SECONDS = 300


class NodeMissing(Exception):
    """There is no node, or npm cannot fetch what is pinned; says what to do."""


def node() -> Path:
    """Return the program; raise ``NodeMissing`` when there is none."""
    found = shutil.which("node")
    if found is None:
        raise NodeMissing("node がありません（Debian: apt-get install nodejs npm） / no node here")
    return Path(found)


def packages(kept: Path = _KEPT) -> Path:
    """Return the folder whose ``node_modules`` holds what is pinned, installing it if need be.

    Raises:
        NodeMissing: no npm, no network, or bytes with another digest.
    """
    pinned = b"".join((_NAMED / name).read_bytes() for name in _FILES)
    folder = kept / hashlib.sha256(pinned).hexdigest()[:16]
    if (folder / "done").exists():
        return folder
    npm = shutil.which("npm")
    if npm is None:
        raise NodeMissing("npm がありません（Debian: apt-get install npm） / no npm here")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in _FILES:
        shutil.copy(_NAMED / name, folder / name)
    quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
    done = subprocess.run(
        [npm, "ci", *quiet], cwd=folder, capture_output=True, timeout=_SECONDS, check=False,
        env=os.environ,
    )  # fmt: skip
    if done.returncode:
        last = done.stderr.decode("utf-8", "replace").strip()[-300:]
        raise NodeMissing(
            f"npm ci ができません。ネットワークを確かめてください。 / npm ci failed: {last}"
        )
    (folder / "done").touch()
    return folder
