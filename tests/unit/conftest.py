"""What unit tests of tables share."""

from collections.abc import Iterator

import duckdb
import pytest


@pytest.fixture(scope="module")
def shared() -> Iterator[duckdb.DuckDBPyConnection]:
    """One database for the examples of a property: opening one takes longer than using it."""
    with duckdb.connect() as opened:
        yield opened
