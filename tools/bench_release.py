"""Measure a whole release on the fictional city: consent join, columns, tokens, gate, error table.

    python -m tools.bench_release [--residents 400000]

Prints one line of JSON: seconds and processor seconds. ``first`` is the first release of a
decision, where the gate finds the levels; ``next`` one after it, which begins with those levels;
``gate`` is what the gate alone took of them; ``table`` the abstraction error table of the sample's
campaigns, from the sources on; ``peak_mib`` the largest resident set of the process in a step. The
city is built in another.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from kumobashi.crypto.keys import TokenKey
from kumobashi.planning.sampling import write_sample
from kumobashi.planning.workspace import load
from kumobashi.release.abstraction import error_table
from kumobashi.release.gate import Passed, pass_gate
from kumobashi.release.gate_report import GateReport
from kumobashi.release.releasing import Released, Source, extract, release
from kumobashi.release.rules import ReleaseRule
from kumobashi.storage.duckdb_tables import DuckDBTables

T = TypeVar("T")
_SYSTEMS = ("integrated-db", "consent-desk")
_ON = date(2026, 11, 22)
_RULE, _PURPOSE = "notice-attributes", "child-notices"
_MEMORY_MIB = 512
_BUILD = """
import sys
from datetime import date
from pathlib import Path
from kumobashi.testing.city import build, write_embedded
folder, residents, on = Path(sys.argv[1]), int(sys.argv[2]), date.fromisoformat(sys.argv[3])
with build(residents, on=on) as city:
    write_embedded(city, {name: folder / f"{name}.duckdb" for name in sys.argv[4:]})
"""


class Clock:
    """Seconds and processor seconds of steps, by name."""

    def __init__(self) -> None:
        self.found: dict[str, Any] = {}

    def of(self, name: str, step: Callable[[], T]) -> T:
        """Time a step, and take its largest resident set."""
        # Linux begins anew with what is resident now.
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
        begun, used = time.perf_counter(), time.process_time()
        made = step()
        for kind, value in (
            ("s", time.perf_counter() - begun),
            ("cpu_s", time.process_time() - used),
        ):
            key = f"{name}_{kind}"
            self.found[key] = round(value, 3)
        self.found[f"{name}_peak_mib"] = _peak_mib()
        return made


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--residents", type=int, default=400_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measure(Path(folder), asked.residents)))


def measure(folder: Path, residents: int) -> dict[str, Any]:
    """Build the city and release it twice; return the figures."""
    workspace = load(write_sample(folder / "city"))
    arguments = [str(folder), str(residents), _ON.isoformat(), *_SYSTEMS]
    subprocess.run([sys.executable, "-c", _BUILD, *arguments], check=True)
    rule, clock = workspace.rules[_RULE], Clock()
    clock.found["residents"] = residents
    with _sources(folder) as tables:

        def source(reference: str) -> Source:
            system, dataset = workspace.dataset(reference)
            return Source(tables[system.system], dataset.table)

        sources = {name: source(reference) for name, reference in rule.datasets.items()}
        first = _released("first", rule, sources, clock, folder=folder, earlier=None)
        again = _released("next", rule, sources, clock, folder=folder, earlier=first.report)
        chosen = [c for c in workspace.campaigns.values() if c.coarsened]
        hall = {r: source(r) for campaign in chosen for r in campaign.datasets.values()}
        with _work(folder) as work:
            clock.of(
                "table",
                lambda: error_table(rule, chosen, sources, hall, work, purpose=_PURPOSE, on=_ON),
            )
    report = again.report
    if report is None or report.after is None:
        raise SystemExit("nothing was measured")
    clock.found |= {
        "rows": again.released.rows,
        "classes_before": report.before.classes,
        "k_before": report.before.k,
        "k": report.after.k,
        "levels": report.levels,
        "left_out": report.suppressed,
    }
    return clock.found


def _released(
    name: str,
    rule: ReleaseRule,
    sources: dict[str, Source],
    clock: Clock,
    *,
    folder: Path,
    earlier: GateReport | None,
) -> Passed:
    with _work(folder) as work:
        pads = TokenKey.generate().hmac_pads()

        def whole() -> Passed:
            read = extract(rule, sources, work, purpose=_PURPOSE, on=_ON)
            begun = time.perf_counter()
            made_in = 0.0

            def make(climbed: ReleaseRule) -> Released:
                nonlocal made_in
                at = time.perf_counter()
                made = release(climbed, work, read, on=_ON, pads=pads, on_findings="go_on")
                made_in += time.perf_counter() - at
                return made

            passed = pass_gate(rule, work, make, on=_ON, earlier=earlier)
            clock.found[f"{name}_gate_s"] = round(time.perf_counter() - begun - made_in, 3)
            return passed

        return clock.of(name, whole)


@contextmanager
def _sources(folder: Path) -> Iterator[dict[str, Any]]:
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(DuckDBTables(name, folder / f"{name}.duckdb").reading())
            for name in _SYSTEMS
        }


@contextmanager
def _work(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a working database as a gateway has it."""
    with duckdb.connect() as work:
        work.execute(
            f"set memory_limit = '{_MEMORY_MIB}MiB'; set temp_directory = '{folder}';"
            " set preserve_insertion_order = false; set enable_progress_bar = false"
        )
        yield work


def _peak_mib() -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) >> 10


if __name__ == "__main__":
    main()
