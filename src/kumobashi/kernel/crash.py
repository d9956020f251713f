"""Named places where a test may kill or freeze the process, to prove that nothing is lost there.

``KUMO_CRASH=receiving.delivered:2`` kills this process with SIGKILL when it passes the point
``receiving.delivered`` for the second time; ``receiving.delivered:1:SIGSTOP`` makes it stand still
there until it gets SIGCONT. Without the variable a point costs one dictionary look-up.
``kumobashi.testing.crash_points`` lists every name found in the source.
"""

import os
import signal

# Windows has no SIGKILL; there os.kill ends a process at once with any other number.
_AT_ONCE = signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM
_armed: dict[str, int] = {}
_signals: dict[str, signal.Signals] = {}


def arm(wish: str) -> None:
    """Set the point to die at, ``name:count`` or ``name:count:SIGNAL``; an empty wish sets none."""
    _armed.clear()
    if wish:
        name, _, rest = wish.partition(":")
        count, _, number = rest.partition(":")
        _armed[name] = int(count or 1)
        _signals[name] = signal.Signals[number] if number else _AT_ONCE


def crashpoint(name: str) -> None:
    """Die or stand still here if a test asked for it."""
    if name not in _armed:
        return
    _armed[name] -= 1
    if _armed[name] == 0:
        os.kill(os.getpid(), _signals[name])


arm(os.environ.get("KUMO_CRASH", ""))
