"""Of which moment the rows of a bundle are, and until when they may be used: signed by the sender.

Three times travel: that of the core systems, that of the database in which the hall brings data
together, and the end of their use. The cloud's own time is that of its receipts.

>>> from datetime import UTC, timedelta
>>> day = datetime(2026, 11, 22, tzinfo=UTC)
>>> fresh = Freshness(core_at=day, taken_at=day, usable_until=day + timedelta(days=3))
>>> fresh.is_over(day), fresh.is_over(day + timedelta(days=3))
(False, True)
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from kumobashi.kernel import to_wire
from kumobashi.messages.fields import Fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """The oldest times of all that was used, in UTC."""

    core_at: datetime  # the state of the core systems (基幹システムの時点)
    taken_at: datetime  # when it came to where it was read (統合DBに入った時点)
    usable_until: datetime

    def is_over(self, now: datetime) -> bool:
        """Say whether the rows may not be used any more."""
        return now >= self.usable_until

    def members(self) -> Mapping[str, object]:
        """Return the fields of the manifest."""
        return {
            "core_at": to_wire(self.core_at),
            "taken_at": to_wire(self.taken_at),
            "usable_until": to_wire(self.usable_until),
        }


def take_freshness(fields: Fields) -> Freshness | None:
    """Take the three fields of a manifest; none of them is no limit.

    Raises:
        FieldWrong: some are there and others are not, or they contradict each other.
    """
    core_at = fields.maybe("core_at", fields.moment)
    if core_at is None:
        return None
    found = Freshness(
        core_at=core_at,
        taken_at=fields.moment("taken_at"),
        usable_until=fields.moment("usable_until"),
    )
    if found.usable_until <= core_at:
        raise fields.wrong("usable_until", "a time after core_at")
    return found
