"""The examples of a how-to page as a test runs them: the page's own words, at another address."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

ADDRESS = "http://127.0.0.1:8740"  # of the gateway, in every page
_SECONDS = 60


class Page:
    """One page below ``docs/how-to``."""

    def __init__(self, name: str) -> None:
        self.text = Path(f"docs/how-to/{name}.md").read_text(encoding="utf-8")

    def blocks(self, language: str) -> list[str]:
        """Return the fenced blocks of one language, in order."""
        return re.findall(rf"(?m)^```{language}\n(.*?)^```$", self.text, re.DOTALL)

    def curl(self, part: str = "") -> str:
        """Return the one shell command that begins with curl and holds ``part``."""
        shown = "".join(self.blocks("console")).replace("\\\n", " ")
        lines = [line[2:] for line in shown.splitlines() if line.startswith("$ curl ")]
        (found,) = [line for line in lines if part in line]
        return found


def run_python(
    code: str,
    folder: Path,
    changed: Mapping[str, str],
    environment: Mapping[str, str] | None = None,
) -> str:
    """Run a Python example in ``folder`` and return what it prints."""
    return _run([sys.executable, "-c", _with(code, changed)], folder, environment)


def run_shell(
    code: str,
    folder: Path,
    changed: Mapping[str, str],
    environment: Mapping[str, str] | None = None,
) -> str:
    """Run a shell example in ``folder``, stopping at its first failure; return what it prints.

    Skips the test, saying so, where a program that it names is not on this machine.
    """
    for program in ("sh", "curl", "openssl"):
        if (program == "sh" or f"{program} " in code) and shutil.which(program) is None:
            pytest.skip(f"the program {program} is not here")
    return _run(["sh", "-eu", "-c", _with(code, changed)], folder, environment)


def _with(code: str, changed: Mapping[str, str]) -> str:
    for old, new in changed.items():
        assert old in code, f"the example does not name {old}"
        code = code.replace(old, new)
    return code


def _run(command: list[str], folder: Path, environment: Mapping[str, str] | None) -> str:
    done = subprocess.run(
        command, cwd=folder, env=os.environ | dict(environment or {}), capture_output=True,
        check=False, timeout=_SECONDS,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return done.stdout.decode()
