"""Which provider a token belongs to: one file each in ``private/<site>/scim/``, none by default.

Tokens are read at each request: a file that is put there, changed or taken away counts at once.
Only their digests are compared, each with all, so that neither time nor order tells anything.
"""

import hashlib
import hmac
import re
import secrets
from pathlib import Path
from typing import Final

from kumobashi.identity.scim.errors import TokenRefused

_PROVIDER: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_SHORTEST: Final = 32  # characters; a shorter one is a word that somebody thought of
_MOST: Final = 50  # providers of one site
_ENDING: Final = ".token"


class ProviderTokens:
    """The tokens of one site."""

    def __init__(self, private: Path, *, site: str) -> None:
        """``private``: the site's folder of secrets."""
        self._folder = private / "scim"
        self._site = site

    def provider(self, authorization: str) -> str:
        """Return whose token a request carries; raise ``TokenRefused``."""
        scheme, _, token = authorization.partition(" ")
        given = hashlib.sha256(token.strip().encode()).digest()
        found = None
        for name, held in self._held():
            if hmac.compare_digest(given, hashlib.sha256(held.encode()).digest()):
                found = name
        if found is None or scheme.lower() != "bearer":
            raise TokenRefused(site=self._site)
        return found

    def make(self, provider: str) -> str:
        """Give a provider a new token, instead of one before, and return it."""
        if not _PROVIDER.fullmatch(provider):
            raise ValueError(f"no name of a provider: {provider!r}")
        token = secrets.token_urlsafe(32)
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._folder / f"{provider}{_ENDING}"
        fresh = path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        fresh.touch(0o600)
        fresh.write_text(f"{token}\n", encoding="utf-8", newline="\n")
        fresh.replace(path)
        return token

    def _held(self) -> list[tuple[str, str]]:
        held = []
        for path in sorted(self._folder.glob(f"*{_ENDING}"))[:_MOST]:
            name = path.name.removesuffix(_ENDING)
            try:
                token = path.read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError):  # one that cannot be read opens nothing
                continue
            if _PROVIDER.fullmatch(name) and len(token) >= _SHORTEST:
                held.append((name, token))
        return held
