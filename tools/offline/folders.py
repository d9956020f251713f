"""What people carry: wheels, requirements with their hashes, installer, README, licences."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.offline import licences
from tools.offline.archives import Content, with_sums
from tools.offline.locks import Pin, Platform
from tools.offline.wheels import sha256

TEXTS = Path(__file__).with_name("texts")
_WINDOWS_FORBIDS = re.compile(
    r'[<>:"|?*\\\x00-\x1f]|[. ]$|^(con|prn|aux|nul|com\d|lpt\d)(\.|$)', re.IGNORECASE
)
_LONGEST_NAME = 200  # the path to it must stay below what Windows takes (260)


class NameForbidden(Exception):
    """A file name that Windows does not take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a folder is made of."""

    platform: Platform
    version: str
    pythons: Sequence[str]
    pins: Sequence[Pin]
    wheels: Mapping[str, frozenset[Path]]  # by the pin's name and version, over all Pythons
    ours: Path
    pip: Path
    rights: Mapping[str, Path]  # LICENSE and NOTICE of the project

    @property
    def root(self) -> str:
        """The folder's name."""
        return f"kumobashi-{self.version}-{self.platform.name}"


def folder(parts: Parts) -> dict[str, Content]:
    """Return the files of the folder by name, their checksums among them.

    Raises:
        LicenceRefused: a wheel may not be carried.
        NameForbidden: a file name that Windows does not take.
    """
    every = sorted({path for found in parts.wheels.values() for path in found})
    texts = _windows(parts) if parts.platform.name == "windows" else _linux(parts)
    found = [licences.licence_of(wheel) for wheel in (*every, parts.pip)]
    files: dict[str, Content] = {
        **texts,
        "requirements.txt": requirements(parts).encode(),
        "LICENCES.txt": licences.page(found, ours="Apache-2.0").encode(),
        **parts.rights,
        f"wheels/{parts.ours.name}": parts.ours,
        f"wheels/{parts.pip.name}": parts.pip,
        **{f"wheels/{wheel.name}": wheel for wheel in every},
    }
    for name in files:
        check_name(name)
    return with_sums(files)


def requirements(parts: Parts) -> str:
    """Return what pip may install: each package at one version, and only the files in here."""
    lines = ["# Only files of this folder, each by its SHA-256.\n"]
    for pin in parts.pins:
        files = parts.wheels.get(f"{pin.name}=={pin.version}", frozenset())
        lines += [pin.line(sha256(path) for path in files)] if files else []
    ours = Pin(name="kumobashi", version=parts.version, marker="", hashes=frozenset())
    lines.append(ours.line([sha256(parts.ours)]))
    return "".join(lines)


def check_name(name: str) -> None:
    """Raise ``NameForbidden`` for what Windows does not take as a path.

    >>> check_name("wheels/rich-15.0.0-py3-none-any.whl")
    """
    if len(name) > _LONGEST_NAME or any(map(_WINDOWS_FORBIDS.search, name.split("/"))):
        raise NameForbidden(name)


def _linux(parts: Parts) -> dict[str, Content]:
    return {
        "install.sh": _filled("install.sh", parts),
        "README.ja.md": _filled("linux.ja.md", parts),
    }


def _windows(parts: Parts) -> dict[str, Content]:
    byte_order_mark = b"\xef\xbb\xbf"  # so that every editor of Windows reads Japanese
    return {
        "start.cmd": _lines_of_windows(_filled("start.cmd", parts)),
        "start.py": _filled("start.py", parts),
        "python-needed.txt": _lines_of_windows(_filled("python-needed.txt", parts)),
        "README.ja.txt": byte_order_mark + _lines_of_windows(_filled("windows.ja.txt", parts)),
    }


def _filled(name: str, parts: Parts) -> bytes:
    text = (TEXTS / name).read_text(encoding="utf-8")
    said = {
        "VERSION": parts.version,
        "PYTHONS": " ".join(parts.pythons),
        "NEWEST_FIRST": " ".join(reversed(parts.pythons)),
        "PYTHONS_READ": "、".join(parts.pythons),
        "PROCESSOR": parts.platform.processor,
        "PIP": parts.pip.name,
        "FOLDER": parts.root,
    }
    for word, value in said.items():
        text = text.replace(f"@{word}@", value)
    return text.encode()


def _lines_of_windows(text: bytes) -> bytes:
    return text.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
