"""The clients of the internal-linkage profile: one consumer system each, made by ``call client``.

Beside the tokens: ``private/<site>/systems/<system>.client``, JSON that only its owner may read. A
new file counts at once, and so does a removed one: tokens are worth nothing without their client.
"""

import json
import secrets
import string
from pathlib import Path
from typing import Final

from kumobashi.calls.linkage.clients import Client, read_client
from kumobashi.calls.linkage.errors import ClientUnfit
from kumobashi.crypto.errors import CryptoFailed
from kumobashi.crypto.private_files import read_private, write_private
from kumobashi.service.call_tokens import folder_of

_ALPHABET: Final = string.ascii_letters + string.digits
_ID_LENGTH, _SECRET_LENGTH = 32, 64  # characters


class LinkageClients:
    """The clients of one site, read again when a file changes."""

    def __init__(self, workspace: Path, site: str) -> None:
        self._folder = folder_of(workspace, site)
        self._stamp: dict[Path, int] = {}
        self._found: dict[str, Client] = {}

    def __call__(self, client_id: str) -> Client | None:
        """Return a client by its id; nothing when there is none that may be used."""
        stamp = {path: path.stat().st_mtime_ns for path in self._folder.glob("*.client")}
        if stamp != self._stamp:
            held: dict[str, list[Client]] = {}
            for path in sorted(stamp):
                try:
                    one = read_client(read_private(path, expected="client"), path.stem)
                except (ClientUnfit, CryptoFailed):
                    continue  # nobody gets in by it
                held.setdefault(one.client_id, []).append(one)
            # One client cannot speak for two systems.
            self._found = {key: ones[0] for key, ones in held.items() if len(ones) == 1}
            self._stamp = stamp
        return self._found.get(client_id)


def make_client(
    workspace: Path, site: str, system: str, *, anew: bool = False, basic: bool = False
) -> Path:
    """Make a system's client and return its file; the secret is shown nowhere else.

    ``anew`` keeps the id and changes the secret; the one before is worth nothing at once.

    Raises:
        KeyExists: there is one, and it was not to be made anew.
    """
    folder = folder_of(workspace, site)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{system}.client"
    client_id = _random(_ID_LENGTH)
    if anew and path.exists():
        client_id = read_client(read_private(path, expected="client"), system).client_id
        path.unlink()
    said = {"client_id": client_id, "client_secret": _random(_SECRET_LENGTH)}
    text = json.dumps(said | {"may_use_basic": basic}, indent=1)
    write_private(path, text.encode("ascii") + b"\n")
    return path


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
