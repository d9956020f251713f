"""Check what was opened against the receiver's layout, and bring it into the table's types."""

from dataclasses import dataclass

import duckdb

from kumobashi.catalogue.checking import findings
from kumobashi.exchange.orders import ReceivingColumn, Reception
from kumobashi.exchange.packing import OPERATION, OPERATION_JA
from kumobashi.kernel import Finding
from kumobashi.messages.manifest import Manifest, MediaType, Mode
from kumobashi.storage.counting import count
from kumobashi.storage.tables import quoted

_MOST_FINDINGS = 1000
_STRUCTURAL = frozenset(
    {"finding.column_missing", "finding.column_unexpected", "finding.wrong_type"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """The rows that will be written, as relations of the working database, and what was found."""

    relation: str
    deleted_relation: str | None
    rows: int
    deleted: int
    quarantined: int
    findings: tuple[Finding, ...]
    refused: bool

    @property
    def faulty_rows(self) -> int:
        """How many rows have findings, counted once a finding."""
        return sum(finding.rows for finding in self.findings)


def check_rows(
    work: duckdb.DuckDBPyConnection, arrived: str, manifest: Manifest, reception: Reception
) -> Checked:
    """Check relation ``arrived``; what may be written stands in the returned relations."""
    named = _named(work, arrived, manifest, reception.columns)
    is_difference = manifest.mode is Mode.DIFFERENCE
    rows_of = f"(select * exclude ({OPERATION}) from {named} where {OPERATION} = 'put')"
    relation = rows_of if is_difference else named
    found = tuple(findings(work, relation, reception.layout, _MOST_FINDINGS))
    structural = any(finding.code in _STRUCTURAL for finding in found)
    if found and (structural or reception.on_findings != "go_on"):
        return Checked(
            relation=relation,
            deleted_relation=None,
            rows=0,
            deleted=0,
            quarantined=0,
            findings=found,
            refused=True,
        )
    typed = ", ".join(_typed(column) for column in reception.columns)
    work.execute(f"create view incoming_rows as select {typed} from {relation}")
    deleted_relation, deleted = None, 0
    if is_difference:
        keys = [column for column in reception.columns if column.spec.name in reception.key]
        typed_keys = ", ".join(_typed(column) for column in keys)
        work.execute(
            f"create view incoming_deleted as select {typed_keys} from {named}"
            f" where {OPERATION} = 'delete'"
        )
        deleted_relation = "incoming_deleted"
        deleted = count(work, f"select count(*) from {deleted_relation}")
    return Checked(
        relation="incoming_rows",
        deleted_relation=deleted_relation,
        rows=count(work, "select count(*) from incoming_rows"),
        deleted=deleted,
        quarantined=0,
        findings=found,
        refused=False,
    )


def _named(
    work: duckdb.DuckDBPyConnection,
    arrived: str,
    manifest: Manifest,
    columns: tuple[ReceivingColumn, ...],
) -> str:
    """Give CSV columns, which carry Japanese headers, their names; others keep what they have."""
    if manifest.media_type is not MediaType.CSV:
        return arrived
    names = {OPERATION_JA: OPERATION, **{column.ja: column.spec.name for column in columns}}
    present = [row[0] for row in work.execute(f"describe {arrived}").fetchall()]
    selected = ", ".join(
        f"{quoted(header)} as {quoted(names.get(header, header))}" for header in present
    )
    work.execute(f"create view named as select {selected} from {arrived}")
    return "named"


def _typed(column: ReceivingColumn) -> str:
    name = quoted(column.spec.name)
    return f"try_cast({name} as {column.spec.sql_type}) as {name}"
