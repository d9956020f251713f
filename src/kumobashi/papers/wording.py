"""Times and kinds of items as papers write them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from kumobashi.kernel import JST

SENSITIVITIES_JA: Final[Mapping[str, str]] = {
    "public": "公開",
    "attribute": "属性",
    "personal": "個人情報",
    "identifier": "識別子",
    "special": "要配慮",
}


def local_time(at: datetime) -> str:
    """Return a moment in Japanese time.

    >>> from datetime import UTC
    >>> local_time(datetime(2026, 11, 20, 1, 0, tzinfo=UTC))
    '2026-11-20 10:00'
    """
    return f"{at.astimezone(JST):%Y-%m-%d %H:%M}"
