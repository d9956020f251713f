"""Check what was opened against the receiver's layout, and bring it into the table's types.

What happens with faulty rows is the link's ``on_findings``: ``refuse`` applies nothing,
``quarantine`` sets these rows aside in the receiver's private folder, ``go_on`` applies what can be
written. A column that is missing, unexpected or of another type always refuses the bundle, and a
key that stands in several rows unless they are set aside.
"""

from dataclasses import dataclass
from pathlib import Path

import duckdb

from kumobashi.catalogue.checking import fault_condition, findings
from kumobashi.catalogue.checks import KEY_REPEATED
from kumobashi.exchange.orders import ReceivingColumn, Reception
from kumobashi.exchange.packing import OPERATION, OPERATION_JA
from kumobashi.kernel import Finding
from kumobashi.messages.manifest import Manifest, MediaType, Mode
from kumobashi.storage.counting import count
from kumobashi.storage.tables import literal, quoted

_MOST_FINDINGS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What was found."""

    findings: tuple[Finding, ...]
    is_refused: bool

    @property
    def faulty_rows(self) -> int:
        """How many rows have findings, counted once for each finding."""
        return sum(finding.rows for finding in self.findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arranged:
    """The rows that will be written, as relations of the working database."""

    rows: int
    deleted: int
    quarantined: int = 0
    withdrawn: int = 0  # left out: their consent ended while they were under way
    relation: str = "incoming_rows"
    deleted_relation: str | None = None


def check_rows(
    work: duckdb.DuckDBPyConnection, manifest: Manifest, reception: Reception
) -> Checked:
    """Hold relation ``arrived`` against the receiver's layout."""
    rows, _ = _put_and_deleted(work, manifest, reception)
    found = tuple(findings(work, rows, reception.layout, _MOST_FINDINGS))
    about_columns = any(finding.line is None for finding in found)
    # Of rows with one key, nobody knows which to write.
    is_torn = reception.on_findings == "go_on" and any(f.code == KEY_REPEATED for f in found)
    is_refused = bool(found) and (about_columns or is_torn or reception.on_findings == "refuse")
    return Checked(findings=found, is_refused=is_refused)


def arrange_rows(
    work: duckdb.DuckDBPyConnection,
    manifest: Manifest,
    reception: Reception,
    aside: Path | None,
    withdrawn: frozenset[str] = frozenset(),
) -> Arranged:
    """Bring ``arrived`` into the table's types; faulty rows go to the file ``aside``, if given.

    Rows whose key holds one of the ``withdrawn`` tokens are left out and kept nowhere.
    """
    rows, deleted_keys = _put_and_deleted(work, manifest, reception)
    quarantined = left_out = 0
    if withdrawn:
        told = _told_of(work, reception, withdrawn)
        left_out = count(work, f"select count(*) from {rows} where {told}")
        rows = f"(select * from {rows} where not ({told}))"
    if aside:
        faulty = fault_condition(work, rows, reception.layout)
        aside.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        quarantined = count(
            work,
            f"copy (select * from {rows} where {faulty}) to {literal(str(aside))} (format parquet)",
        )
        aside.chmod(0o600)
        rows = f"(select * from {rows} where not ({faulty}))"
    work.execute(f"create view incoming_rows as select {_typed(reception.columns)} from {rows}")
    deleted = 0
    if deleted_keys:
        keys = tuple(c for c in reception.columns if c.spec.name in reception.key)
        work.execute(f"create view incoming_deleted as select {_typed(keys)} from {deleted_keys}")
        deleted = count(work, "select count(*) from incoming_deleted")
    return Arranged(
        rows=count(work, "select count(*) from incoming_rows"),
        deleted=deleted,
        quarantined=quarantined,
        withdrawn=left_out,
        deleted_relation="incoming_deleted" if deleted_keys else None,
    )


def _told_of(
    work: duckdb.DuckDBPyConnection, reception: Reception, withdrawn: frozenset[str]
) -> str:
    """Return the condition that a row is of a token that may not be used."""
    work.execute("create or replace temp table withdrawn_tokens (token varchar)")
    work.execute("insert into withdrawn_tokens select unnest(?)", [sorted(withdrawn)])
    these = "(select token from withdrawn_tokens)"
    return " or ".join(
        f"coalesce({quoted(name)}::varchar in {these}, false)" for name in reception.key
    )


def _put_and_deleted(
    work: duckdb.DuckDBPyConnection, manifest: Manifest, reception: Reception
) -> tuple[str, str | None]:
    """Return the rows to put, and in a difference the rows that name what to delete."""
    named = _named(work, manifest, reception.columns)
    if manifest.mode is not Mode.DIFFERENCE:
        return named, None
    return (
        f"(select * exclude ({OPERATION}) from {named} where {OPERATION} = 'put')",
        f"(select * from {named} where {OPERATION} <> 'put')",
    )


def _named(
    work: duckdb.DuckDBPyConnection, manifest: Manifest, columns: tuple[ReceivingColumn, ...]
) -> str:
    """Give CSV columns, which carry Japanese headers, their names; others keep what they have."""
    if manifest.media_type is not MediaType.CSV:
        return "arrived"
    names = {OPERATION_JA: OPERATION, **{column.ja: column.spec.name for column in columns}}
    lists = {column.ja for column in columns if column.spec.kind == "integers"}
    selected = []
    for header, *_ in work.execute("describe arrived").fetchall():
        value = quoted(header)
        if header in lists:  # numbers with spaces between
            numbers = f"try_cast(string_split({value}, ' ') as bigint[])"
            value = f"case when coalesce({value}, '') = '' then [] else {numbers} end"
        selected.append(f"{value} as {quoted(names.get(header, header))}")
    return f"(select {', '.join(selected)} from arrived)"


def _typed(columns: tuple[ReceivingColumn, ...]) -> str:
    return ", ".join(
        f"try_cast({quoted(c.spec.name)} as {c.spec.sql_type}) as {quoted(c.spec.name)}"
        for c in columns
    )
