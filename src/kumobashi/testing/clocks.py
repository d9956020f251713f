"""Clocks for tests."""

from datetime import UTC, datetime, timedelta
from pathlib import Path


class HandClock:
    """A clock set by hand: it stands at ``at`` until a test moves it."""

    def __init__(self, at: datetime | None = None) -> None:
        self.at = at or datetime.now(UTC)

    def now(self) -> datetime:
        """Return what it is set to."""
        return self.at


class FileClock:
    """The machine's clock, set wrong by as many seconds as a file says; zero without the file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def now(self) -> datetime:
        """Return a wrong time, as a host with a bad clock has it."""
        try:
            wrong = float(self.path.read_text(encoding="ascii"))
        except (OSError, ValueError):
            wrong = 0.0
        return datetime.now(UTC) + timedelta(seconds=wrong)
