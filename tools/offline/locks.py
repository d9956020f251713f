r"""Read a lock, and say what of it one machine needs.

>>> pins = read_lock("numpy==2.4.6 ; python_full_version < '3.12' \\\n    --hash=sha256:aa\n")
>>> [pin.name for pin in pins], wanted(pins, Machine.of("windows", "3.12"))
(['numpy'], [])
"""

import re
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Self

from packaging.markers import Marker

PYTHONS = ("3.11", "3.12", "3.13")
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;]+)\s*(?:;\s*(.*))?$")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]+)")


class LockUnreadable(Exception):
    """A line of a lock that pins nothing; whoever reads on might leave something out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """A kind of machine: pip's tags for it, the best first, and what markers say of it."""

    name: str
    tags: tuple[str, ...]
    os_name: str
    sys_platform: str
    system: str
    processor: str


def _manylinux(processor: str) -> tuple[str, ...]:
    # 2.28 is the oldest C library that every wheel we need is built for (RHEL 8, Debian 10).
    newer = tuple(f"manylinux_2_{minor}_{processor}" for minor in range(28, 16, -1))
    older = ("manylinux_2_12_x86_64", "manylinux_2_5_x86_64") if processor == "x86_64" else ()
    return (*newer, f"manylinux2014_{processor}", *older)


PLATFORMS = {
    one.name: one
    for one in (
        Platform(
            name="linux-x86_64",
            tags=_manylinux("x86_64"),
            os_name="posix",
            sys_platform="linux",
            system="Linux",
            processor="x86_64",
        ),
        Platform(
            name="linux-aarch64",
            tags=_manylinux("aarch64"),
            os_name="posix",
            sys_platform="linux",
            system="Linux",
            processor="aarch64",
        ),
        Platform(
            name="windows",
            tags=("win_amd64",),
            os_name="nt",
            sys_platform="win32",
            system="Windows",
            processor="AMD64",
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Machine:
    """A platform with one version of Python (CPython)."""

    platform: Platform
    python: str  # "3.12"

    @classmethod
    def of(cls, platform: str, python: str) -> Self:
        """Return the machine of these two names."""
        return cls(PLATFORMS[platform], python)

    @property
    def environment(self) -> dict[str, str | AbstractSet[str]]:
        """What markers (PEP 508) ask about."""
        return {
            "implementation_name": "cpython",
            "implementation_version": f"{self.python}.0",
            "os_name": self.platform.os_name,
            "platform_machine": self.platform.processor,
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": self.platform.system,
            "platform_version": "",
            "python_full_version": f"{self.python}.0",
            "python_version": self.python,
            "sys_platform": self.platform.sys_platform,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """One package at one version, with the SHA-256 of every file it may be."""

    name: str
    version: str
    marker: str  # empty: always
    hashes: frozenset[str]

    def is_for(self, machine: Machine) -> bool:
        """Whether this machine needs it."""
        return not self.marker or Marker(self.marker).evaluate(machine.environment)

    def line(self, hashes: Iterable[str], *, marked: bool = True) -> str:
        """Return the line of a requirements file that accepts these files alone."""
        marker = f" ; {self.marker}" if self.marker and marked else ""
        accepted = "".join(f" \\\n    --hash=sha256:{one}" for one in sorted(hashes))
        return f"{self.name}=={self.version}{marker}{accepted}\n"


def read_lock(text: str) -> list[Pin]:
    """Return the pins of a lock that ``make lock`` wrote.

    Raises:
        LockUnreadable: a line says something else, or a pin has no hash.
    """
    pins = []
    for whole in text.replace("\\\n", " ").splitlines():
        line = whole.strip()
        if not line or line.startswith("#"):
            continue
        said = _PIN.match(_HASH.sub("", line).strip())
        hashes = frozenset(_HASH.findall(line))
        if said is None or not hashes:
            raise LockUnreadable(line[:120])
        name, version, marker = said.groups()
        pins.append(Pin(name=name, version=version, marker=(marker or "").strip(), hashes=hashes))
    return pins


def wanted(pins: Sequence[Pin], machine: Machine) -> list[Pin]:
    """Return what this machine needs."""
    return [pin for pin in pins if pin.is_for(machine)]
