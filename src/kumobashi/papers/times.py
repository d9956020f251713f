"""Times as papers write them."""

from datetime import datetime

from kumobashi.kernel import JST


def local_time(at: datetime) -> str:
    """Return a moment in Japanese time.

    >>> from datetime import UTC
    >>> local_time(datetime(2026, 11, 20, 1, 0, tzinfo=UTC))
    '2026-11-20 10:00'
    """
    return f"{at.astimezone(JST):%Y-%m-%d %H:%M}"
