"""What can go wrong in a round: each deed names its fault of the list F1 to F24, acts, and heals.

Deeds are drawn from one chance, so a seed tells the whole story. A deed whose facility is missing
on this machine is never drawn; a report says so.
"""

import contextlib
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kumobashi.testing.crash_points import RECEIVER, RELAY, SENDER, names, names_of_deletion, sides
from kumobashi.testing.fault_proxy import ALWAYS, GOOD, Fault, Kind
from kumobashi.testing.faults.facilities import has
from kumobashi.testing.faults.playground import Playground, clock_file
from kumobashi.testing.town import SITES, free_ports

_SITES_OF = {
    SENDER: ("hall-core",),
    RELAY: ("hall-exchange", "asp-relay"),
    RECEIVER: ("public-cloud", "hall-core"),
}
_KIB = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One fault of one round."""

    fault: str  # F1 … F24
    what: str  # for people, and for the history
    start: float  # seconds after the round began
    seconds: float  # until it is healed
    act: Callable[[], None]
    heal: Callable[[], None] = lambda: None


Drawn = tuple[str, Callable[[], None], Callable[[], None]]  # what, act, heal
Draw = Callable[[Playground, random.Random], Drawn]


def draw(
    ground: Playground, chance: random.Random, only: frozenset[str], span: float
) -> list[Deed]:
    """Return one to three deeds within ``span`` seconds, in the order of their beginning."""
    kinds = [kind for kind in _possible(ground) if not only or kind[0] in only]
    if not kinds:
        raise ValueError(f"none of {', '.join(sorted(only))} can be injected here")
    deeds = []
    for _ in range(chance.choice((1, 1, 2, 2, 3))):
        fault, drawn = chance.choice(kinds)
        what, act, heal = drawn(ground, chance)
        start, seconds = chance.uniform(0.0, span), chance.uniform(0.1, span)
        deed = Deed(fault=fault, what=what, start=start, seconds=seconds, act=act, heal=heal)
        deeds.append(deed)
    return sorted(deeds, key=lambda deed: deed.start)


def possible(ground: Playground) -> list[str]:
    """Return the faults that can be injected on this machine, in this town."""
    return sorted({fault for fault, _ in _possible(ground)}, key=lambda fault: int(fault[1:]))


def _possible(ground: Playground) -> list[tuple[str, Draw]]:
    kinds = list(_KINDS)
    if ground.target or ground.state:
        kinds.append(("F4", _database_restarts))
    if ground.small_disks:
        kinds += [("F8", _disk_full), ("F9", _read_only)]
    if has("strace"):
        kinds += [("F8", _calls_fail("ENOSPC")), ("F9", _calls_fail("EIO")), ("F9", _slow_disk)]
    return kinds


# -- processes -------------------------------------------------------------------------------------


def _kill(sites: tuple[str, ...]) -> Draw:
    def drawn(ground: Playground, chance: random.Random) -> Drawn:
        site = chance.choice(sites)
        keeper = ground.keeper
        return f"kill -9 {site}", lambda: keeper.kill(site), lambda: keeper.let_run(site)

    return drawn


def _point(family: str) -> Draw:
    """Let a gateway die at a named point: it is started anew with the trap set."""

    def drawn(ground: Playground, chance: random.Random) -> Drawn:
        every = (*names(), *names_of_deletion())
        name = chance.choice([name for name in every if name.startswith(f"{family}.")])
        side = chance.choice(sides(name))
        site = chance.choice(_SITES_OF[side])
        wish = f"{name}:{chance.randint(1, 2)}"

        def act() -> None:
            ground.keeper.kill(site, then=(wish,))
            ground.keeper.let_run(site)

        return f"kill -9 {site} at {wish}", act, lambda: None

    return drawn


def _recovery(ground: Playground, chance: random.Random) -> Drawn:
    """Let a gateway die at a point, and again at another one while it recovers."""
    site = chance.choice(SITES)
    near = [name for name in names() if any(site in _SITES_OF[side] for side in sides(name))]
    first, then = chance.choice(near), chance.choice(near)

    def act() -> None:
        ground.keeper.kill(site, then=(f"{first}:1", f"{then}:1"))
        ground.keeper.let_run(site)

    return f"kill -9 {site} at {first}, again at {then}", act, lambda: None


def _freeze(ground: Playground, chance: random.Random) -> Drawn:
    site = chance.choice(SITES)
    frozen: list[int] = []

    def act() -> None:
        pid = ground.keeper.process(site).pid
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
            frozen.append(pid)

    def heal() -> None:
        process = ground.keeper.process(site)
        if process.pid in frozen:
            process.send(signal.SIGCONT)

    return f"freeze {site}", act, heal


def _rival(ground: Playground, chance: random.Random) -> Drawn:
    """Start a second gateway on the same state, under the same name."""
    site = chance.choice(SITES)

    def act() -> None:
        ground.keeper.rival(site, free_ports(1)[0])

    return f"second process for {site}", act, ground.keeper.end_rivals


# -- clocks, disks, databases ----------------------------------------------------------------------


def _wrong_clock(ground: Playground, chance: random.Random) -> Drawn:
    site = chance.choice(SITES)
    wrong = chance.choice((-3600, -300, -20, 20, 300, 86_400))
    path = clock_file(ground.folder, site)
    return (
        f"clock of {site} wrong by {wrong} s",
        lambda: _write(path, str(wrong)),
        lambda: path.unlink(missing_ok=True),
    )


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="ascii")


def _disk_full(ground: Playground, chance: random.Random) -> Drawn:
    site = chance.choice(sorted(ground.small_disks))
    filler = ground.town.folder / "var" / site / "filler"

    def act() -> None:
        with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while file.write(b"\0" * 65_536):
                pass

    return f"disk of {site} full", act, lambda: filler.unlink(missing_ok=True)


def _read_only(ground: Playground, chance: random.Random) -> Drawn:
    site = chance.choice(sorted(ground.small_disks))
    where = str(ground.town.folder / "var" / site)

    def remount(how: str) -> None:
        command = ["mount", "-o", f"remount,{how}", where]
        # Files that are open for writing keep a disk from becoming read-only; then nothing happens.
        subprocess.run(command, check=how == "rw", capture_output=True)  # noqa: S603 - our words

    return f"disk of {site} read-only", lambda: remount("ro"), lambda: remount("rw")


def _calls_fail(error: str) -> Draw:
    calls = "fsync,fdatasync" if error == "EIO" else "write,pwrite64"

    def drawn(ground: Playground, chance: random.Random) -> Drawn:
        site = chance.choice(SITES)
        nth = chance.randint(1, 6)
        return _traced(
            ground, site, f"{error} from call {nth} on", calls, f"error={error}:when={nth}+"
        )

    return drawn


def _slow_disk(ground: Playground, chance: random.Random) -> Drawn:
    micros = chance.choice((5_000, 50_000, 200_000))
    site = chance.choice(SITES)
    what = f"each flush takes {micros // 1000} ms longer"
    return _traced(ground, site, what, "fsync,fdatasync", f"delay_exit={micros}")


def _traced(ground: Playground, site: str, what: str, calls: str, inject: str) -> Drawn:
    """Let system calls of a running gateway fail, until the tracer lets go of it."""
    tracers: list[subprocess.Popen[bytes]] = []

    def act() -> None:
        command = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={calls}"]
        command += ["-e", f"inject={calls}:{inject}", "-p", str(ground.keeper.process(site).pid)]
        # Only files: sockets are written to with other calls, but a log would go on failing.
        tracers.append(subprocess.Popen(command, stderr=subprocess.DEVNULL))  # noqa: S603 - ours
        time.sleep(0.1)

    def heal() -> None:
        for tracer in tracers:
            tracer.send_signal(signal.SIGINT)
            try:
                tracer.wait(20)
            except subprocess.TimeoutExpired:  # it cannot let go of what stands still
                tracer.kill()
                tracer.wait(20)

    return f"{what} at {site}", act, heal


def _database_restarts(ground: Playground, chance: random.Random) -> Drawn:
    servers = [server for server in (ground.target, ground.state) if server]
    server = chance.choice(servers)
    return f"PostgreSQL {server.folder.name} down", server.stop, server.start


# -- lines -----------------------------------------------------------------------------------------


def _line(kind: Kind, low: int, high: int) -> Draw:
    """Let a line misbehave while the deed lasts, at a place between ``low`` and ``high``."""

    def drawn(ground: Playground, chance: random.Random) -> Drawn:
        site, at = chance.choice(SITES), chance.randrange(low, high)
        times = chance.choice((1, 2, 4, ALWAYS))
        line, fault = ground.lines[site], Fault(kind, at, times)
        often = "always" if times == ALWAYS else f"{times}×"
        return (
            f"line to {site}: {kind} {at} {often}",
            lambda: line.set(fault),
            lambda: line.set(GOOD),
        )

    return drawn


_KINDS: list[tuple[str, Draw]] = [
    ("F1", _kill(("hall-core",))),
    ("F1", _point("sending")),
    ("F1", _point("requesting")),
    ("F2", _kill(("public-cloud", "asp-relay", "hall-exchange"))),
    ("F2", _point("inbox")),
    ("F2", _point("receiving")),
    ("F2", _point("deleting")),
    ("F2", _point("erasing")),
    ("F2", _point("relaying")),
    ("F3", _recovery),
    ("F5", _freeze),
    ("F7", _rival),
    ("F10", _wrong_clock),
    ("F12", _line(Kind.TRICKLE, 60, 600)),
    ("F13", _line(Kind.LOSSY, 1, 60)),
    ("F14", _line(Kind.RESET, 0, 80 * _KIB)),
    ("F15", _line(Kind.DROP_REPLIES, 0, 1)),
    ("F16", _line(Kind.DROP_REQUESTS, 0, 1)),
    ("F16", _line(Kind.PARTITION, 0, 1)),
    ("F17", _line(Kind.DUPLICATE, 1, 6)),
    ("F18", _line(Kind.LATE, 50, 900)),
    ("F18", _line(Kind.JITTER, 50, 500)),
    ("F18", _line(Kind.DELAY, 20, 300)),
    ("F19", _line(Kind.FLIP, 0, 20 * _KIB)),
    ("F19", _line(Kind.FLIP_REPLY, 0, 4 * _KIB)),
    ("F19", _line(Kind.TRUNCATE, 0, 2 * _KIB)),
    ("F20", _line(Kind.HANG, 0, 1)),
    ("F20", _line(Kind.STATUS, 500, 505)),
    ("F20", _line(Kind.ERROR_AFTER, 500, 505)),
    ("F20", _line(Kind.PAGE, 0, 1)),
    ("F20", _line(Kind.WRONG_LENGTH, 1, 90)),
]
ALWAYS_POSSIBLE = tuple(sorted({fault for fault, _ in _KINDS}, key=lambda fault: int(fault[1:])))
"""What every machine can do to a town."""
