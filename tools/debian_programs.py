"""Programs of Debian that our interoperability tests run, without root and without installing.

A program on the ``PATH`` (or in ``/usr/sbin``) is taken as it is. Otherwise its packages, and those
of their libraries that this machine has not, are fetched by ``apt-get download`` from wherever this
machine takes packages, and unpacked by ``dpkg-deb -x`` into ``build/programs/``; apt checks them
against its own signed lists. Nothing runs as a service, and nothing outside that folder changes.
With ``KUMO_UNPACK`` set, the machine's own programs are left aside.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

KEPT = Path(__file__).resolve().parents[1] / "build" / "programs"
NAMED = "KUMO_UNPACK"
_SBIN = "/usr/local/sbin:/usr/sbin:/sbin"
_SECONDS = 300


class ProgramMissing(Exception):
    """A program is not here and cannot be had; says why and what to do."""


@dataclass(frozen=True, slots=True)
class Program:
    """A program and what it needs around it."""

    path: Path
    environment: dict[str, str] = field(default_factory=dict)
    root: Path = Path("/")  # below which its package lies

    def starts(self) -> dict[str, str]:
        """Return the environment to start it in."""
        return os.environ | self.environment


def program(name: str, *packages: str) -> Program:
    """Return the program ``name`` of Debian's ``packages``, unpacked the first time if need be.

    Raises:
        ProgramMissing: it is not here, and apt cannot fetch it.
    """
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:{_SBIN}")
    if found and NAMED not in os.environ:
        return Program(Path(found))
    return unpacked(name, *packages)


def unpacked(name: str, *packages: str) -> Program:
    """Return the program out of packages that are unpacked into ``build/programs/``."""
    root = KEPT / "-".join(packages)
    if not root.exists():
        _unpack(packages, root)
    found = sorted(
        path for folder in ("usr/sbin", "usr/bin", "sbin", "bin")
        for path in (root / folder).glob(f"{name}*")
        if path.name.rstrip("0123456789.") == name and path.is_file()
    )  # fmt: skip
    if not found:
        raise ProgramMissing(
            f"{' '.join(packages)} に {name} がありません / there is no {name} in these packages"
        )
    libraries = sorted({str(path.parent) for path in root.glob("**/*-linux-gnu/*.so*")})
    known = os.environ.get("LD_LIBRARY_PATH")
    paths = ":".join([*libraries, *([known] if known else [])])
    return Program(found[0], {"LD_LIBRARY_PATH": paths} if paths else {}, root)


def _unpack(packages: Sequence[str], root: Path) -> None:
    for needed in ("apt-get", "apt-cache", "dpkg-deb", "dpkg-query"):
        if shutil.which(needed) is None:
            raise ProgramMissing(
                f"{packages[0]} がなく、{needed} もないため取り出せません。{packages[0]} を入れて"
                f"ください。 / neither {packages[0]} nor {needed} is here; install {packages[0]}"
            )
    KEPT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=KEPT) as folder:
        place = Path(folder)
        wanted = [*packages, *sorted(_libraries(packages) - _installed() - set(packages))]
        _run(["apt-get", "download", *wanted], packages, cwd=place)
        whole = place / "root"
        whole.mkdir()
        for archive in sorted(place.glob("*.deb")):
            _run(["dpkg-deb", "-x", str(archive), str(whole)], packages, cwd=place)
        whole.rename(root)


def _libraries(packages: Sequence[str]) -> set[str]:
    """Return the libraries that these need, however far down; not what menus and services need."""
    only = [
        f"--no-{kind}"
        for kind in ("recommends", "suggests", "conflicts", "breaks", "replaces", "enhances")
    ]
    said = _run(["apt-cache", "depends", "--recurse", *only, *packages], packages)
    names = {line.strip() for line in said.splitlines() if line and not line.startswith((" ", "<"))}
    kin = tuple(package.partition("-")[0] for package in packages)  # php8.2-common
    return {name for name in names if name.startswith(("lib", "zlib", *kin)) and ":" not in name}


def _installed() -> set[str]:
    said = _run(["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n"], ["dpkg"])
    return {line.split()[0] for line in said.splitlines() if line.endswith(" installed")}


def _run(command: list[str], packages: Sequence[str], cwd: Path | None = None) -> str:
    done = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=_SECONDS, check=False,
        env=os.environ | {"LC_ALL": "C"},
    )  # fmt: skip
    if done.returncode:
        last = " / ".join(done.stderr.strip().splitlines()[-2:])
        raise ProgramMissing(
            f"{packages[0]} を取り出せません（{last}）。入れるか、apt の設定を確かめてください。"
            f" / cannot fetch {packages[0]}: {last}"
        )
    return done.stdout
