"""Words that every floor shares: errors, identifiers, zones, the clock, findings and crash points.

Nothing here talks to a disk or a network; nothing here knows what a link or a bundle is. What goes
in and what comes out are plain values. Keep it small: a word belongs here only when floors that may
not import each other both need it.
"""

from kumobashi.kernel.clock import (
    JST,
    Clock,
    SystemClock,
    business_date,
    from_micros,
    from_wire,
    to_micros,
    to_wire,
)
from kumobashi.kernel.crash import crashpoint
from kumobashi.kernel.errors import KumobashiError, Language
from kumobashi.kernel.findings import Finding
from kumobashi.kernel.ids import MunicipalityCode, new_id
from kumobashi.kernel.zones import Zone

__all__ = [
    "JST",
    "Clock",
    "Finding",
    "KumobashiError",
    "Language",
    "MunicipalityCode",
    "SystemClock",
    "Zone",
    "business_date",
    "crashpoint",
    "from_micros",
    "from_wire",
    "new_id",
    "to_micros",
    "to_wire",
]
