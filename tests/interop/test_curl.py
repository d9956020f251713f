"""curl as the client of every face, by the examples of our pages, and at entrances with mTLS."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from kumobashi.testing.town import free_ports
from tests.peers.authority import Authority
from tests.peers.entrances import KINDS, entrance, have
from tests.scenario.test_calls import (
    system,
    test_a_call_is_answered_recorded_and_stopped_with_its_approval,
    town,
)
from tests.scenario.test_linkage import place, test_the_page_shows_how
from tools.debian_programs import Program

__all__ = [
    "place",
    "system",
    "test_a_call_is_answered_recorded_and_stopped_with_its_approval",
    "test_the_page_shows_how",
    "town",
]
pytestmark = [pytest.mark.interop, pytest.mark.slow]


@pytest.fixture(scope="module")
def curl() -> Program:
    return have("curl", "curl")


@pytest.fixture(autouse=True)
def _on_the_path(curl: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{curl.path.parent}:{os.environ['PATH']}")
    for name, value in curl.environment.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def behind() -> Iterator[int]:
    """Run something behind the entrance; who is refused never comes so far."""
    (port,) = free_ports(1)
    served = subprocess.Popen(
        ["python3", "-m", "http.server", str(port), "--bind", "127.0.0.1"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    yield port
    served.kill()
    served.wait()


@pytest.mark.parametrize("kind", KINDS)
def test_it_sees_two_refusals_where_we_tell_one(
    curl: Program, tmp_path: Path, kind: str, behind: int
) -> None:
    authority, (port,) = Authority(), free_ports(1)
    authority.certify("curl").at(tmp_path)
    (tmp_path / "authority.crt").write_bytes(authority.pem)
    ask: list[str | Path] = [
        curl.path,
        "-s",
        "-w",
        "\n%{http_code}",
        "--cacert",
        tmp_path / "authority.crt",
    ]

    def asked(*more: str | Path) -> tuple[int, str]:
        words = [*ask, *more, f"https://127.0.0.1:{port}/health"]
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=30)
        return done.returncode, done.stdout

    with entrance(kind, tmp_path / "e", authority, port, behind=behind):
        none = asked()
        shown = asked("--cert", tmp_path / "client.crt", "--key", tmp_path / "client.key")

    if kind == "nginx":
        assert none[0] == 0
        assert none[1].endswith("\n400")
        assert "No required SSL certificate was sent" in none[1]
    else:
        assert none[0] != 0
        assert none[1].endswith("\n000")
    assert shown[0] == 0
    assert shown[1].endswith(("\n404", "\n502", "\n503"))  # what stands behind has no /health
