"""Where the console says who looked at whom, and who was refused what."""

from typing import Protocol

from kumobashi.identity import Account
from kumobashi.identity.unusual import Noticed


class AccessBook(Protocol):
    """Keeps records of access; called in worker threads."""

    def looked(self, account: Account, *, page: str, purpose: str) -> None:
        """Note that somebody saw something of a resident; what cannot be noted is not shown."""

    def reviewed(self, by: Account, *, of: Account, is_kept: bool) -> None:
        """Note what was said of an account when access was reviewed."""

    def explained(self, by: Account, noticed: Noticed) -> None:
        """Note what was found of a day on which somebody did what they never do."""

    def refused(self, account: Account, *, page: str, code: str) -> None:
        """Note that somebody asked for what they may not do; many become one with a count."""
