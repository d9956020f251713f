"""Put a folder's files into one archive: the same files always give the same bytes.

Wheels are packed already, so nothing is packed again: no library's way of packing can change a
byte, and the archive is written as fast as the disk takes it.

>>> sums({"b.txt": b"2", "a.txt": b"1"}).splitlines()[0].split("  ")[1]
'a.txt'
"""

import hashlib
import io
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

Content = bytes | Path
_EPOCH = 315532800  # 1980-01-01, the first day that a zip archive can name
_ZIP_DAY = (1980, 1, 1, 0, 0, 0)
_PROGRAMS = (".sh", ".cmd")
SUMS = "SHA256SUMS"


def sums(files: Mapping[str, Content]) -> str:
    """Return the lines that ``sha256sum -c`` takes, by name."""
    return "".join(f"{_sha256(files[name])}  {name}\n" for name in sorted(files))


def with_sums(files: Mapping[str, Content]) -> dict[str, Content]:
    """Return the files and their checksums."""
    return {**files, SUMS: sums(files).encode()}


def write(target: Path, root: str, files: Mapping[str, Content]) -> Path:
    """Write the files below a folder ``root``, as zip or tar by the target's name."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f"{target.name}.tmp")
    if target.suffix == ".zip":
        _write_zip(temporary, root, files)
    else:
        _write_tar(temporary, root, files)
    temporary.replace(target)
    return target


def _write_tar(target: Path, root: str, files: Mapping[str, Content]) -> None:
    with tarfile.open(target, "w", format=tarfile.USTAR_FORMAT) as archive:
        for name in sorted(files):
            about = tarfile.TarInfo(f"{root}/{name}")
            about.mtime, about.mode = _EPOCH, _mode(name)
            content = files[name]
            if isinstance(content, Path):
                about.size = content.stat().st_size
                with content.open("rb") as file:
                    archive.addfile(about, file)
            else:
                about.size = len(content)
                archive.addfile(about, io.BytesIO(content))


def _write_zip(target: Path, root: str, files: Mapping[str, Content]) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            about = zipfile.ZipInfo(f"{root}/{name}", _ZIP_DAY)
            about.create_system = 3  # Unix, wherever it is made: only it notes modes
            about.external_attr = (0o100000 | _mode(name)) << 16
            content = files[name]
            archive.writestr(about, content.read_bytes() if isinstance(content, Path) else content)


def _mode(name: str) -> int:
    return 0o755 if name.endswith(_PROGRAMS) else 0o644


def _sha256(content: Content) -> str:
    if isinstance(content, Path):
        with content.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    return hashlib.sha256(content).hexdigest()
