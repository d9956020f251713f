"""What a provider of the municipality has proved of somebody, whatever language it spoke.

OpenID Connect and SAML both end here; rules make a role of it, and a session follows as it does for
a local account. Attributes are what rules look at and nothing else: they are not kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Somebody whom a provider has recognised."""

    provider: str  # id in the workspace
    subject: str  # never given to another person: `sub`, or a persistent NameID
    shown: str  # how pages and records call them
    attributes: Mapping[str, tuple[str, ...]]
    methods: frozenset[str]  # how it was proved, as RFC 8176 names them: "pwd", "otp", "mfa" …
    at: datetime  # when the provider asked them last, UTC
    session: str | None = None  # the provider's name of its session, for signing out
    until: datetime | None = None  # when the provider wants to be asked again


class Doorkeeper(Protocol):
    """Lets those in whom a provider knows; called in worker threads."""

    def admit(self, known: Known) -> str:
        """Return the value for the cookie of a new session.

        Raises:
            RoleMissing: no rule gives them a role.
            AccountClosed: they were shut out here, or by the provider's list of accounts.
            FactorMissing: a second factor is asked for, and the provider did not say it saw one.
        """

    def let_go(self, provider: str, *, subject: str | None, session: str | None) -> int:
        """End the sessions that a provider has ended, and return how many."""
