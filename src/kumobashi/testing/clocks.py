"""A clock for tests."""

from datetime import UTC, datetime


class HandClock:
    """A clock set by hand: it stands at ``at`` until a test moves it."""

    def __init__(self, at: datetime | None = None) -> None:
        self.at = at or datetime.now(UTC)

    def now(self) -> datetime:
        """Return what it is set to."""
        return self.at
