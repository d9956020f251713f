"""What goes before what: ranks by a link's priority, which rise while something waits.

With strict ranks a steady stream of urgent transfers would keep the others waiting for ever. So
whatever has waited for half an hour counts as one class higher, up to the highest that a link can
have; only what a person put first stays before that.

>>> rank_now(RANKS["low"], timedelta(minutes=29)) == RANKS["low"]
True
>>> rank_now(RANKS["low"], timedelta(minutes=30)) == RANKS["normal"]
True
>>> rank_now(RANKS["low"], timedelta(days=1)) == RANKS["high"], rank_now(FIRST, timedelta(days=1))
(True, 0)
"""

from datetime import timedelta

FIRST, HIGH, NORMAL, LOW = 0, 10, 20, 30
RANKS = {"high": HIGH, "normal": NORMAL, "low": LOW}
RISES_EVERY = timedelta(minutes=30)
_CLASS = 10


def rank_now(rank: int, waited: timedelta) -> int:
    """Return the rank of something that has waited so long; the smaller the earlier."""
    if rank <= HIGH:
        return rank
    risen = max(0, waited // RISES_EVERY)  # negative: the clock was set back
    return max(HIGH, rank - _CLASS * risen)
