"""Fetch the wheels that a machine needs, each as the lock names it, and build our own."""

import hashlib
import json
import os
import shutil
import sys
from pathlib import Path

from tools import bootstrap
from tools.offline.locks import Machine, Pin

ROOT = Path(__file__).resolve().parents[2]


class WheelsMissing(Exception):
    """What a machine needs cannot be had as wheels; says which Python and why."""


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fetch(machine: Machine, pins: list[Pin], cache: Path) -> dict[str, Path]:
    """Return the wheel of every pin, by the pin's name; what was fetched before is taken again.

    Raises:
        WheelsMissing: pip has found no fitting wheel for one of them, or could not ask.
    """
    folder = cache / machine.platform.name / machine.python
    asked = "".join(pin.line(pin.hashes, marked=False) for pin in pins)
    stamp, told = folder / "stamp.json", [*machine.platform.tags, asked]
    if not _is_stamped(stamp, told):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        requirements = folder / "requirements.txt"
        requirements.write_text(asked, encoding="utf-8", newline="\n")
        problem = bootstrap.run(_download(machine, requirements, folder, cache), _environment())
        if problem:
            raise WheelsMissing(f"{machine.platform.name}, Python {machine.python}:\n{problem}")
        stamp.write_text(json.dumps(told), encoding="utf-8")
    there = {sha256(path): path for path in folder.glob("*.whl")}
    found = {}
    for pin in pins:
        files = [path for digest, path in there.items() if digest in pin.hashes]
        if len(files) != 1:
            stamp.unlink()  # so that the next run fetches anew
            raise WheelsMissing(f"{machine.platform.name}: {len(files)} files for {pin.name}")
        found[pin.name] = files[0]
    return found


def pip_wheel(cache: Path) -> Path:
    """Return pip's own pinned wheel, which Debian's Python comes without."""
    settings = bootstrap.pip_settings(dict(os.environ))
    kept = Path(sys.prefix) / "bootstrap"
    return bootstrap.fetch_pip(kept if kept.is_dir() else cache, dict(os.environ), settings)


def build(target: Path) -> Path:
    """Build our own wheel into ``target``; the same tree gives the same bytes."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)]
    if problem := bootstrap.run(command, {**os.environ, "SOURCE_DATE_EPOCH": "315532800"}):
        raise WheelsMissing(problem)
    (wheel,) = target.glob("*.whl")
    return wheel


def _is_stamped(stamp: Path, told: list[str]) -> bool:
    try:
        return bool(json.loads(stamp.read_text(encoding="utf-8")) == told)
    except (OSError, ValueError):
        return False


def _download(machine: Machine, requirements: Path, folder: Path, cache: Path) -> list[str]:
    command = [sys.executable, "-I", str(pip_wheel(cache) / "pip"), "download", "--quiet"]
    command += ["--no-deps", "--only-binary=:all:", "--require-hashes", "--dest", str(folder)]
    command += ["--implementation", "cp", "--python-version", machine.python]
    command += [f"--platform={tag}" for tag in machine.platform.tags]
    return [*command, "--requirement", str(requirements)]


def _environment() -> dict[str, str]:
    return {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}
