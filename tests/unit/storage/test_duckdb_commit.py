"""A commit that the disk refuses says nothing of the rows: another try applies them, once."""

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

resource = pytest.importorskip("resource")

# In a process of its own, whose files may not grow: what a disk that errs looks like.
PROGRAM = """
import resource, sys
from datetime import date
from pathlib import Path
import duckdb
from kumobashi.kernel import KumobashiError
from kumobashi.storage.duckdb_tables import DuckDBTables
from kumobashi.storage.tables import ColumnSpec, Load

path, limit = Path(sys.argv[1]), int(sys.argv[2])
work = duckdb.connect()
work.execute("create table rows as select i::varchar as key, md5(i::varchar) as text"
             " from range(20000) as t(i)")
load = Load(
    tenant="999997", transfer="019aa8d1-5b7c-7000-8000-0123456789ab", link="a-link",
    business_date=date(2026, 11, 22), sequence=1, mode="full", base_transfer=None, table="t",
    columns=(ColumnSpec(name="key", kind="text"), ColumnSpec(name="text", kind="text")),
    key=("key",), rows=20000, deleted=0, connection=work, relation="rows",
    deleted_relation=None, before_commit=lambda: None,
)
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    print(DuckDBTables("cloud", path).apply(load))
except KumobashiError as error:
    print(error.code, error.retryable)
except duckdb.Error as error:
    print(type(error).__name__)
"""


def apply(path: Path, limit: int) -> str:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(path), str(limit)],
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.stdout, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("kib", [64, 300, 600])
def test_what_the_commit_could_not_write_is_tried_again(tmp_path: Path, kib: int) -> None:
    path = tmp_path / "cloud.duckdb"
    duckdb.connect(str(path)).close()

    assert apply(path, kib * 1024) == "storage.unreachable True"
    assert "rows=20000" in apply(path, 0)
