"""Gateways as child processes of the demo: started together, watched, and never left behind."""

import http.client
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from kumobashi.cli.errors import ChildDied
from kumobashi.service.errors import GatewayDown

_GRACE_SECONDS = 5.0
_ENDINGS = {
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
}
_AGAIN_SECONDS = 1.0
_LOOK_AGAIN_SECONDS = 0.05

if sys.platform == "win32":  # a group of their own keeps Ctrl-C from them, as a session elsewhere
    _APART = subprocess.CREATE_NEW_PROCESS_GROUP
else:
    _APART = 0


class Gateways:
    """The gateways of a workspace; leaving the ``with`` block ends them all."""

    def __init__(
        self, folder: Path, urls: Mapping[str, str], logs: Path, *, is_training: bool = False
    ) -> None:
        self._folder = folder
        self._urls = dict(urls)
        self._logs = logs
        self._wish = ["--training"] if is_training else []
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        """Start them all, without waiting."""
        self._logs.mkdir(parents=True, exist_ok=True)
        try:
            for site in self._urls:
                self._running[site] = self._start(site)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End them all."""
        self.stop()

    def add(self, urls: Mapping[str, str]) -> None:
        """Start more gateways of the same workspace, without waiting."""
        self._urls |= urls
        for site in urls:
            self._running[site] = self._start(site)

    def watch(self, site: str, *words: str) -> None:
        """Start the watch of a site beside its gateway."""
        self._running[f"watch of {site}"] = self._child(f"watch-{site}", "watch", site, *words)

    def stop_one(self, site: str) -> None:
        """End one gateway; it is not missed until it is started again."""
        process = self._running.pop(site)
        _ask_to_end(process)
        try:
            process.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def start_one(self, site: str) -> None:
        """Start one gateway again, without waiting."""
        self._running[site] = self._start(site)

    def wait_ready(self, seconds: float = 60.0) -> None:
        """Return when every gateway answers ``/health``.

        Raises:
            ChildDied: one of them has ended.
            GatewayDown: one of them takes too long.
        """
        end = time.monotonic() + seconds
        for site, url in self._urls.items():
            while not is_healthy(url):
                self.check()
                if time.monotonic() > end:
                    raise GatewayDown(site=site, url=url)
                time.sleep(_LOOK_AGAIN_SECONDS)

    def check(self) -> None:
        """Raise ``ChildDied`` when one has ended by itself."""
        for site, process in self._running.items():
            code = process.poll()
            if code is not None:
                raise ChildDied(site=site, exit_code=code, log=str(self._log(site)))

    def stop(self) -> None:
        """Ask all to end; those that do not in five seconds are killed."""
        with _undisturbed():
            for process in self._running.values():
                _ask_to_end(process)
            end = time.monotonic() + _GRACE_SECONDS
            for process in self._running.values():
                try:
                    process.wait(max(0.0, end - time.monotonic()))
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
            self._running.clear()

    def _start(self, site: str) -> subprocess.Popen[bytes]:
        return self._child(site, "serve", site, "--log-file", str(self._log(site)), *self._wish)

    def _child(self, name: str, command: str, site: str, *words: str) -> subprocess.Popen[bytes]:
        start = [sys.executable, "-m", "kumobashi", command, "--site", site]
        with self._log(name).with_suffix(".err").open("wb") as crash:
            return subprocess.Popen(  # noqa: S603 - our own program
                [*start, "--workspace", str(self._folder), *words],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=crash,
                start_new_session=True,  # Ctrl-C is for us; we end them in order
                creationflags=_APART,
            )

    def _log(self, site: str) -> Path:
        return self._logs / f"{site}.log"


def _ask_to_end(process: subprocess.Popen[bytes]) -> None:
    """Let a gateway end in order; what is called terminating on Windows would cut it off."""
    if sys.platform == "win32":
        process.send_signal(signal.CTRL_BREAK_EVENT)
    else:
        process.terminate()


def is_healthy(url: str, timeout: float = 1.0) -> bool:
    """Whether a gateway answers at this address."""
    return health_date(url, timeout) is not None


def health_date(url: str, timeout: float = 1.0) -> str | None:
    """Return the ``Date`` header of ``/health``, or nothing when there is no good answer."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=timeout)
    try:
        connection.request("GET", "/health")
        answer = connection.getresponse()
        answer.read()
        return answer.headers.get("Date", "") if answer.status == http.client.OK else None
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def free_ports(sites: Sequence[str]) -> dict[str, int]:
    """Return a free port of this machine for each site.

    They lie below those that the kernel gives to calling sockets: nobody takes one by calling.
    """
    chance = random.SystemRandom()
    found: dict[str, int] = {}
    while len(found) < len(sites):
        port = chance.randrange(20_000, 32_000)
        with socket.socket() as trial:
            try:
                trial.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in found.values():
            found[sites[len(found)]] = port
    return found


def end_like_ctrl_c() -> None:
    """Let Ctrl-C, SIGTERM and a closed terminal end this process, whatever it is doing.

    An interruption that is raised inside a callback of compiled code may be lost there; so it comes
    again every second until :func:`calm` is called, by whoever has begun to end.
    """

    def interrupt(_number: int, _frame: object) -> None:
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, _AGAIN_SECONDS)
        raise KeyboardInterrupt

    # SIGINT too: a shell in the background has its children ignore it.
    for one in _ENDINGS:
        signal.signal(one, interrupt)
    if hasattr(signal, "SIGALRM"):
        signal.signal(signal.SIGALRM, interrupt)


def calm() -> None:
    """Let no interruption come again by itself."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, 0)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Let nobody interrupt the ending, or a child would be left behind."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    calm()
    before = {one: signal.signal(one, signal.SIG_IGN) for one in _ENDINGS}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
