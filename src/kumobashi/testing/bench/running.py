"""Set everything up, run all ways turn by turn, check that they agree, and give the figures.

server → city → workspace → four gateways → one run of each unmeasured → A B C, A B C, …
"""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Protocol

from kumobashi.crypto.keys import SealKey
from kumobashi.testing.bench import machine, usage
from kumobashi.testing.bench.comparing import content, refuse_difference
from kumobashi.testing.bench.databases import Databases, load, serving
from kumobashi.testing.bench.gateways import gateways, token_pads, write_workspace
from kumobashi.testing.bench.ours import Hall
from kumobashi.testing.bench.peers import DltPeer, soap_peers
from kumobashi.testing.bench.pipeline import MEASURED, MOVING, SAME_WORK, Pipeline
from kumobashi.testing.bench.processes import free_port, serving_module
from kumobashi.testing.bench.programs import Peers, psql
from kumobashi.testing.bench.results import OURS, Timing, figures
from kumobashi.testing.city import build
from kumobashi.testing.city.city import DAY

_RECEIVED = "notice_attributes"
_PURPOSE = "child-notices"
Progress = Callable[[str, int], None]  # what begins now, and how many steps are done


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is asked of a benchmark."""

    residents: int
    rounds: int = 3
    seed: int = 1
    peers: Peers = "all"
    keep: bool = False  # leave the folder with the workspace, the logs and the databases

    @property
    def steps(self) -> int:
        """How many steps the progress will count."""
        ways = {"none": 1, "floors": 3, "all": 6}[self.peers]
        return 3 + ways * (self.rounds + 1)


class Way(Protocol):
    """One way to carry the rows."""

    way: str

    def run(self, number: int) -> Timing:
        """Carry the rows once, in the round of this number."""


@contextmanager
def _folder(keep: bool) -> Iterator[Path]:  # noqa: FBT001 - the only argument
    folder = Path(mkdtemp(prefix="kumobashi-bench-"))
    try:
        yield folder
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def bench_link(wish: Wish, progress: Progress = lambda _what, _done: None) -> dict[str, Any]:
    """Run the benchmark and return its figures.

    Raises:
        BenchFailed: something did not run, or the tables at the end differ.
    """
    done = 0

    def begin(what: str) -> None:
        nonlocal done
        progress(what, done)
        done += 1

    with _folder(wish.keep) as folder, ExitStack() as stack:
        begin("fsync")
        rate = machine.fsync_per_second(folder)
        databases = stack.enter_context(serving(folder / "postgresql" if wish.keep else None))
        begin("city")
        written = _write_city(wish, databases)
        begin("gateways")
        ways = _ways(wish, folder, databases, stack, begin)
        timings = []
        for number in range(1, wish.rounds + 1):
            for way in ways:
                begin(f"{number} {way.way}")
                databases.settle()
                timings.append(way.run(number))
        equal = _compare(wish, databases)
        return {
            **figures(timings, wish.residents),
            "fsync_per_second": round(rate),
            "rows_equal": equal,
            "machine": asdict(machine.describe(databases.version)),
            "settings": databases.settings,
            "source_rows": written,
            "seed": wish.seed,
            "kept": str(folder) if wish.keep else None,
        }


def _write_city(wish: Wish, databases: Databases) -> Mapping[str, int]:
    with build(wish.residents, wish.seed, consent=1.0, purposes=(_PURPOSE,)) as city:
        return load(city, databases)


def _ways(
    wish: Wish,
    folder: Path,
    databases: Databases,
    stack: ExitStack,
    begin: Callable[[str], None],
) -> Sequence[Way]:
    """Make each way ready and let it run once unmeasured, which also makes the tables."""
    workspace = folder / "workspace"
    ports = write_workspace(workspace, databases, DAY)
    pids = stack.enter_context(gateways(workspace, ports))
    ways: list[Way] = []

    def warm(way: Way) -> None:
        begin(f"0 {way.way}")
        way.run(0)
        ways.append(way)

    token = (workspace / "private" / "hall-core" / "api.token").read_text(encoding="ascii")
    hall = Hall(ports["hall-core"], token)
    stack.callback(hall.close)
    warm(OurWay(hall, pids, databases))
    if wish.peers == "none":
        return ways
    pipeline = _pipeline(folder, databases, token_pads(workspace), stack)
    warm(Floor(SAME_WORK, pipeline, databases))
    warm(Floor(MEASURED, pipeline, databases))
    databases.do(
        databases.source,
        "create unlogged table prepared as select * from same_work",
        "vacuum (freeze, analyze) prepared",
    )
    warm(Floor(MOVING, pipeline, databases))
    if wish.peers == "all":
        for peer in stack.enter_context(soap_peers(databases)):
            warm(peer)
        warm(DltPeer(databases, folder / "dlt"))
    return ways


def _pipeline(
    folder: Path, databases: Databases, pads: tuple[bytes, bytes], stack: ExitStack
) -> Pipeline:
    work = folder / "pipeline"
    inbox = work / "inbox"
    inbox.mkdir(parents=True)
    key = SealKey.generate()
    key.save(work / "seal.key")
    port = free_port()
    stack.enter_context(serving_module("kumobashi.testing.bench.sink", port, str(inbox)))
    return Pipeline(
        psql=psql(),
        hall=databases.source,
        cloud=databases.target,
        url=f"http://127.0.0.1:{port}",
        work=work,
        recipient=key.recipient,
        pads=pads,
        on=DAY.isoformat(),
    )


def _compare(wish: Wish, databases: Databases) -> dict[str, bool]:
    """Hold the destination tables against each other; raise ``RowsDiffer``."""
    if wish.peers == "none":
        return {}
    mine = content(databases, databases.target, _RECEIVED)
    ways = (SAME_WORK, MEASURED, MOVING)
    for way in ways:
        refuse_difference(mine, content(databases, databases.target, way), way)
    return dict.fromkeys(ways, True)


class OurWay:
    """The link, between gateways."""

    way = OURS

    def __init__(self, hall: Hall, pids: Mapping[str, int], databases: Databases) -> None:
        self._hall = hall
        self._pids = pids
        self._databases = databases

    def run(self, number: int) -> Timing:
        """Run the link once more."""
        usage.reset_peaks(self._pids.values())
        processes = {**self._pids, "postgresql": self._databases.pid}
        before = {name: usage.cpu_seconds(pid) for name, pid in processes.items()}
        carried = self._hall.carry(DAY.isoformat())
        return Timing(
            way=self.way,
            round=number,
            seconds=carried.seconds,
            rows=carried.rows,
            seconds_recorded=carried.seconds_recorded,
            stages=carried.stages,
            cpu_seconds={
                name: usage.cpu_seconds(pid) - before[name] for name, pid in processes.items()
            },
            peak_mib={site: usage.peak_mib(pid) for site, pid in self._pids.items()},
            load=machine.load(),
        )


class Floor:
    """One of the shell pipelines."""

    def __init__(self, way: str, pipeline: Pipeline, databases: Databases) -> None:
        self.way = way
        self._pipeline = pipeline
        self._databases = databases
        databases.do(databases.target, f"create table {way} (like {_RECEIVED})")

    def run(self, number: int) -> Timing:
        """Run the pipeline once more."""
        before = usage.cpu_seconds(self._databases.pid)
        ran = self._pipeline.run(self.way)
        server = usage.cpu_seconds(self._databases.pid) - before
        found = self._databases.ask(self._databases.target, f"select count(*) from {self.way}")
        return Timing(
            way=self.way,
            round=number,
            seconds=ran.seconds,
            rows=int(str(found[0][0])),
            stages=ran.stages,
            cpu_seconds={"programs": ran.cpu_seconds, "postgresql": server},
            load=machine.load(),
        )
