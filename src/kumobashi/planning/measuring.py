"""Count what a link would send, by doing it here and sending nothing.

The rule runs as it would at night, in a working database that is gone afterwards, with a throwaway
key for tokens. So the counts, the size and k are those of a real run, not guesses; characters that
the receiver cannot hold are counted row by row.
"""

import math
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import duckdb

from kumobashi.conversion.charsets import losses
from kumobashi.crypto.keys import TokenKey
from kumobashi.planning.links import LinkFile
from kumobashi.planning.measured import ItemLoss, Measured
from kumobashi.planning.plan import Plan
from kumobashi.planning.workspace import Workspace
from kumobashi.release.consenting import untied
from kumobashi.release.errors import GateRefused, NothingToRelease
from kumobashi.release.gate import Passed, pass_gate
from kumobashi.release.gate_report import GateReport
from kumobashi.release.holding import hold_back, with_held_back
from kumobashi.release.releasing import OnFindings, Released, Source, extract, release
from kumobashi.release.rules import ReleaseRule
from kumobashi.release.targeting import find_targets, release_targets
from kumobashi.storage.tables import TableReader, quoted

# Gives the bytes of the payload that relation ``released`` makes; ``exchange`` has the exact one.
Sizer = Callable[[duckdb.DuckDBPyConnection, Path], int]
_AGE_CHUNK, _AGE_TAG, _AGE_HEAD = 64 * 1024, 16, 216  # bytes that sealing adds


def sources_of(
    workspace: Workspace, link: str, readers: Mapping[str, TableReader]
) -> dict[str, Source]:
    """Return where each dataset of a rule is read; ``readers`` are open snapshots by system."""
    found = {}
    for name, reference in workspace.rules[workspace.link(link).release].datasets.items():
        system, dataset = workspace.dataset(reference)
        found[name] = Source(readers[system.system], dataset.table)
    return found


def measure(
    workspace: Workspace,
    plan: Plan,
    sources: Mapping[str, Source],
    *,
    hall: Mapping[str, Source] | None = None,
    size_of: Sizer | None = None,
    as_written: bool = False,
    memory_mib: int = 512,
) -> Measured:
    """Run the rule of a plan's link on ``sources`` and return the counts; nothing leaves.

    ``hall`` are the sources of the campaigns of a predicate-only rule, by ``"system.dataset"``.
    With ``as_written`` the gate may neither climb nor leave anybody out.

    Raises:
        StoreUnreachable: a source does not answer.
    """
    link, rule = plan.link, workspace.rules[plan.link.release]
    if as_written:
        rule = rule.as_written()
    with tempfile.TemporaryDirectory(prefix="kumobashi-plan-") as folder:
        work = duckdb.connect()
        try:
            work.execute(f"set memory_limit = '{memory_mib}MiB'; set temp_directory = '{folder}'")
            work.execute("set preserve_insertion_order = false; set enable_progress_bar = false")
            # What a run would refuse is counted all the same: the plan shows what there is.
            how: OnFindings = "quarantine" if link.on_findings == "quarantine" else "go_on"
            held = hold_back(rule, sources, how)
            read = extract(rule, sources, work, purpose=link.purpose, on=plan.on)
            targets = None
            if rule.predicate_only:
                campaigns = [workspace.campaigns[code] for code in rule.campaigns]
                targets = find_targets(campaigns, hall or {}, work, on=plan.on, on_findings="go_on")

            def make(rule: ReleaseRule) -> Released:
                if targets:
                    made = release_targets(rule, work, read, on=plan.on, pads=_throwaway())
                else:
                    pads = _throwaway()
                    made = release(rule, work, read, on=plan.on, pads=pads, on_findings="go_on")
                return with_held_back(made, held)

            try:
                passed = pass_gate(rule, work, make, on=plan.on, names=plan.names)
            except NothingToRelease as nothing:
                left = untied(rule, work)
                return _nothing(plan, nothing.extracted, nothing.without_consent, None, left)
            except GateRefused as refused:
                extracted, meant = read[rule.subject.dataset], refused.report.before.rows
                left = untied(rule, work)
                return _nothing(plan, extracted, extracted - meant, refused.report, left)
            payload = (size_of or _default_sizer(link))(work, Path(folder) / "payload")
            found = _losses(work, plan)
        finally:
            work.close()
    return _measured(plan, passed, payload, found)


def _throwaway() -> tuple[bytes, bytes]:
    return TokenKey.generate().hmac_pads()


def sealed_bytes(payload: int) -> int:
    """Return the size of an age file for one recipient around so many bytes.

    >>> sealed_bytes(6_100_000)
    6101720
    """
    return payload + _AGE_TAG * math.ceil(max(payload, 1) / _AGE_CHUNK) + _AGE_HEAD


def _measured(plan: Plan, passed: Passed, payload: int, found: tuple[ItemLoss, ...]) -> Measured:
    released, size = passed.released, sealed_bytes(payload)
    return Measured(
        on=plan.on,
        rows=released.rows,
        extracted=released.extracted,
        without_consent=released.without_consent,
        bytes=size,
        parts=math.ceil(size / plan.largest_part_bytes),
        smallest_class=released.smallest_class,
        rows_below_five=released.rows_below_five,
        findings=released.findings,
        losses=found,
        untied=released.ties,
        gate=passed.report,
    )


def _nothing(
    plan: Plan,
    extracted: int,
    without_consent: int,
    gate: GateReport | None,
    left: Mapping[str, int],
) -> Measured:
    return Measured(
        on=plan.on,
        rows=0,
        extracted=extracted,
        without_consent=without_consent,
        bytes=0,
        parts=0,
        smallest_class=None,
        rows_below_five=0,
        findings=(),
        losses=(),
        untied=left,
        gate=gate,
    )


def _losses(work: duckdb.DuckDBPyConnection, plan: Plan) -> tuple[ItemLoss, ...]:
    """Return the characters that each text column would lose, distinct values counted in SQL."""
    characters, found = plan.link.characters, []
    if characters.charset != "cp932":
        return ()
    kinds = dict(
        work.execute("select column_name, column_type from (describe released)").fetchall()
    )
    for item in plan.items:
        if kinds.get(item.name) != "VARCHAR" or item.form == "token":
            continue
        column = work.table("released").select(quoted(item.name)).to_arrow_table().column(0)
        found += [
            ItemLoss(item=item.name, ja=item.ja, loss=loss)
            for loss in losses(column, characters.charset, characters.substitutes)
        ]
    return tuple(found)


def _default_sizer(link: LinkFile) -> Sizer:
    form = "parquet, compression_level 1" if link.format == "parquet" else "csv, header"

    def size(work: duckdb.DuckDBPyConnection, path: Path) -> int:
        # Fetched to the end, because an unfinished result blocks the connection.
        work.execute(f"copy released to '{path}' (format {form}, compression zstd)").fetchall()
        return path.stat().st_size

    return size
