"""Processes forked from a server that has read the libraries: a test's processes begin at once.

Starting Python and reading what kumobashi needs takes more than a second of processor time; here
``multiprocessing``'s fork server does it once for all that a test process starts.
"""

import ctypes
import multiprocessing
import signal
from collections.abc import Callable
from multiprocessing.context import ForkServerProcess

PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)
_LOADED = [
    "kumobashi.service.app",
    "kumobashi.service.endpoint_routes",
    "kumobashi.exchange.row_security",
    "kumobashi.observe.logs",
    "kumobashi.testing.clocks",
    "kumobashi.testing.warmth",
    "adbc_driver_postgresql.dbapi",
    "aiohttp",
    "alembic.command",
    "uvicorn.protocols.http.h11_impl",
]


def fork(target: Callable[..., None], *arguments: object) -> ForkServerProcess:
    """Start a process that calls ``target``, an importable function, and ends with this one."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_LOADED)
    process = context.Process(target=_leashed, args=(target, *arguments), daemon=True)
    process.start()
    return process


def _leashed(target: Callable[..., None], *arguments: object) -> None:
    ctypes.CDLL(None).prctl(PARENT_DEATH_SIGNAL, signal.SIGKILL)
    target(*arguments)
