"""Extract, join, coarsen and count, in one working database with bounded memory.

Every count that people see is taken here: read = what the source says it has; read = without
consent + held back + released. A count that does not add up stops the transfer.
"""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

import duckdb

from kumobashi.kernel import Finding, crashpoint
from kumobashi.messages.freshness import Freshness
from kumobashi.release.compiling import Compiled, compile_released, compile_rule
from kumobashi.release.consenting import left_out, untied
from kumobashi.release.errors import (
    CountsDisagree,
    FindingsRefused,
    LedgerOutOfReach,
    MappingAmbiguous,
    NothingToRelease,
    TiesOutOfReach,
)
from kumobashi.release.rules import LEDGER, TIES, ReleaseRule
from kumobashi.release.staging import TIED, Stage, stages
from kumobashi.storage.counting import count
from kumobashi.storage.tables import Query, TableReader, literal, quoted, require_columns

OnFindings = Literal["refuse", "quarantine", "go_on"]
_MOST_FINDINGS_KEPT = 1000
_REGISTERS = {LEDGER: LedgerOutOfReach, TIES: TiesOutOfReach}  # of the gateway, not of a system


@dataclass(frozen=True, slots=True)
class Source:
    """Where one dataset is read."""

    reader: TableReader
    table: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """What left the rule, in counts; the rows are in table ``released`` of the working database."""

    columns: tuple[str, ...]
    read: Mapping[str, int]  # rows by dataset
    extracted: int  # subjects read
    without_consent: int  # subjects without consent, and those that the rule leaves out
    quarantined: int
    rows: int
    smallest_class: int | None  # k over all released columns but the token; None: no token
    rows_below_five: int | None
    classes: int | None
    findings: tuple[Finding, ...]
    consent: Mapping[str, int] = field(default_factory=dict)  # left out, by reason; of the ledger
    ties: Mapping[str, int] = field(default_factory=dict)  # left out for want of a tie, by reason
    freshness: Freshness | None = None  # until when the rows may be used; none: no limit


def extract(
    rule: ReleaseRule,
    sources: Mapping[str, Source],
    work: duckdb.DuckDBPyConnection,
    *,
    purpose: str,
    on: date,
) -> dict[str, int]:
    """Read what the rule needs into ``work``; return the rows read, by dataset.

    Raises:
        TableMissing, ColumnMissing: the source is not as its layout says.
        CountsDisagree: fewer or more rows came than the same snapshot counts.
    """
    read = read_stages(stages(rule, purpose=purpose, on=on), sources, work)
    crashpoint("sending.extracted")
    return read


def read_stages(
    wanted: Iterable[Stage], sources: Mapping[str, Source], work: duckdb.DuckDBPyConnection
) -> dict[str, int]:
    """Read stages into ``work``; return the rows read, by dataset.

    Raises:
        TableMissing, ColumnMissing, CountsDisagree: as :func:`extract`.
    """
    stores: dict[int, list[Stage]] = {}
    for stage in wanted:
        if stage.dataset in _REGISTERS and stage.dataset not in sources:
            raise _REGISTERS[stage.dataset]
        stores.setdefault(id(sources[stage.dataset].reader), []).append(stage)
    read: dict[str, int] = {}
    if not stores:
        return read
    with ThreadPoolExecutor(len(stores), "extract") as readers:  # the stores side by side
        for found in readers.map(lambda group: _read(group, sources, work), stores.values()):
            for dataset, rows in found:
                read[dataset] = max(rows, read.get(dataset, 0))
    return read


def _read(
    group: list[Stage], sources: Mapping[str, Source], work: duckdb.DuckDBPyConnection
) -> list[tuple[str, int]]:
    """Read stages of one store, one after the other; return the rows of each, by dataset."""
    found = []
    with work.cursor() as own:
        for stage in group:
            source = sources[stage.dataset]
            query = Query(source.table, stage.columns, stage.where)
            try:
                with source.reader.stream(query) as rows:
                    own.register("incoming", rows)
                    got = count(own, f"create table {stage.name} as select * from incoming")
                    own.unregister("incoming")
            except Exception:
                require_columns(source.reader, query)  # names what the source lacks, if it does
                raise
            expected = source.reader.count(query)
            if got != expected:
                raise CountsDisagree(step=f"extract {stage.dataset}", expected=expected, got=got)
            found.append((stage.dataset, got))
    return found


def release(
    rule: ReleaseRule,
    work: duckdb.DuckDBPyConnection,
    read: Mapping[str, int],
    *,
    on: date,
    pads: tuple[bytes, bytes] | None,
    on_findings: OnFindings,
    is_pushed: bool = False,
) -> Released:
    """Make table ``released`` in ``work`` from what :func:`extract` read.

    With ``is_pushed``, table ``pushed`` holds what the source has worked out (see ``pushing``).
    ``pads`` are the inner and outer pads of HMAC-SHA256 for this destination's tokens.

    Raises:
        NothingToRelease: no one is left.
        FindingsRefused: rows have findings and ``on_findings`` is ``"refuse"``.
        MappingAmbiguous: a mapping puts an area into two areas of the next level.
        CountsDisagree: the counts do not add up.
    """
    steps = compile_rule(rule, on=on)
    _prepare(rule, work, steps, is_pushed=is_pushed)
    findings, unclear = _find_doubts(rule, work, steps)
    if findings and on_findings == "refuse":
        first = findings[0]
        affected = sum(finding.rows for finding in findings)
        raise FindingsRefused(rows=affected, first=f"{first.item}: {first.got}", findings=findings)
    work.execute(
        "create or replace temp table faulty as select distinct key from unclear"
        f" where {'true' if on_findings == 'quarantine' else 'false'}"
    )
    make_released = compile_released(rule, on=on, unclear=unclear, is_pushed=is_pushed)
    inner_outer = {"inner": pads[0], "outer": pads[1]} if pads else {}
    # The subjects, split over the cores, look up everything else, not the other way round: DuckDB
    # would rather start from the households, which are fewer, and leave one core idle at the end.
    work.execute("set disabled_optimizers = 'build_side_probe_side'")
    rows = count(work, make_released, inner_outer if "$inner" in make_released else None)
    work.execute("set disabled_optimizers = ''")
    extracted = read[rule.subject.dataset]
    held = count(work, "select count(*) from faulty")
    eligible = rows + held
    if unclear and eligible != (expected := count(work, "select count(*) from eligible")):
        raise CountsDisagree(step="release", expected=expected, got=eligible)
    if eligible > extracted:
        raise CountsDisagree(step="release", expected=extracted, got=eligible)
    if rows == 0 and not rule.allow_empty:
        raise NothingToRelease(extracted=extracted, without_consent=extracted - eligible)
    smallest, below, classes = None, None, None
    if steps.classes:
        smallest, below, classes = work.execute(steps.classes).fetchall()[0]
    return Released(
        columns=steps.columns,
        read=dict(read),
        extracted=extracted,
        without_consent=extracted - eligible,
        quarantined=held,
        rows=rows,
        smallest_class=smallest,
        rows_below_five=below,
        classes=classes,
        findings=findings,
        consent={} if is_pushed else left_out(rule, work),
        ties={} if is_pushed else untied(rule, work),
    )


def _prepare(
    rule: ReleaseRule, work: duckdb.DuckDBPyConnection, steps: Compiled, *, is_pushed: bool
) -> None:
    """Make the mappings, and ``eligible`` with all that its columns need."""
    for mapping in steps.mappings:
        work.execute(mapping)
    for climb in steps.climbs:
        if areas := count(work, climb.query):
            raise MappingAmbiguous(
                dataset=climb.dataset, level=climb.level, above=climb.above, areas=areas
            )
    if is_pushed:
        # The registry of ties is in the gateway, so is the last word about who leaves.
        key = quoted(rule.subject.key)
        where = f" where {key} in (select {key} from {TIED})" if rule.ties else ""
        work.execute(f"create or replace temp view eligible as select * from pushed{where}")
    else:
        if steps.household:
            work.execute(steps.household)
        work.execute(steps.eligible)


def _find_doubts(
    rule: ReleaseRule, work: duckdb.DuckDBPyConnection, steps: Compiled
) -> tuple[tuple[Finding, ...], frozenset[str]]:
    """Fill table ``unclear``; return the findings, and the columns that have any.

    Only those who would be sent count: a strange code of somebody else is not this link's business.
    """
    work.execute("create or replace temp table unclear (key varchar, code varchar, item varchar)")
    for doubt in steps.doubts:
        work.execute(
            f"insert into unclear select key, code, {literal(doubt.column)} from ({doubt.query})"
        )
    if count(work, "select count(*) from unclear"):
        key = quoted(rule.subject.key)
        # A row of nobody is nobody's: a null among those held back would hold back everybody.
        work.execute(
            "delete from unclear where key is null"
            f" or key not in (select {key} from eligible where {key} is not null)"
        )
    grouped = work.execute(
        "select item, code, count(*) from unclear group by all order by all"
        f" limit {_MOST_FINDINGS_KEPT}"
    ).fetchall()
    doubts = {doubt.column: doubt for doubt in steps.doubts}
    findings = tuple(
        Finding(
            code=doubts[column].finding,
            line=None,
            item=doubts[column].item,
            expected=doubts[column].expected,
            got=code if code is not None else "(なし)",
            rows=rows,
        )
        for column, code, rows in grouped
    )
    return findings, frozenset(column for column, _, _ in grouped)
