"""Why something waits, was held or refused, as it is stored, sent along the hops and shown."""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from kumobashi.exchange.errors import Unforeseen
from kumobashi.kernel import KumobashiError, to_wire
from kumobashi.storage.errors import SpoolFull, is_disk_full

log = logging.getLogger(__name__)
_KEPT = 500  # characters of a sentence


def alone(error: Exception) -> Exception:
    """Return the first failure of several that happened side by side."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error


def as_known(error: Exception) -> KumobashiError:
    """Return an error that can be told and waited for; an unforeseen one is logged."""
    if isinstance(error, KumobashiError):
        return error
    if is_disk_full(error):
        return SpoolFull(place="work")
    log.error("unexpected error", exc_info=error)
    return Unforeseen(kind=type(error).__name__)


def cause_of(
    error: KumobashiError,
    *,
    side: str,
    now: datetime,
    tries: int = 0,
    wait: float | None = None,
    old: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the cause as JSON; ``side`` is the site at fault, ``since`` stays while it lasts."""
    same = bool(old) and old is not None and (old["code"], old["side"]) == (error.code, side)
    return {
        "code": error.code,
        "side": side,
        "since": old["since"] if same and old else to_wire(now),
        "ja": error.say("ja")[:_KEPT],
        "en": error.say("en")[:_KEPT],
        "remedy_ja": error.remedy("ja")[:_KEPT],
        "remedy_en": error.remedy("en")[:_KEPT],
        "tries": tries,
        "next_try": to_wire(now + timedelta(seconds=wait)) if wait is not None else None,
    }
