"""How long a receiver may keep what it applied (保持期間): signed by the sender in the manifest.

>>> kept = Retention(name="service", days=30)
>>> kept.due(datetime(2026, 11, 22, tzinfo=UTC)).date().isoformat()
'2026-12-22'
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from kumobashi.messages.fields import Fields

_LONGEST_DAYS = 36_525  # a hundred years: what is longer is a mistake


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """A class of retention, its days from ``applied`` on, and whether a law asks to keep it."""

    name: str  # of the class in the policy's table
    days: int
    is_kept_by_law: bool = False  # until it is due: two persons to delete it earlier

    def due(self, applied: datetime) -> datetime:
        """Return from when on the receiver may not have it any more."""
        return applied.astimezone(UTC) + timedelta(days=self.days)

    def members(self) -> Mapping[str, object]:
        """Return the fields of the manifest."""
        return {
            "retention_class": self.name,
            "retention_days": self.days,
            "retention_by_law": 1 if self.is_kept_by_law else 0,
        }


def take_retention(fields: Fields) -> Retention | None:
    """Take the three fields of a manifest; none of them is no retention.

    Raises:
        FieldWrong: some are there and others are not, or no sensible number of days.
    """
    name = fields.maybe("retention_class", fields.name)
    if name is None:
        return None
    days = fields.positive("retention_days")
    if days > _LONGEST_DAYS:
        raise fields.wrong("retention_days", f"at most {_LONGEST_DAYS}")
    by_law = fields.integer("retention_by_law")
    if by_law > 1:
        raise fields.wrong("retention_by_law", "0 or 1")
    return Retention(name=name, days=days, is_kept_by_law=by_law == 1)
