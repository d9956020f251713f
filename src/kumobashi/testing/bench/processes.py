"""Programs of ours that run beside the benchmark, and ports for them."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from kumobashi.testing.bench.errors import PipelineFailed

_START_SECONDS = 60


def free_port() -> int:
    """Return a port of this machine that nobody uses now."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port: int = held.getsockname()[1]
        return port


@contextmanager
def serving_module(module: str, port: int, *arguments: str) -> Iterator[int]:
    """Run ``python -m module PORT …`` until the block ends; give its process id.

    Raises:
        PipelineFailed: it does not listen.
    """
    command = [sys.executable, "-m", module, str(port), *arguments]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603 - our own modules
    try:
        until = time.monotonic() + _START_SECONDS
        while not _listens(port):
            if process.poll() is not None or time.monotonic() > until:
                raise PipelineFailed(way=module, says="does not start")
            time.sleep(0.05)
        yield process.pid
    finally:
        end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask a process to end, and end it if it does not."""
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
