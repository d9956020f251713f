"""Open the training city on Windows; the first start makes the environment, without a network.

Run by start.cmd with the Python that is there; nothing but its standard library is needed. Exit
codes: 0 ended, 1 not on this machine, 2 files missing or altered, 3 cannot write or install; others
are those of ``kumobashi training``.
"""

import hashlib
import io
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
VERSION = "@VERSION@"
PYTHONS = "@PYTHONS@".split()  # noqa: SIM905 - several, once filled in
PIP = "@PIP@"
IS_WINDOWS = os.name == "nt"


class Stop(Exception):
    """What ends the start: an exit code, and why in both languages."""

    def __init__(self, code: int, ja: str, en: str) -> None:
        super().__init__(f"× {ja}\n  {en}")
        self.code = code


def home() -> Path:
    """Where environment and training city live: this person's own folder, on this machine."""
    local = os.environ.get("LOCALAPPDATA")
    return (Path(local) if local else Path.home() / ".local" / "share") / "kumobashi"


def check_machine() -> None:
    """Stop on a Python or a machine that the wheels in here are not made for."""
    this = "{}.{}".format(*sys.version_info[:2])
    if this not in PYTHONS or sys.implementation.name != "cpython" or sys.maxsize < 2**32:
        raise Stop(
            1,
            f"Python {'、'.join(PYTHONS)}（64 ビット）のどれかが要ります。今は {this} です。",
            f"one of CPython {', '.join(PYTHONS)}, 64-bit, is needed; this is {this}",
        )
    if IS_WINDOWS and platform.machine().upper() not in {"AMD64", "X86_64"}:
        raise Stop(
            1,
            "このフォルダは 64 ビット（x64）の Windows 用です。",
            "this folder is for x64 Windows",
        )


def check_files(folder: Path = HERE) -> str:
    """Stop when a file is missing or altered; return what names this very folder."""
    try:
        text = (folder / "SHA256SUMS").read_text(encoding="ascii")
    except (OSError, ValueError):
        text = ""
    wrong = []
    for line in text.splitlines():
        digest, _, name = line.partition("  ")
        try:
            with (folder / name).open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError:
            found = ""
        if found != digest:
            wrong.append(name)
    if wrong or not text:
        raise Stop(
            2,
            f"欠けているか違うファイルがあります: {', '.join(wrong) or 'SHA256SUMS'}\n"
            "  zip をもう一度写し、「すべて展開」してから開いてください。何も入れていません。",
            "files are missing or altered: copy and unpack the archive again; nothing is installed",
        )
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:8]


def interpreter(environment: Path) -> Path:
    """Return the environment's Python."""
    return environment / ("Scripts/python.exe" if IS_WINDOWS else "bin/python")


def prepare(environment: Path) -> None:
    """Make the environment unless it is whole already; leave nothing behind when it fails."""
    mark = environment / "installed"
    if mark.exists():
        return
    print("はじめての起動です。準備に数分かかります。/ First start: this takes a few minutes.")
    sys.stdout.flush()
    try:
        shutil.rmtree(environment, ignore_errors=True)
        environment.parent.mkdir(parents=True, exist_ok=True)
        quiet = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
        quiet["PIP_CONFIG_FILE"] = os.devnull  # nothing of this machine's settings counts
        make = [sys.executable, "-I", "-m", "venv", "--without-pip", str(environment)]
        subprocess.run(make, check=True, env=quiet)
        install = [str(interpreter(environment)), "-I", str(HERE / "wheels" / PIP / "pip")]
        install += ["--isolated", "install", "--quiet", "--no-index"]
        install += ["--find-links", str(HERE / "wheels"), "--require-hashes"]
        install += ["--only-binary=:all:", "--no-cache-dir", "--disable-pip-version-check"]
        install += ["--no-warn-script-location", "--root-user-action=ignore"]
        install += ["-r", str(HERE / "requirements.txt")]
        subprocess.run(install, check=True, env=quiet)
        mark.write_bytes(b"")
    except (OSError, subprocess.CalledProcessError) as error:
        shutil.rmtree(environment, ignore_errors=True)
        raise Stop(
            3,
            f"準備できませんでした（{type(error).__name__}）。"
            f"空き容量と、{environment.parent} に書けるかを確かめてください。",
            "could not be prepared: is the disk full, may this folder be written?",
        ) from None
    print("✓ 準備ができました。/ Ready.")
    sys.stdout.flush()


def main(arguments: list[str]) -> int:
    """Prepare, then open the training city; further arguments go to ``kumobashi training``."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="replace")
    try:
        check_machine()
        seal = check_files()
        environment = home() / f"{VERSION}-{seal}"
        prepare(environment)
        city = ["--folder", str(home() / "training")]
        command = [str(interpreter(environment)), "-X", "utf8", "-m", "kumobashi", "training"]
        return subprocess.run([*command, *city, *arguments], check=False).returncode
    except Stop as stop:
        print(stop, file=sys.stderr)
        return stop.code
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
