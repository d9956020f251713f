"""The floors: ``psql | zstd | age | curl``, then ``age -d | zstd -d | psql``, in one bash script.

The receiving end is a process of its own that writes what is put to it into a file. It does not
wait for the disk, signs nothing and keeps no record: a floor does less, never more.
"""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

from kumobashi.testing.bench.errors import PipelineFailed
from kumobashi.testing.bench.same_work import COUNT_K, MAKE, MEASURE

SAME_WORK, MEASURED, MOVING = "same_work", "same_work_measured", "moving"
_SCRIPT = r"""
set -euo pipefail
now() { echo "@ $1 $EPOCHREALTIME" >&2; }
now start
{before}
"$PSQL" -Xq "$HALL" -f "$WORK/send.sql" | zstd -1 -q | age -r "$RECIPIENT" \
  | curl -sfT - "$URL/bundle.age"
{after}
now sent
age -d -i "$WORK/seal.key" "$WORK/inbox/bundle.age" | zstd -dq \
  | "$PSQL" -Xq "$CLOUD" -f "$WORK/receive.sql"
now loaded
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """One run of a pipeline."""

    seconds: float
    stages: Mapping[str, float]
    cpu_seconds: float  # of the programs of the pipeline, without the server's


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """What every run of the script is told."""

    psql: str
    hall: str
    cloud: str
    url: str
    work: Path
    recipient: str
    pads: tuple[bytes, bytes]
    on: str

    def run(self, way: str) -> Ran:
        """Send the rows one way, into table ``way`` of the cloud.

        Raises:
            PipelineFailed: a program ended with another code than 0.
        """
        before, send = _sending(way)
        (self.work / "before.sql").write_text(before, encoding="ascii")
        counting = MEASURE if way == MEASURED else COUNT_K
        (self.work / "count.sql").write_text(counting, encoding="ascii")
        (self.work / "send.sql").write_text(send, encoding="ascii")
        (self.work / "receive.sql").write_text(_receiving(way), encoding="ascii")
        told = {
            **os.environ,
            "PSQL": self.psql,
            "HALL": self.hall,
            "CLOUD": self.cloud,
            "URL": self.url,
            "WORK": str(self.work),
            "RECIPIENT": self.recipient,
            "BENCH_INNER": f"\\x{self.pads[0].hex()}",
            "BENCH_OUTER": f"\\x{self.pads[1].hex()}",
            "BENCH_ON": self.on,
            "LC_ALL": "C",
        }
        script = _SCRIPT.replace("{before}", _BEFORE[way]).replace("{after}", _AFTER[way])
        used = _children_cpu()
        done = subprocess.run(  # noqa: S603 - our own words
            ["bash", "-c", script],  # noqa: S607 - wherever it is
            env=told,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        said = done.stderr.decode(errors="replace")
        if done.returncode:
            raise PipelineFailed(way=way, says=said[-500:])
        stages = marks_of(said)
        return Ran(seconds=sum(stages.values()), stages=stages, cpu_seconds=_children_cpu() - used)


_MADE = """
"$PSQL" -Xq "$HALL" -f "$WORK/before.sql"
now made
"$PSQL" -XqAt "$HALL" -f "$WORK/count.sql" > "$WORK/k.txt" &
counting=$!
"""
# Classes are counted beside the sending, which is faster on two cores than before it.
_BEFORE = {SAME_WORK: _MADE, MEASURED: _MADE, MOVING: ""}
_AFTER = {SAME_WORK: "wait $counting", MEASURED: "wait $counting", MOVING: ""}


def _sending(way: str) -> tuple[str, str]:
    table = "prepared" if way == MOVING else SAME_WORK
    return ("" if way == MOVING else MAKE, f"copy {table} to stdout (format csv)")


def _receiving(way: str) -> str:
    # The table was made like ours before; emptied and filled in one transaction, also like ours.
    return (
        r"\set ON_ERROR_STOP on" + "\nbegin;\n"
        f"truncate {way};\n\\copy {way} from pstdin (format csv)\ncommit;\n"
    )


def marks_of(said: str) -> dict[str, float]:
    """Return the seconds of each stage from the marks among what the script printed."""
    marks = [line.split() for line in said.splitlines() if line.startswith("@ ")]
    at = [(name, float(seconds)) for _, name, seconds in marks]
    return {name: until - since for (_, since), (name, until) in pairwise(at)}


def _children_cpu() -> float:
    used = getrusage(RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
