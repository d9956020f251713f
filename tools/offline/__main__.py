"""Build the archives for places without a network, into build/offline.

    make offline                          both for Linux, x86_64 and aarch64
    make offline ARGS=--windows           the folder for Windows
    make offline ARGS='--only linux-x86_64 --python 3.12'

Each holds our own wheel, every wheel that running needs for CPython 3.11, 3.12 and 3.13, checksums,
an installer, a README and the licences. The same tree and lock give the same bytes. Where a wheel
is missing for one Python the build stops and names it; leave that one out with ``--python``.
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from tools import bootstrap
from tools.offline import wheels
from tools.offline.archives import sums, write
from tools.offline.folders import NameForbidden, Parts, folder
from tools.offline.licences import LicenceRefused
from tools.offline.locks import (
    PLATFORMS,
    PYTHONS,
    LockUnreadable,
    Machine,
    Platform,
    read_lock,
    wanted,
)

BUILD = wheels.ROOT / "build" / "offline"
_FAILURES = (
    wheels.WheelsMissing,
    LicenceRefused,
    LockUnreadable,
    NameForbidden,
    bootstrap.Trouble,
)


def main(arguments: Sequence[str]) -> int:
    """Build what is asked for; 1 says that something is missing or may not be carried."""
    asked = _parse(arguments)
    try:
        made = [build(PLATFORMS[name], asked.python, asked.into) for name in asked.only]
    except _FAILURES as error:
        print(f"× 作れません / cannot be built: {error}", file=sys.stderr)
        return 1
    listed = {path.name: path for path in asked.into.glob("kumobashi-*.*") if path.is_file()}
    (asked.into / "SHA256SUMS").write_text(sums(listed), encoding="ascii", newline="\n")
    for path in made:
        size = path.stat().st_size / 1e6
        bootstrap.say(f"{path}({size:.0f} MB)", f"SHA-256 {wheels.sha256(path)}")
    return 0


def build(platform: Platform, pythons: Sequence[str], into: Path) -> Path:
    """Build the archive of one platform and return its path."""
    pins = read_lock((wheels.ROOT / "requirements" / "demo.txt").read_text(encoding="utf-8"))
    found: defaultdict[str, set[Path]] = defaultdict(set)
    for python in pythons:
        machine = Machine(platform, python)
        bootstrap.say(f"{platform.name}: Python {python} のパッケージ", "its wheels")
        needed = wanted(pins, machine)
        for name, path in wheels.fetch(machine, needed, BUILD / "cache").items():
            version = next(pin.version for pin in needed if pin.name == name)
            found[f"{name}=={version}"].add(path)
    ours = wheels.build(BUILD / "cache" / "ours")
    parts = Parts(
        platform=platform,
        version=_version(ours),
        pythons=pythons,
        pins=pins,
        wheels={key: frozenset(paths) for key, paths in found.items()},
        ours=ours,
        pip=wheels.pip_wheel(BUILD / "cache"),
        rights={name: wheels.ROOT / name for name in ("LICENSE", "NOTICE")},
    )
    kind = "zip" if platform.name == "windows" else "tar"
    return write(into / f"{parts.root}.{kind}", parts.root, folder(parts))


def _version(wheel: Path) -> str:
    return wheel.name.split("-")[1]


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make offline", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--only", action="append", choices=sorted(PLATFORMS), default=[])
    parser.add_argument("--windows", action="store_true", help="the same as --only windows")
    parser.add_argument("--python", action="append", choices=PYTHONS, default=[])
    parser.add_argument("--into", type=Path, default=BUILD, help="default: build/offline")
    asked = parser.parse_args(arguments)
    asked.only += ["windows"] if asked.windows else []
    asked.only = asked.only or ["linux-x86_64", "linux-aarch64"]
    asked.python = sorted(set(asked.python)) or list(PYTHONS)
    return asked


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
