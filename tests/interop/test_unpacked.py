"""What is not on a machine is fetched and unpacked without root, and runs from there."""

import subprocess

import pytest

from tools import debian_programs, node_packages

pytestmark = [pytest.mark.interop, pytest.mark.slow]


@pytest.mark.parametrize(
    ("name", "packages", "ask", "says"),
    [
        ("nginx", ["nginx"], "-v", "nginx/"),
        ("haproxy", ["haproxy"], "-v", "HAProxy version"),
        ("php", ["php8.2-cli", "php8.2-soap"], "-v", "PHP 8.2"),
        ("sshd", ["openssh-server"], "-?", "OpenSSH_"),
        ("curl", ["curl"], "-V", "curl "),
    ],
)
def test_a_program_runs_out_of_its_package(
    name: str, packages: list[str], ask: str, says: str
) -> None:
    try:
        found = debian_programs.unpacked(name, *packages)
    except debian_programs.ProgramMissing as error:
        pytest.skip(str(error))

    done = subprocess.run(
        [found.path, ask], env=found.starts(), capture_output=True, text=True, check=False
    )

    assert found.path.is_relative_to(debian_programs.KEPT)
    assert says in done.stdout + done.stderr


def test_a_program_that_nobody_has_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(debian_programs.ProgramMissing, match="no-such-package-at-all"):
        debian_programs.program("no-such-program-at-all", "no-such-package-at-all")
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(debian_programs.ProgramMissing, match="apt-get"):
        debian_programs.unpacked("x", "not-yet-unpacked")
    with pytest.raises(node_packages.NodeMissing, match="nodejs"):
        node_packages.node()
