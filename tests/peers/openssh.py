"""OpenSSH as an SFTP server: Debian's program, keys of its own, for this user, in one folder."""

import getpass
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kumobashi.testing.town import free_ports
from tests.peers.entrances import have
from tests.peers.file_server import FileServer
from tests.peers.running import running

_APART = Path("/run/sshd")  # a root's sshd wants this empty folder
_CONFIG = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {own}/host
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
AuthorizedKeysFile {own}/authorized
Subsystem sftp internal-sftp
ForceCommand internal-sftp -d {folder}
"""


@contextmanager
def openssh(folder: Path) -> Iterator[FileServer]:
    """Serve ``folder`` by SFTP to whoever has the key."""
    asyncssh = pytest.importorskip("asyncssh")
    sshd = have("sshd", "openssh-server")
    (port,) = free_ports(1)
    own, served = folder / "own", folder / "served"
    own.mkdir()
    served.mkdir()
    host, user = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    (own / "host").write_bytes(host.export_private_key())
    (own / "host").chmod(0o600)
    (own / "authorized").write_bytes(user.export_public_key())
    config = own / "sshd_config"
    config.write_text(_CONFIG.format(port=port, own=own, folder=served), encoding="utf-8")
    makes = os.geteuid() == 0 and not _APART.exists()
    if makes:
        _APART.mkdir(mode=0o755)
    try:
        command: list[str | Path] = [sshd.path, "-D", "-e", "-f", config]
        with running(command, own / "sshd.log", lambda: _greets(port), sshd.starts()):
            yield FileServer(
                port=port,
                host_key=" ".join(host.export_public_key().decode().split()[:2]),
                key=user.export_private_key().decode(),
                folder=served,
                user=getpass.getuser(),
            )
    finally:
        if makes:
            _APART.rmdir()


def _greets(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as line:
            return line.recv(64).startswith(b"SSH-2.0-OpenSSH")
    except OSError:
        return False
