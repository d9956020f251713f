"""Starts a gateway again whenever it has died, as an operator's service manager does.

Nothing else is ever done to a gateway in a round: no command that repairs, no state that is moved.
"""

import contextlib
import threading
import time
from collections import defaultdict, deque
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from kumobashi.testing.gateways import GatewayProcess
from kumobashi.testing.town import SITES, Town

_LOOK_SECONDS = 0.03


class Keeper:
    """Watches the gateways of a town from a thread of its own."""

    def __init__(self, town: Town, wishes: Mapping[str, Mapping[str, str]]) -> None:
        self._town = town
        self._wishes = wishes
        self._held: set[str] = set()  # sites that stay down
        self._crashes: defaultdict[str, deque[str]] = defaultdict(deque)
        self._lock = threading.RLock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="keeper", daemon=True)
        self._rivals: list[GatewayProcess] = []
        self.deaths = 0

    def __enter__(self) -> Self:
        """Start everything and watch."""
        for site in SITES:
            self._start(site)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop watching; the town ends what runs."""
        self._stop.set()
        self._thread.join()
        self.end_rivals()

    def process(self, site: str) -> GatewayProcess:
        """Return the process that runs, or ran last."""
        with self._lock:
            return self._town.running[site]

    def kill(self, site: str, *, then: tuple[str, ...] = ()) -> None:
        """Kill a gateway and keep it down; ``then`` are points where its next lives end."""
        with self._lock:
            self._held.add(site)
            self._crashes[site].extend(then)
            self._town.running[site].kill()
            self.deaths += 1

    def let_run(self, site: str) -> None:
        """Let a gateway be started again."""
        with self._lock:
            self._held.discard(site)

    def all_ready(self, seconds: float = 90.0) -> None:
        """Return when every gateway answers; points at which to die are forgotten."""
        with self._lock:
            self._held.clear()
            armed = {site for site in SITES if self._is_armed(site)}
            self._crashes.clear()
        for site in armed:  # nobody passed the point: take the trap away
            self.kill(site)
            self.let_run(site)
        end = time.monotonic() + seconds
        for site in SITES:
            while True:
                process = self.process(site)
                with contextlib.suppress(AssertionError):
                    process.wait_ready(min(10.0, seconds))
                    break
                if time.monotonic() > end:
                    raise AssertionError(f"{site} does not start: {process.tail()}")

    def rival(self, site: str, port: int) -> None:
        """Start a second process of a gateway beside the one that runs, on another port."""
        wish = {**self._wishes[site], "KUMO_PORT": str(port)}
        url = f"http://127.0.0.1:{port}"
        with self._lock:
            self._rivals.append(GatewayProcess(self._town.folder, site, url, environment=wish))

    def end_rivals(self) -> None:
        """Kill the second processes, where they have not refused to run by themselves."""
        with self._lock:
            while self._rivals:
                self._rivals.pop().kill()

    def _is_armed(self, site: str) -> bool:
        return self._town.running[site].armed

    def _watch(self) -> None:
        while not self._stop.wait(_LOOK_SECONDS):
            for site in SITES:
                with self._lock:
                    if site not in self._held and self._town.running[site].exit_code is not None:
                        self._start(site)

    def _start(self, site: str) -> None:
        crashes = self._crashes[site]
        crash = crashes.popleft() if crashes else ""
        self._town.start(site, crash=crash, environment=self._wishes[site], wait=False)
        self._town.running[site].armed = bool(crash)
