"""Programs of others as processes of ours: started, waited for, and ended whatever happens."""

import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

SECONDS = 60


@contextmanager
def running(
    command: Sequence[str | Path],
    log: Path,
    answers: Callable[[], bool],
    environment: Mapping[str, str] | None = None,
) -> Iterator[None]:
    """Run a server while the block runs; it is there once it ``answers``."""
    with log.open("wb") as told:
        process = subprocess.Popen(
            command, stdout=told, stderr=told, cwd=log.parent, env=environment
        )
    try:
        end = time.monotonic() + SECONDS
        while not answers():
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(log.read_text(encoding="utf-8", errors="replace")[-2000:])
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        try:
            process.wait(5)  # so that it ends what it started itself
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
