"""What a hop says of the way behind it: nobody signs that, so it is kept only in its form.

Lines flip bits, and a relay may be of another version. What pages draw from must have every member
that they read, of the kind that they read; what has not is left out, and the next answer brings it
again. Receipts are signed, and need none of this.

>>> hops_of({"hops": [{"site": "relay", "state": "passed", "parts": 1}, {"rite": "cloud"}]})
[{'site': 'relay', 'state': 'passed', 'parts': 1}]
>>> waiting_of({"waiting": {"code": "exchange.peer_down"}}) is None
True
"""

from collections.abc import Mapping
from typing import Any, Final

from kumobashi.kernel import from_wire

_TEXTS: Final = ("code", "side", "ja", "en", "remedy_ja", "remedy_en")
_COUNTS: Final = ("tries", "behind")
_LARGEST: Final = 1 << 53


def hops_of(said: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return how far the hops behind have come, as far as it was said in its form."""
    found = said.get("hops")
    return [hop for hop in found if _is_hop(hop)] if isinstance(found, list) else []


def waiting_of(said: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what a hop waits for; nothing when it waits for nothing, or said it otherwise."""
    found = said.get("waiting")
    return found if isinstance(found, dict) and _is_cause(found) else None


def _is_hop(hop: object) -> bool:
    return (
        isinstance(hop, dict)
        and isinstance(hop.get("site"), str)
        and isinstance(hop.get("state"), str)
        and _is_count(hop.get("parts"))
    )


def _is_cause(cause: Mapping[str, Any]) -> bool:
    return (
        all(isinstance(cause.get(name), str) for name in _TEXTS)
        and all(_is_count(cause.get(name, 0)) for name in _COUNTS)
        and _is_time(cause.get("since"))
        and (not cause.get("next_try") or _is_time(cause["next_try"]))
    )


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _LARGEST


def _is_time(value: object) -> bool:
    try:
        from_wire(str(value))
    except (OverflowError, ValueError):
        return False
    return True
