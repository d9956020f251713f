"""Let the C library keep two heaps instead of one for each thread.

glibc gives a thread a heap of its own when others are in use, eight for each core, and each keeps
what its largest moment took. A gateway has some twenty threads that handle blocks of a megabyte:
tens of MiB would stay taken for nothing (docs/performance.md).
"""

import ctypes

_M_ARENA_MAX = -8  # <malloc.h>
_HEAPS = 2


def share_heaps() -> None:
    """Ask for it; another C library than glibc has nothing to ask."""
    try:
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, _HEAPS)
    except (AttributeError, OSError, TypeError):  # musl, macOS, Windows
        return
