"""Prometheus, Alertmanager and the blackbox exporter of Debian, each as a process of its own."""

import json
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from kumobashi.testing.gateways import until
from tools.debian_programs import Program, ProgramMissing, program


def of_debian(name: str, package: str) -> Program:
    """Return a program, or skip the test where it cannot be had."""
    try:
        return program(name, package)
    except ProgramMissing as missing:
        pytest.skip(str(missing))


def run(made: Program, *words: str | Path, cwd: Path) -> str:
    """Run a program to its end and return what it said; it must end well."""
    done = subprocess.run(
        [made.path, *words], cwd=cwd, env=made.starts(), capture_output=True, text=True, check=False
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    return said


@contextmanager
def running(made: Program, *words: str, folder: Path, ready: str) -> Iterator[None]:
    """Let a program run as long as the block is open; it must answer at ``ready`` first."""
    log = folder / f"{made.path.name}.log"
    command = [*_at_its_place(made), str(made.path), *words]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=folder, env=made.starts(), stdout=output, stderr=output
        )
    try:
        until(f"{made.path.name} answers", lambda: answers(ready, process, log) or None, 30)
        yield
    finally:
        process.kill()
        process.wait()


def _at_its_place(made: Program) -> list[str]:
    """Return what lets an unpacked program find its files below ``/usr/share``.

    Debian's Alertmanager reads its templates there and nowhere else; so it gets a view of its own.
    """
    templates = made.root / "usr/share/prometheus/alertmanager"
    if made.root == Path("/") or not templates.exists():
        return []
    bind = 'mount --bind "$0/usr/share" /usr/share && exec "$@"'
    inside = ["unshare", "--mount", "--map-root-user", "sh", "-c", bind, str(made.root)]
    if not shutil.which("unshare") or subprocess.run([*inside, "true"], check=False).returncode:
        pytest.skip("no namespace for mounts: an unpacked Alertmanager does not find its templates")
    return inside


def answers(address: str, process: "subprocess.Popen[bytes]", log: Path) -> bool:
    """Whether somebody answers there; fails when the process has ended."""
    assert process.poll() is None, log.read_text("utf-8", "replace")[-2000:]
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310 - http
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def asked(port: int, query: str) -> list[dict[str, Any]]:
    """Return the result of an instant query; the query must be understood."""
    said = urllib.parse.urlencode({"query": query})
    address = f"http://127.0.0.1:{port}/api/v1/query?{said}"
    try:
        with urllib.request.urlopen(address, timeout=10) as answer:
            found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
            return found
    except urllib.error.HTTPError as error:
        with error:
            raise AssertionError(f"{query}: {error.read().decode()}") from None
