"""How ``make test`` deals tests to its processes: by whole files, whole stories first.

A file's town, server or demo is then made once, and the short files at the end even out what the
long ones left. pytest-xdist's groups cannot do it: they stand behind a test's name, which pytest
9.2 and later leave as it is, and the marks are passed over without a word (pytest-xdist 1386).
"""

from collections.abc import Sequence

import pytest

LONG_FIRST = ("tests/scenario/", "tests/integration/", "tests/docs/", "tests/contract/")
# They measure, with a PostgreSQL each: side by side they would measure one another.
ONE_BY_ONE = "tests/integration/test_bench_"


def unit_of(nodeid: str) -> str:
    """Return what is dealt as one: the file of a test, or all files that must not meet."""
    return ONE_BY_ONE if nodeid.startswith(ONE_BY_ONE) else nodeid.partition("::")[0]


def in_order(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """Return the tests as they are dealt, those of one folder and file in the order they had."""

    def rank(item: pytest.Item) -> int:
        folders = [n for n, long in enumerate(LONG_FIRST) if item.nodeid.startswith(long)]
        return folders[0] if folders else len(LONG_FIRST)

    return sorted(items, key=rank)
