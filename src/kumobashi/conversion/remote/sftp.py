"""A file server reached by SFTP: meets ``RemotePlace``.

A file is sent under another name and renamed when it is whole. The server's key is known before;
another one is refused, and no file of the user's own (``~/.ssh``) is asked.
"""

import asyncio
import hashlib
import importlib
import stat
from collections.abc import Awaitable, Container, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any, Final

from kumobashi.conversion.errors import FileChanged
from kumobashi.conversion.remote.errors import NameTaken, PackageMissing
from kumobashi.conversion.remote.places import WAITING, Listed
from kumobashi.kernel import new_id
from kumobashi.storage.errors import FolderUnreachable

_SECONDS: Final = 20
_PIECE: Final = 1 << 20


@dataclass(frozen=True, kw_only=True)
class SftpPlace:
    """A folder on a file server."""

    system: str
    name: str  # what people call the system
    host: str
    port: int = 22
    user: str
    folder: str
    host_key: str  # "ssh-ed25519 AAAA…"
    key: str = field(repr=False)  # the private key, in OpenSSH's form
    is_whole_at_once: bool = False

    @property
    def label(self) -> str:
        """The server and the folder."""
        return f"sftp:{self.host}/{self.folder.strip('/')}"

    @contextmanager
    def opened(self) -> Iterator["_Folder"]:
        """Connect, and give the folder."""
        try:
            library = importlib.import_module("asyncssh")
        except ImportError:
            raise PackageMissing(kind="SFTP", extra="sftp") from None
        with asyncio.Runner() as runner:
            try:
                connection = runner.run(self._connected(library))
                try:
                    client = runner.run(_opened(connection))
                    yield _Folder(self, library, runner, client)
                finally:
                    connection.abort()
                    runner.run(connection.wait_closed())
            except (library.Error, OSError, TimeoutError) as error:
                raise self._unreachable(error) from None

    async def _connected(self, library: Any) -> Any:  # noqa: ANN401 - imported when it is needed
        async with asyncio.timeout(_SECONDS):
            return await library.connect(
                self.host,
                self.port,
                username=self.user,
                client_keys=[library.import_private_key(self.key)],
                known_hosts=([library.import_public_key(self.host_key)], [], []),
                agent_path=None,
                config=None,
                preferred_auth=["publickey"],
                keepalive_interval=10,
            )

    def _unreachable(self, error: Exception) -> FolderUnreachable:
        words = {
            "HostKeyNotVerifiable": "the server shows another key",
            "PermissionDenied": "key refused",
            "SFTPPermissionDenied": "not permitted",
            "SFTPNoSuchFile": "no such folder",
        }
        return FolderUnreachable(
            system=self.system,
            name=self.name,
            folder=self.label,
            reason=words.get(type(error).__name__, "no answer"),
        )


@dataclass(frozen=True)
class _Folder:
    place: SftpPlace
    library: Any
    runner: asyncio.Runner
    client: Any

    def listed(self) -> Sequence[Listed]:
        found = self._run(self.client.readdir(self.place.folder))
        return [
            Listed(
                name=str(one.filename),
                size=int(one.attrs.size or 0),
                version=_version(one.attrs),
                modified=datetime.fromtimestamp(one.attrs.mtime or 0, UTC),
            )
            for one in found
            if one.attrs.permissions is None or stat.S_ISREG(one.attrs.permissions)
        ]

    def fetch(self, file: Listed, target: Path) -> None:
        path = self._path(file.name)
        try:
            self._run(self.client.get(path, str(target), follow_symlinks=False))
            after = _version(self._run(self.client.stat(path)))
        except self.library.SFTPNoSuchFile:
            raise FileChanged(file=file.name) from None
        if after != file.version or target.stat().st_size != file.size:
            raise FileChanged(file=file.name)

    def put(self, source: Path, name: str, ours: Container[str] = ()) -> None:
        there = self.digest(name)
        with source.open("rb") as reading:
            if hashlib.file_digest(reading, "sha256").hexdigest() == there:
                return
        if there is not None and there not in ours:
            raise self._taken(name)
        room = self._path(WAITING)
        with suppress(self.library.SFTPError):  # it is there
            self._run(self.client.mkdir(room))
        waiting = f"{room}/{new_id()}"
        self._run(self._send(source, waiting))
        if there is not None:
            self._run(self.client.remove(self._path(name)))
        try:
            self._run(self.client.rename(waiting, self._path(name)))
        except self.library.SFTPError:  # somebody else was faster
            with suppress(self.library.SFTPError):
                self._run(self.client.remove(waiting))
            raise self._taken(name) from None

    def digest(self, name: str) -> str | None:
        try:
            return str(self._run(self._read(self._path(name))))
        except self.library.SFTPNoSuchFile:
            return None

    def remove(self, name: str) -> None:
        with suppress(self.library.SFTPNoSuchFile):
            self._run(self.client.remove(self._path(name)))

    async def _send(self, source: Path, waiting: str) -> None:
        async with self.client.open(waiting, "wb") as writing:
            with source.open("rb") as reading:
                while piece := reading.read(_PIECE):
                    await writing.write(piece)
            with suppress(self.library.SFTPOpUnsupported):
                await writing.fsync()

    async def _read(self, path: str) -> str:
        whole = hashlib.sha256()
        async with self.client.open(path, "rb") as reading:
            while piece := await reading.read(_PIECE):
                whole.update(piece)
        return whole.hexdigest()

    def _taken(self, name: str) -> NameTaken:
        place = self.place
        return NameTaken(system=place.system, name=place.name, place=place.label, file=name)

    def _path(self, name: str) -> str:
        return str(PurePosixPath(self.place.folder) / name)

    def _run(self, work: Awaitable[Any]) -> Any:  # noqa: ANN401 - of another library
        async def done() -> Any:  # noqa: ANN401 - as above
            return await work

        return self.runner.run(done())


async def _opened(connection: Any) -> Any:  # noqa: ANN401 - of another library
    return await connection.start_sftp_client()


def _version(attributes: Any) -> str:  # noqa: ANN401 - of another library
    return f"{attributes.size}-{attributes.mtime}-{getattr(attributes, 'mtime_ns', None) or 0}"
