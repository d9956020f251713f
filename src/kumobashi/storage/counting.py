"""One number from DuckDB: the result is read to its end, or the connection would stay in use."""

from typing import Any

import duckdb


def count(
    connection: duckdb.DuckDBPyConnection, sql: str, parameters: dict[str, Any] | None = None
) -> int:
    """Run a statement that gives one number (a count, or the rows it wrote) and return it."""
    rows = connection.execute(sql, parameters).fetchall()
    return int(rows[0][0]) if rows else 0
