"""What a figure depends on and therefore is printed beside it."""

import os
import platform
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

_MEASURED_SECONDS = 1.0
_BLOCK = b"\0" * 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """The machine and the programs."""

    cores: int
    processor: str
    memory_mib: int
    system: str
    python: str
    postgresql: str


def describe(postgresql: str) -> Machine:
    """Return what this machine is."""
    return Machine(
        cores=os.cpu_count() or 0,
        processor=_processor(),
        memory_mib=psutil.virtual_memory().total >> 20,
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        postgresql=postgresql,
    )


def fsync_per_second(folder: Path, seconds: float = _MEASURED_SECONDS) -> float:
    """Append blocks of 4 KiB to a file, each made durable, and return how many went in a second."""
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        began, done = time.perf_counter(), 0
        while (passed := time.perf_counter() - began) < seconds:
            os.write(file.fileno(), _BLOCK)
            os.fsync(file.fileno())
            done += 1
    return done / passed


def load() -> float:
    """Return the load average of the last minute."""
    return os.getloadavg()[0]


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
