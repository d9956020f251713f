"""Gateways as processes of their own, which tests start, stop, freeze and kill.

Starting Python and reading the libraries takes seconds, so a gateway is forked from a server that
has them in memory (``testing.forking``); with ``real=True`` it is the command itself,
``python -m kumobashi serve``. Either way the process dies with the one that asked for it.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Protocol, TypeVar

from kumobashi.testing.forking import PARENT_DEATH_SIGNAL, fork

T = TypeVar("T")
_RAREST_SECONDS = 0.25  # how long a waiting test looks away at most
# Asks to die with its parent, then becomes the command.
_LEASH = (
    "import ctypes, os, signal, sys;"
    f" ctypes.CDLL(None).prctl({PARENT_DEATH_SIGNAL}, signal.SIGKILL);"
    " os.getppid() == int(sys.argv[1]) or os._exit(1);"
    " os.execv(sys.executable, [sys.executable, *sys.argv[2:]])"
)


class Timeout(AssertionError):
    """What a test waited for did not come."""


def until(what: str, look: Callable[[], T | None], seconds: float = 90.0, every: float = 0.02) -> T:
    """Return what ``look`` gives as soon as it gives something; ``False`` is nothing yet.

    It looks again after ``every`` second, and less often the longer it waits: looking takes
    processor time from those who are waited for.
    """
    begin = time.monotonic()
    while (found := look()) is None or found is False:
        waited = time.monotonic() - begin
        if waited > seconds:
            raise Timeout(f"{what}: not within {seconds} s")
        time.sleep(min(max(every, waited / 10), _RAREST_SECONDS))
    return found


class _Process(Protocol):
    @property
    def pid(self) -> int | None:
        """The process id."""

    def poll(self) -> int | None:
        """Return the exit code, negative for a signal, or nothing while it runs."""


class _Forked:
    """A process of the fork server, seen like one of ``subprocess``."""

    def __init__(self, process: ForkServerProcess) -> None:
        self._process = process

    @property
    def pid(self) -> int | None:
        """The process id."""
        return self._process.pid

    def poll(self) -> int | None:
        """Return the exit code once it has ended."""
        return self._process.exitcode


class GatewayProcess:
    """One running gateway."""

    def __init__(
        self,
        folder: Path,
        site: str,
        url: str,
        *,
        environment: Mapping[str, str] | None = None,
        real: bool = False,
        name: str = "",
    ) -> None:
        """Start it; :meth:`wait_ready` returns when it answers.

        ``name`` is that of the log, where a site has several processes. Without a ``url`` it is a
        worker, ``kumobashi work``, which answers nobody.
        """
        self.site = site
        self.url = url
        self.armed = False  # whether it is to die at a named point
        self.log = folder / "var" / f"{name or site}.log"
        self.log.parent.mkdir(parents=True, exist_ok=True)
        wish = dict(environment or {})
        if not url:
            wish["KUMO_ONLY_WORK"] = "on"
        start = _start_command if real else _start_forked
        self._process: _Process = start(folder, site, self.log, wish)

    @property
    def pid(self) -> int:
        """The process id."""
        assert self._process.pid is not None
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """The exit code; ``-9`` after SIGKILL, nothing while it runs."""
        return self._process.poll()

    def wait_ready(self, seconds: float = 60.0, url: str | None = None) -> "GatewayProcess":
        """Return when the gateway answers; fail when it ends instead."""

        def answers() -> bool | None:
            if self.exit_code is not None:
                raise AssertionError(f"{self.site} ended with {self.exit_code}: {self.tail()}")
            try:
                address = f"{url or self.url}/health"
                with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310 - http
                    return json.load(answer)["site"] == self.site or None
            except (OSError, urllib.error.URLError):
                return None

        until(f"{self.site} answers", answers, seconds)
        return self

    def wait_end(self, seconds: float = 30.0) -> int:
        """Return the exit code when the process has ended."""
        return until(f"{self.site} ends", lambda: self.exit_code, seconds)

    def send(self, number: signal.Signals) -> None:
        """Send a signal, if it still runs."""
        if self.exit_code is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def stop(self, seconds: float = 30.0) -> int:
        """Ask it to end and wait."""
        self.send(signal.SIGCONT)
        self.send(signal.SIGTERM)
        return self.wait_end(seconds)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.send(signal.SIGKILL)
        self.wait_end()

    def tail(self, lines: int = 12) -> str:
        """Return the end of its log."""
        text = self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])


def _start_command(folder: Path, site: str, log: Path, wish: dict[str, str]) -> _Process:
    leash = [sys.executable, "-I", "-S", "-c", _LEASH, str(os.getpid())]
    verb = "work" if wish.pop("KUMO_ONLY_WORK", "") else "serve"
    command = ["-m", "kumobashi", "--workspace", str(folder), verb, "--site", site]
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603 - our own command
            [*leash, *command],
            env={**os.environ, **wish},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )


def _start_forked(folder: Path, site: str, log: Path, wish: dict[str, str]) -> _Process:
    return _Forked(fork(_serve, str(folder), site, str(log), wish))


def _serve(folder: str, site: str, log: str, wish: dict[str, str]) -> None:
    """Be a gateway: runs in the forked process."""
    from kumobashi.kernel.crash import arm  # noqa: PLC0415
    from kumobashi.observe.logs import log_to_stderr  # noqa: PLC0415
    from kumobashi.service import gateway  # noqa: PLC0415
    from kumobashi.service.app import serve, work  # noqa: PLC0415
    from kumobashi.service.loops import run  # noqa: PLC0415
    from kumobashi.service.settings import read_settings  # noqa: PLC0415
    from kumobashi.testing.clocks import FileClock  # noqa: PLC0415

    with Path(log).open("ab") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    os.environ.update(wish)
    if "KUMO_CLOCK_FILE" in wish:
        clock = FileClock(Path(wish["KUMO_CLOCK_FILE"]))
        setattr(gateway, "SystemClock", lambda: clock)  # noqa: B010 - a class gives way to one clock
    if "KUMO_LONGEST_WAIT" in wish:
        shorten_waits(float(wish["KUMO_LONGEST_WAIT"]))
    arm(wish.get("KUMO_CRASH", ""))
    log_to_stderr(site=site)
    settings = read_settings(Path(folder), site)
    run(work(settings) if wish.get("KUMO_ONLY_WORK") else serve(settings))


def shorten_waits(seconds: float) -> None:
    """Let this process try again at the latest after ``seconds``: rounds heal within moments."""
    from kumobashi.exchange import patience  # noqa: PLC0415 - not for those who only start processes

    patience.LONGEST_SECONDS = patience.LONGEST_AFTER_A_NO_SECONDS = seconds
