"""What an error of PostgreSQL means for the work that met it (SQLSTATE: appendix A, manual)."""

from enum import Enum, auto

import asyncpg


class Kind(Enum):
    """Whose fault an error is, and what to do."""

    OF_WORK = auto()  # tell whoever asked for the work
    AGAIN = auto()  # rolled back by the server for others' sake: run it again
    FULL = auto()  # no space is left there
    LOST = auto()  # the connection is gone, and what was under way with it


_CLASSES = {
    "08": Kind.LOST,  # connection exception
    "40": Kind.AGAIN,  # serialization failure, deadlock
    "58": Kind.LOST,  # system error outside of PostgreSQL: an I/O error
    "XX": Kind.LOST,  # internal error, damaged data
}
_CODES = {
    "25006": Kind.LOST,  # read-only transaction: a standby, or a disk mounted read-only
    "25P03": Kind.LOST,  # idle in transaction for too long
    "53100": Kind.FULL,
    "53200": Kind.AGAIN,  # out of memory
    "53300": Kind.LOST,  # too many connections
    "55P03": Kind.AGAIN,  # a lock did not come in time
    "57P01": Kind.LOST,  # shut down by the administrator
    "57P02": Kind.LOST,  # another session crashed
    "57P03": Kind.LOST,  # starting or stopping
    "57P05": Kind.LOST,  # idle for too long
}


def kind_of(error: BaseException) -> Kind:
    """Return what kind of error it is, wherever in the chain the driver's own stands.

    >>> kind_of(asyncpg.DeadlockDetectedError()), kind_of(ValueError())
    (<Kind.AGAIN: 2>, <Kind.OF_WORK: 1>)
    >>> kind_of(asyncpg.ProtocolError("got result for unknown protocol state 3"))
    <Kind.LOST: 4>
    """
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, asyncpg.InvalidCachedStatementError):
            return Kind.LOST  # a migration ran meanwhile: a fresh connection knows the new tables
        state = getattr(seen, "sqlstate", None)
        if isinstance(state, str):
            return _CODES.get(state) or _CLASSES.get(state[:2], Kind.OF_WORK)
        if isinstance(seen, asyncpg.InternalClientError):
            return Kind.LOST  # cut while it spoke: the driver has lost the thread of the connection
        if isinstance(seen, asyncpg.InterfaceError):
            return Kind.OF_WORK if isinstance(seen, ValueError) else Kind.LOST
        if isinstance(seen, OSError | TimeoutError):
            return Kind.LOST
        seen = getattr(seen, "orig", None) or seen.__cause__
    return Kind.OF_WORK
