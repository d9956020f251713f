"""Count what a plan would send: the rule is run on the sources here, and the rows are forgotten."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import zstandard

from kumobashi.exchange.packing import write_parquet
from kumobashi.planning.measured import Measured
from kumobashi.planning.measuring import Sizer, measure, sources_of
from kumobashi.planning.plan import Plan
from kumobashi.planning.workspace import Workspace
from kumobashi.release.releasing import Source
from kumobashi.release.rules import LEDGER
from kumobashi.service.stores import open_store

if TYPE_CHECKING:
    import duckdb

    from kumobashi.service.consents import Consents


def counted(
    workspace: Workspace,
    decided: Plan,
    *,
    as_written: bool = False,
    consents: "Consents | None" = None,
) -> Measured:
    """Return rows, bytes, parts and k of a plan, from the sources as they are now.

    With ``as_written`` the gate may neither climb nor leave anybody out. ``consents`` are those of
    the site, where a rule asks the ledger.

    Raises:
        LedgerOutOfReach: the rule asks the ledger, and it is not at hand.
    """
    rule = workspace.rules[decided.link.release]
    campaigns = [workspace.campaigns[code] for code in rule.campaigns]
    references = {r for campaign in campaigns for r in campaign.datasets.values()}
    used = {*rule.datasets.values(), *references}
    systems = {workspace.dataset(reference)[0].system for reference in used}
    with ExitStack() as stack:
        readers = {
            name: stack.enter_context(
                open_store(workspace.folder, workspace.systems[name], workspace.layouts).reading()
            )
            for name in systems
        }
        sources = sources_of(workspace, decided.link.link, readers)
        if ledger := consents.source(rule) if consents else None:
            sources[LEDGER] = Source(stack.enter_context(ledger.reading()), LEDGER)
        hall = {
            reference: Source(readers[system.system], dataset.table)
            for reference in references
            for system, dataset in [workspace.dataset(reference)]
        }
        return measure(
            workspace, decided, sources, hall=hall, size_of=_sizer(decided), as_written=as_written
        )


def _sizer(decided: Plan) -> Sizer:
    """Return what gives the bytes of the payload as ``exchange.packing`` would write it."""
    if decided.link.format == "parquet":
        return lambda work, path: write_parquet(work, "released", path).bytes
    charset = decided.link.characters.charset
    return lambda work, path: _csv_bytes(work, path, charset)


def _csv_bytes(work: "duckdb.DuckDBPyConnection", path: Path, charset: str) -> int:
    """Write the rows as CSV in the receiver's charset; what it lacks counts as one byte."""
    work.execute(f"copy released to '{path}' (format csv, header)")
    codec = "cp932" if charset == "cp932" else "utf-8"
    packed = path.with_suffix(".zst")
    with (
        path.open(encoding="utf-8", newline="") as source,
        packed.open("wb") as raw,
        zstandard.ZstdCompressor(level=1).stream_writer(raw, closefd=False) as target,
    ):
        while text := source.read(1 << 20):
            target.write(text.encode(codec, "replace"))
    return packed.stat().st_size
