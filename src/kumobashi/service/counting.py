"""Count what a plan would send: the rule is run on the sources here, and the rows are forgotten."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import zstandard

from kumobashi.exchange.packing import write_parquet
from kumobashi.kernel import SystemClock
from kumobashi.planning.measured import Measured
from kumobashi.planning.measuring import Sizer, measure, sources_of
from kumobashi.planning.plan import Plan
from kumobashi.planning.workspace import Workspace
from kumobashi.release.errors import LedgerOutOfReach, TiesOutOfReach
from kumobashi.release.releasing import Source
from kumobashi.release.rules import LEDGER, TIES
from kumobashi.service.consents import consents_of
from kumobashi.service.protecting import open_source
from kumobashi.storage.errors import AlreadyRunning

if TYPE_CHECKING:
    import duckdb

    from kumobashi.service.consents import Consents

_AT_ONCE = 2  # each has DuckDB's threads and half a gigabyte of its own


@contextmanager
def counting(workspace: Workspace, plans: Sequence[Plan]) -> Iterator[dict[str, Future[Measured]]]:
    """Count several plans side by side; what nobody has waited for at the end is not counted.

    Consents and ties that a gateway has open are out of reach from here: ``LedgerOutOfReach``.
    """
    ledger = Lock()  # one opens it at a time
    with ThreadPoolExecutor(_AT_ONCE, "counting") as pool:
        try:
            yield {
                one.link.link: pool.submit(_counted_here, workspace, one, ledger) for one in plans
            }
        finally:
            pool.shutdown(cancel_futures=True)


def _counted_here(workspace: Workspace, decided: Plan, ledger: Lock) -> Measured:
    """Count a plan outside of any gateway; what its rule asks of the gateway's state, with it."""
    rule = workspace.rules[decided.link.release]
    if rule.ties is None and (rule.consent is None or not rule.consent.ledger):
        return counted(workspace, decided)
    site = workspace.systems[decided.link.from_].site
    try:
        with ledger, consents_of(workspace, site, SystemClock()) as consents:
            return counted(workspace, decided, consents=consents)
    except AlreadyRunning:
        raise (TiesOutOfReach if rule.ties else LedgerOutOfReach) from None


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
        LedgerOutOfReach, TiesOutOfReach: the rule asks them, and they are not at hand.
        ServiceUnknown: the rule asks for ties with a service that is not registered.
    """
    rule = workspace.rules[decided.link.release]
    campaigns = [workspace.campaigns[code] for code in rule.campaigns]
    references = {r for campaign in campaigns for r in campaign.datasets.values()}
    used = {*rule.datasets.values(), *references}
    systems = {workspace.dataset(reference)[0].system for reference in used}
    with ExitStack() as stack:
        readers = {
            name: stack.enter_context(open_source(workspace, workspace.systems[name]).reading())
            for name in systems
        }
        sources = sources_of(workspace, decided.link.link, readers)
        if ledger := consents.source(rule) if consents else None:
            sources[LEDGER] = Source(stack.enter_context(ledger.reading()), LEDGER)
        if ties := consents.tie_source(rule) if consents else None:
            sources[TIES] = Source(stack.enter_context(ties.reading()), TIES)
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
