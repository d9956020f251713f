"""What a DuckDB file says of the transfers that were applied and deleted.

Two tables beside the rows, or alone where the rows are elsewhere; the words are those of
``storage.tables``.
"""

# ruff: noqa: S608 - the tables are our own

from datetime import UTC, datetime

import duckdb

from kumobashi.storage.applying import Newest
from kumobashi.storage.removing import Decision, Standing, decide
from kumobashi.storage.tables import (
    APPLIED_TABLE,
    CREATE_APPLIED,
    CREATE_DELETED,
    DELETED_TABLE,
    Applied,
    Load,
    Removal,
    Removed,
)


def prepare(target: duckdb.DuckDBPyConnection) -> None:
    """Make the tables where there are none."""
    target.execute(CREATE_APPLIED + ";" + CREATE_DELETED)


def applied_before(target: duckdb.DuckDBPyConnection, load: Load) -> Applied | None:
    """Return what an earlier attempt of the same transfer wrote."""
    done = target.execute(
        f"select rows, deleted, total from {APPLIED_TABLE} where tenant = ? and transfer = ?",
        [load.tenant, load.transfer],
    ).fetchall()
    if not done:
        return None
    rows, deleted, total = done[0]
    return Applied(rows=rows, deleted=deleted, total=total, already=True)


def newest(target: duckdb.DuckDBPyConnection, tenant: str, link: str) -> Newest | None:
    """Return the newest load of a link."""
    found = target.execute(
        "select a.transfer, a.business_date, a.sequence, d.transfer is not null"
        f" from {APPLIED_TABLE} a left join {DELETED_TABLE} d"
        " on d.tenant = a.tenant and d.transfer = a.transfer"
        " where a.tenant = ? and a.link = ?"
        " order by a.business_date desc, a.sequence desc limit 1",
        [tenant, link],
    ).fetchall()
    return Newest(*found[0]) if found else None


def note_applied(target: duckdb.DuckDBPyConnection, load: Load, applied: Applied) -> None:
    """Write down a load."""
    target.execute(
        f"insert into {APPLIED_TABLE} values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            load.tenant,
            load.transfer,
            load.link,
            load.business_date,
            load.sequence,
            load.mode,
            applied.rows,
            applied.deleted,
            applied.total,
            _now(),
        ],
    )


def removed_before(target: duckdb.DuckDBPyConnection, removal: Removal) -> Removed | None:
    """Return what an earlier attempt deleted."""
    noted = target.execute(
        f"select rows, taken_over_by from {DELETED_TABLE} where tenant = ? and transfer = ?",
        [removal.tenant, removal.transfer],
    ).fetchall()
    return Removed(rows=noted[0][0], taken_over_by=noted[0][1], already=True) if noted else None


def decide_removal(target: duckdb.DuckDBPyConnection, removal: Removal) -> Decision:
    """Return what is to be deleted; raise ``NeverApplied``."""
    known = target.execute(
        f"select 1 from {APPLIED_TABLE} where tenant = ? and transfer = ?",
        [removal.tenant, removal.transfer],
    ).fetchall()
    last = newest(target, removal.tenant, removal.link)
    return decide(removal.transfer, Standing(last.transfer if last else None, bool(known)))


def note_removed(target: duckdb.DuckDBPyConnection, removal: Removal, removed: Removed) -> None:
    """Write down a removal."""
    target.execute(
        f"insert into {DELETED_TABLE} values (?, ?, ?, ?, ?, ?)",
        [
            removal.tenant,
            removal.transfer,
            removal.link,
            removed.rows,
            removed.taken_over_by,
            _now(),
        ],
    )


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
