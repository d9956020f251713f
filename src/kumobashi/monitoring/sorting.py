"""At which of the four detection points a cause was seen. Pure.

>>> sort("exchange.peer_unreachable", is_relay=True).value
'relay'
>>> sort("storage.unreachable", is_relay=False).value, sort("exchange.rows_refused").value
('interface', 'import')
"""

from kumobashi.monitoring.points import Point

NOT_REACHED = frozenset(
    {"exchange.peer_unreachable", "exchange.peer_resting", "exchange.certificate_refused"}
)
# What stands behind the receiving gateway does not take anything: nothing was judged yet.
_INTERFACE = frozenset(
    {
        "exchange.destination_busy",
        "jobs.away",
        "jobs.limit",
        "storage.busy",
        "storage.folder_unreachable",
        "storage.own_failed",
        "storage.unreachable",
    }
)


def sort(code: str, *, is_relay: bool = False, is_here: bool = False) -> Point:
    """Return the point of a cause at a relay, at this site, or at the receiver of a link."""
    if is_here:
        return Point.SENDER
    if is_relay:
        return Point.RELAY
    return Point.INTERFACE if code in NOT_REACHED | _INTERFACE else Point.IMPORT
