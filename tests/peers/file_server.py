"""A file server of others, run as it is: asyncssh's SFTP server, with keys and one folder."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from kumobashi.conversion.remote.sftp import SftpPlace

USER = "kumobashi"


@dataclass(frozen=True)
class FileServer:
    """A file server that runs here."""

    port: int
    host_key: str
    key: str  # that lets in
    folder: Path
    user: str = USER

    def below(self, name: str) -> SftpPlace:
        """Make a folder, and return it as a system's files."""
        (self.folder / name).mkdir()
        return SftpPlace(
            system="there", name="あちら", host="127.0.0.1", port=self.port, user=self.user,
            folder=name, host_key=self.host_key, key=self.key,
        )  # fmt: skip


@contextmanager
def file_server(folder: Path) -> Iterator[FileServer]:
    """Serve ``folder`` by SFTP to whoever has the key."""
    asyncssh = pytest.importorskip("asyncssh")
    host, user = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    known = asyncssh.import_authorized_keys(user.export_public_key().decode())
    loop, ready, ports = asyncio.new_event_loop(), threading.Event(), []
    stopping = asyncio.Event()

    class Server(asyncssh.SFTPServer):  # type: ignore[misc,name-defined]
        def __init__(self, channel: object) -> None:
            super().__init__(channel, chroot=str(folder))

    async def serve() -> None:
        server = await asyncssh.listen(
            "127.0.0.1",
            0,
            server_host_keys=[host],
            authorized_client_keys=known,
            sftp_factory=Server,
            password_auth=False,
        )
        ports.append(server.get_port())
        ready.set()
        await stopping.wait()
        server.close()
        await server.wait_closed()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    assert ready.wait(20)
    try:
        yield FileServer(
            port=ports[0],
            host_key=" ".join(host.export_public_key().decode().split()[:2]),
            key=user.export_private_key().decode(),
            folder=folder,
        )
    finally:
        loop.call_soon_threadsafe(stopping.set)
        thread.join(20)
        loop.close()
