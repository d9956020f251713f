"""Measure how long campaigns are counted on the fictional city, and a predicate-only release.

    python -m tools.bench_campaigns [--residents 400000]

Seven campaigns: the six of the sample, and that of the health check at the base date instead of the
end of 年度. Prints one line of JSON: seconds and processor seconds of each step. ``scan`` is the
error table alone, once both sides' columns stand side by side; ``table`` all of it, from the
sources on; ``ways`` the three ways for one campaign with their payloads; ``targets`` a
predicate-only release of two campaigns, tokens made.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import TypeVar

import duckdb

from kumobashi.crypto.keys import TokenKey
from kumobashi.exchange.packing import write_parquet
from kumobashi.planning.sampling import write_sample
from kumobashi.planning.workspace import Workspace, load
from kumobashi.release.abstraction import count, side_by_side
from kumobashi.release.campaigns import Campaign
from kumobashi.release.comparing import compare
from kumobashi.release.people import alike
from kumobashi.release.releasing import Source, extract
from kumobashi.release.targeting import find_targets, release_targets
from kumobashi.storage.duckdb_tables import DuckDBTables
from kumobashi.storage.tables import TableReader
from kumobashi.testing.city import build, write_embedded

T = TypeVar("T")
_SYSTEMS = ("integrated-db", "consent-desk")
_ON = date(2026, 11, 22)
_AGAIN = 5  # times that a short step is done; the quickest counts


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--residents", type=int, default=400_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measure(Path(folder), asked.residents)))


def measure(folder: Path, residents: int) -> dict[str, float | int]:
    """Build the city and time each step on it; seconds and counts."""
    workspace = load(write_sample(folder / "city"))
    paths = {system: folder / f"{system}.duckdb" for system in _SYSTEMS}
    with build(residents, on=_ON) as city:
        write_embedded(city, paths)
    found: dict[str, float | int] = {"residents": residents}
    with ExitStack() as stack:
        readers = {
            system: stack.enter_context(DuckDBTables(system, path).reading())
            for system, path in paths.items()
        }
        _measure(workspace, lambda reference: _source(workspace, readers, reference), folder, found)
    return found


def _source(workspace: Workspace, readers: Mapping[str, TableReader], reference: str) -> Source:
    system, dataset = workspace.dataset(reference)
    return Source(readers[system.system], dataset.table)


def _measure(
    workspace: Workspace,
    source: Callable[[str], Source],
    folder: Path,
    found: dict[str, float | int],
) -> None:
    campaigns = [*workspace.campaigns.values(), _at_base_date(workspace)]
    found["campaigns"] = len(campaigns)
    rule = workspace.rules["notice-attributes"]
    sources = {name: source(reference) for name, reference in rule.datasets.items()}
    hall = {r: source(r) for campaign in campaigns for r in campaign.datasets.values()}
    groups, purpose = alike(campaigns), campaigns[0].purpose

    def timed(name: str, step: Callable[[], T], times: int = 1) -> T:
        for number in range(times):
            begun, used = time.perf_counter(), time.process_time()
            made = step()
            took, cpu = time.perf_counter() - begun, time.process_time() - used
            if number == 0 or took < found[f"{name}_s"]:
                found[f"{name}_s"], found[f"{name}_cpu_s"] = round(took, 3), round(cpu, 3)
        return made

    with duckdb.connect() as work:
        steps = side_by_side(
            rule, groups, sources, hall, work, purpose=purpose, on=_ON, is_whole=False
        )
        people = timed("columns", lambda: next(steps))
        lines = timed("scan", lambda: list(count(rule.release, people, work)), _AGAIN)
        found["table_s"] = round(found["columns_s"] + found["scan_s"], 3)
        found["meant"] = sum(line.counts.exact for line in lines)
        steps.close()  # type: ignore[attr-defined]
    one = [workspace.campaigns["infant-check-18m"]]
    with duckdb.connect() as work:
        told = [c.name for c in rule.columns if c.op != "token"]

        def ways() -> None:
            for people in side_by_side(
                rule, alike(one), sources, hall, work, purpose=purpose, on=_ON, is_whole=True
            ):
                compare(
                    people,
                    list(count(rule.release, people, work)),
                    told,
                    work,
                    size_of=lambda work, relation, path: write_parquet(work, relation, path).bytes,
                    folder=folder,
                )

        timed("ways", ways)
    targets = workspace.rules["campaign-targets"].model_copy(update={"allow_empty": True})
    chosen = [workspace.campaigns[code] for code in targets.campaigns]
    own = {name: source(reference) for name, reference in targets.datasets.items()}
    with duckdb.connect() as work:

        def released() -> int:
            read = extract(targets, own, work, purpose=purpose, on=_ON)
            find_targets(chosen, hall, work, on=_ON, on_findings="quarantine")
            pads = TokenKey.generate().hmac_pads()
            return release_targets(targets, work, read, on=_ON, pads=pads).rows

        found["pairs"] = timed("targets", released)


def _at_base_date(workspace: Workspace) -> Campaign:
    """Return the health check for those who are 40 on the base date itself."""
    said = workspace.campaigns["health-check-40"].model_dump(mode="json", by_alias=True)
    said["campaign"] = "health-check-40-now"
    said["exact"]["of"][1]["at"] = None
    said["coarsened"]["when"]["of"][1]["to"] = {"years": 40}
    return Campaign.model_validate(said)


if __name__ == "__main__":
    main()
