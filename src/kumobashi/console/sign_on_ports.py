"""What the pages for signing on at a provider ask of the floors above."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from kumobashi.identity.ways import Departure


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """A provider as the sign-in page offers it."""

    provider: str  # id in the workspace, and in addresses
    name: str
    posts: bool = False  # its answer comes as a form of its own page, not as an address
    is_sealed: bool = True  # people reach this console by https


class SignOnSource(Protocol):
    """Sends people to the providers of this console, and takes their answers."""

    def offered(self) -> Sequence[Offered]:
        """Return the providers, in the order of their names."""

    async def begin(self, provider: str) -> Departure:
        """Return where a browser goes, and the cookie that it comes back with."""

    async def finish(self, provider: str, answer: Mapping[str, str], browser: str) -> str:
        """Return the value for the cookie of a new session."""

    async def farewell(self, provider: str, left: str) -> Departure | None:
        """Return where a browser goes to be signed out there too, if there is such a page.

        ``left`` is the cookie of the session that it has just left; a departure with nothing to
        come back with needs no cookie.
        """

    async def hear_ended(self, provider: str, said: Mapping[str, str]) -> int:
        """End the sessions that a provider says it has ended, and return how many."""

    async def parted(self, provider: str, query: str, browser: str) -> str | None:
        """Take what a browser brings of signing out at a provider; return where it goes next."""

    async def metadata(self, provider: str) -> bytes | None:
        """Return what a provider has to know of this console, if it reads such a thing."""
