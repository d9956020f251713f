"""Named places where a test may kill the process, to prove that nothing is lost there.

``KUMO_CRASH=receiving.delivered:2`` kills this process with SIGKILL when it passes the point
``receiving.delivered`` for the second time. Without the variable a point costs one dictionary
look-up. ``kumobashi.testing.crash_points`` lists every name found in the source.
"""

import os
import signal

# Windows has no SIGKILL; there os.kill ends a process at once with any other number.
_AT_ONCE = signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM
_armed: dict[str, int] = {}


def arm(wish: str) -> None:
    """Set the point to die at, ``name:count``; an empty wish sets none."""
    _armed.clear()
    if wish:
        name, _, count = wish.partition(":")
        _armed[name] = int(count or 1)


def crashpoint(name: str) -> None:
    """Die here if a test asked for it."""
    if name not in _armed:
        return
    _armed[name] -= 1
    if _armed[name] == 0:
        os.kill(os.getpid(), _AT_ONCE)


arm(os.environ.get("KUMO_CRASH", ""))
