"""The accessibility engine axe-core, as its makers publish it, in ``build/``.

It is under MPL-2.0 and no part of this tree: ``npm pack`` fetches one release from wherever this
machine's npm takes packages, and both the archive and the script in it must be the ones whose
digests stand here. ``KUMO_AXE`` names a copy of ``axe.min.js`` where there is no npm.
"""

import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

VERSION = "4.14.1"
ARCHIVE_SHA256 = "e6b0ce02b84d892e2e33e403485e7f3d6c29e2be6df65daf44d89ba564139745"
SCRIPT_SHA256 = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
NAMED = "KUMO_AXE"
_MEMBER = "package/axe.min.js"
_PATIENCE_SECONDS = 180
_KEPT = Path(__file__).resolve().parents[1] / "build" / "axe" / f"axe-{VERSION}.min.js"


class AxeMissing(Exception):
    """The engine cannot be had here; says why and what to do."""


class AxeAltered(Exception):
    """What came is not the release that is pinned: a mirror's fault, or worse."""


def script(kept: Path = _KEPT) -> str:
    """Return the source of the pinned engine, fetching it the first time.

    Raises:
        AxeMissing: no npm, or it cannot reach its registry.
        AxeAltered: the bytes are not those of the release.
    """
    named = os.environ.get(NAMED)
    if named:
        return _checked(Path(named).read_bytes(), SCRIPT_SHA256, named).decode("utf-8")
    if kept.exists():
        return _checked(kept.read_bytes(), SCRIPT_SHA256, str(kept)).decode("utf-8")
    source = _fetch()
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(source)
    return source.decode("utf-8")


def _fetch() -> bytes:
    npm = shutil.which("npm")
    if npm is None:
        raise AxeMissing(
            f"npm がないため axe-core {VERSION} を取れません。"
            f"{NAMED} に axe.min.js を指定できます。"
            f" / no npm to fetch axe-core {VERSION} with; {NAMED} may name a copy of axe.min.js"
        )
    with tempfile.TemporaryDirectory() as folder:
        command = [npm, "pack", "--silent", "--ignore-scripts", f"axe-core@{VERSION}"]
        try:
            done = subprocess.run(
                command, cwd=folder, capture_output=True, timeout=_PATIENCE_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            done = None
        archives = list(Path(folder).glob("*.tgz"))
        if done is None or done.returncode or len(archives) != 1:
            raise AxeMissing(
                f"npm から axe-core {VERSION} を取れません。ネットワークを確かめてください。"
                f" / npm could not fetch axe-core {VERSION}; check the network"
            )
        _checked(archives[0].read_bytes(), ARCHIVE_SHA256, archives[0].name)
        with tarfile.open(archives[0]) as archive:
            member = archive.extractfile(_MEMBER)
            content = member.read() if member else b""
    return _checked(content, SCRIPT_SHA256, _MEMBER)


def _checked(content: bytes, sha256: str, name: str) -> bytes:
    got = hashlib.sha256(content).hexdigest()
    if got != sha256:
        raise AxeAltered(f"{name}: SHA-256 {got}, not {sha256} of axe-core {VERSION}")
    return content
