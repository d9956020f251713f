"""The tokens by which a site's systems prove who they are when they ask at their gateway.

One file a system, ``private/<site>/systems/<system>.token``, that only its owner may read. A new
file counts at once, a removed one too.
"""

import secrets
from hashlib import sha256
from pathlib import Path

from kumobashi.crypto.errors import CryptoFailed
from kumobashi.crypto.private_files import read_private, write_private

_BYTES = 32
_SMALLEST = 32  # characters


class CallTokens:
    """The tokens of one site, read again when a file changes."""

    def __init__(self, workspace: Path, site: str) -> None:
        self._folder = folder_of(workspace, site)
        self._held: dict[str, tuple[int, bytes]] = {}

    def __call__(self, system: str) -> bytes | None:
        """Return the SHA-256 of a system's token; nothing when it has none that may be used."""
        if not system.replace("-", "").replace("_", "").isalnum():
            return None
        path = self._folder / f"{system}.token"
        try:
            changed = path.stat().st_mtime_ns
            if system not in self._held or self._held[system][0] != changed:
                text = read_private(path, expected="token").strip()
                if len(text) < _SMALLEST:
                    return None
                self._held[system] = (changed, sha256(text).digest())
        except (OSError, CryptoFailed):
            self._held.pop(system, None)
            return None
        return self._held[system][1]


def folder_of(workspace: Path, site: str) -> Path:
    """Return where a site's tokens lie."""
    return workspace / "private" / site / "systems"


def make_token(workspace: Path, site: str, system: str, *, anew: bool = False) -> Path:
    """Make a system's token and return its file; one that exists is kept unless ``anew``.

    Raises:
        KeyExists: there is one, and it was not to be made anew.
    """
    folder = folder_of(workspace, site)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{system}.token"
    if anew:
        path.unlink(missing_ok=True)
    write_private(path, secrets.token_urlsafe(_BYTES).encode("ascii") + b"\n")
    return path
