"""Carry one large file between two gateways, and beside it by ``zstd | age | curl``.

Two files in turns: CSV that compresses as residents' tables do, and bytes that do not compress.
Ours ends when the receiver has the opened file and its receipt is durable at the sender; the
pipeline ends when its far end has put the file together again (``age -d | zstd -d``). Sealed parts
and state are flushed to disk on both sides by ours, nothing is by the pipeline.
"""

import hashlib
import os
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any, Self

import duckdb

from kumobashi.crypto.keys import SealKey
from kumobashi.planning.sampling import HALL, write_sample
from kumobashi.testing.bench import machine, usage
from kumobashi.testing.bench.errors import PipelineFailed
from kumobashi.testing.bench.gateways import RECEIVER, approve_link, gateways, sample_ports
from kumobashi.testing.bench.ours import Hall
from kumobashi.testing.bench.pipeline import marks_of
from kumobashi.testing.bench.processes import free_port, serving_module
from kumobashi.testing.city.city import DAY

KINDS = ("csv", "random")
_MIB = 1 << 20
_SHORTEST_LINE = 40  # bytes
_PLAIN = "format csv, header false, quote ''"
# Fictional residents: numbers, names, months of birth, codes.
_RESIDENTS = """
select
    lpad(i::varchar, 10, '0'),
    names[1 + (hash(i, 1) % 8)::int] || names[1 + (hash(i, 2) % 8)::int],
    (date '1930-01-01' + to_months((hash(i, 3) % 1080)::int))::date,
    1 + hash(i, 4) % 2,
    lpad((hash(i, 5) % 400)::varchar, 5, '0'),
    lpad(to_hex(hash(i, 6) % 1000000000), 8, '0')
from range({rows}) t(i),
    (select ['架空', '見本', '試験', '例示', '仮名', '雲橋', '青空', '白川'] as names)
"""
_SCRIPT = r"""
set -euo pipefail
now() { echo "@ $1 $EPOCHREALTIME" >&2; }
now start
zstd -1 -q -c "$FILE" | age -r "$RECIPIENT" | curl -sfT - "$URL/bulk.age"
now sent
age -d -i "$WORK/seal.key" "$WORK/inbox/bulk.age" | zstd -dq > "$WORK/opened"
now opened
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkWish:
    """How much to carry."""

    mib: int = 2048
    rounds: int = 3


def bench_bulk(wish: BulkWish, tell: Callable[[str], None] = lambda _what: None) -> dict[str, Any]:
    """Measure; say what begins."""
    with tempfile.TemporaryDirectory(prefix="kumo-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        found: dict[str, Any] = {"mib": wish.mib, "rounds": wish.rounds}
        found |= {"load_before": machine.load()}
        found["fsync_per_second"] = round(machine.fsync_per_second(folder))
        tell("files")
        pipeline = _Pipeline(folder / "pipeline", stack)
        ran: list[dict[str, Any]] = []
        for kind in KINDS:
            file = folder / kind
            digest = _write(file, kind, wish.mib * _MIB)
            with _Ours(folder / f"ours-{kind}", file) as ours:
                for number in range(wish.rounds + 1):  # the first warms up
                    for way, run in (("ours", ours.run), ("pipeline", pipeline.run)):
                        tell(f"{number} {kind} {way}")
                        timing = run(file, digest)
                        if number:
                            ran.append({"kind": kind, "way": way, "round": number, **timing})
            file.unlink()
        found["kinds"] = {
            kind: _figures([one for one in ran if one["kind"] == kind], wish) for kind in KINDS
        }
        found["runs"] = ran
        found["load_after"] = machine.load()
        found["machine"] = asdict(machine.describe("none"))
        return found


def _figures(ran: list[dict[str, Any]], wish: BulkWish) -> dict[str, Any]:
    ours = [one for one in ran if one["way"] == "ours"]
    theirs = [one for one in ran if one["way"] == "pipeline"]
    mine, other = (median(one["seconds"] for one in some) for some in (ours, theirs))
    sent = median(one["stages"]["sent"] for one in theirs)
    return {
        "seconds": round(mine, 2),
        "pipeline_seconds": round(other, 2),
        "pipeline_sent_seconds": round(sent, 2),
        "mib_per_second": round(wish.mib / mine),
        "speed_to_pipeline": round(other / mine, 2),
        "stages": {
            stage: round(median(one["stages"][stage] for one in ours), 2)
            for stage in ours[0]["stages"]
        },
        "peak_mib": {
            site: round(max(one["peak_mib"][site] for one in ours)) for site in ours[0]["peak_mib"]
        },
    }


class _Ours:
    """Two gateways that carry a file; in a block."""

    def __init__(self, folder: Path, file: Path) -> None:
        self._workspace = folder / "workspace"
        self._file, self._out = file, folder / "opened"
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        ports = sample_ports()
        write_sample(self._workspace, ports=ports)
        approve_link(self._workspace, DAY)
        program = ("-m", "kumobashi.testing.bench.bulk_gateway", str(self._file), str(self._out))
        both = {site: ports[site] for site in (HALL, RECEIVER)}
        self._pids = self._stack.enter_context(gateways(self._workspace, both, program))
        token = self._workspace / "private" / HALL / "api.token"
        self._hall = Hall(ports[HALL], token.read_text(encoding="ascii"))
        self._stack.callback(self._hall.close)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def run(self, _file: Path, digest: str) -> dict[str, Any]:
        """Carry the file once."""
        usage.reset_peaks(self._pids.values())
        before = {site: usage.cpu_seconds(pid) for site, pid in self._pids.items()}
        carried = self._hall.carry(DAY.isoformat())
        _same(self._out, digest, "ours")
        return {
            "seconds": carried.seconds,
            "stages": dict(carried.stages),
            "cpu_seconds": {
                site: round(usage.cpu_seconds(pid) - before[site], 2)
                for site, pid in self._pids.items()
            },
            "peak_mib": {site: usage.peak_mib(pid) for site, pid in self._pids.items()},
        }


class _Pipeline:
    """The programs that people would use instead."""

    def __init__(self, work: Path, stack: ExitStack) -> None:
        inbox = work / "inbox"
        inbox.mkdir(parents=True)
        key = SealKey.generate()
        key.save(work / "seal.key")
        port = free_port()
        stack.enter_context(serving_module("kumobashi.testing.bench.sink", port, str(inbox)))
        self._work = work
        self._told = {"WORK": str(work), "RECIPIENT": key.recipient, "LC_ALL": "C"}
        self._told["URL"] = f"http://127.0.0.1:{port}"

    def run(self, file: Path, digest: str) -> dict[str, Any]:
        """Carry the file once."""
        done = subprocess.run(  # noqa: S603 - our own words
            ["bash", "-c", _SCRIPT],  # noqa: S607 - wherever it is
            env={**os.environ, **self._told, "FILE": str(file)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        said = done.stderr.decode(errors="replace")
        if done.returncode:
            raise PipelineFailed(way="pipeline", says=said[-500:])
        _same(self._work / "opened", digest, "pipeline")
        stages: Mapping[str, float] = marks_of(said)
        return {"seconds": sum(stages.values()), "stages": dict(stages)}


def _same(file: Path, digest: str, way: str) -> None:
    with file.open("rb") as opened:
        if hashlib.file_digest(opened, "sha256").hexdigest() != digest:
            raise PipelineFailed(way=way, says="the file that arrived is another one")
    file.unlink()


def _write(file: Path, kind: str, size: int) -> str:
    """Write a file of ``size`` bytes; return its SHA-256."""
    if kind == "csv":
        with duckdb.connect() as writing:
            rows = size // _SHORTEST_LINE + 1
            writing.execute(f"copy ({_RESIDENTS.format(rows=rows)}) to '{file}' ({_PLAIN})")
        os.truncate(file, size)
    else:
        with file.open("wb") as target:
            for _ in range(size // _MIB):
                target.write(os.urandom(_MIB))
    with file.open("rb") as written:
        return hashlib.file_digest(written, "sha256").hexdigest()
