"""What processes used: processor seconds and peak memory."""

from collections.abc import Iterable
from pathlib import Path

import psutil

_RESET_PEAK = "5"  # proc(5): resets the peak resident set size


def reset_peaks(pids: Iterable[int]) -> None:
    """Begin the measuring of peak memory anew."""
    for pid in pids:
        Path(f"/proc/{pid}/clear_refs").write_text(_RESET_PEAK, encoding="ascii")


def peak_mib(pid: int) -> float:
    """Return the most memory a process held at once (VmHWM)."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


def cpu_seconds(pid: int) -> float:
    """Return the processor seconds of a process and all that it started, ended ones too."""
    total = 0.0
    main = psutil.Process(pid)
    for process in (main, *main.children(recursive=True)):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue  # its parent counts it from now on
        total += times.user + times.system + times.children_user + times.children_system
    return total
