"""The city in a real PostgreSQL, and the server that tests and benchmarks start."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import adbc_driver_postgresql.dbapi as postgresql
import psutil
import pytest

from kumobashi.testing.city import TABLES, City, build, write_postgresql
from kumobashi.testing.postgresql import running

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def dsn() -> Iterator[str]:
    with running(settings={"shared_buffers": "32MB"}) as uri:
        yield uri


@pytest.fixture(scope="module")
def city() -> Iterator[City]:
    with build(1_500, seed=2) as built:
        yield built


def ask(dsn: str, sql: str) -> list[tuple[object, ...]]:
    with postgresql.connect(dsn) as connection, connection.cursor() as cursor:
        cursor.execute(sql)
        return [tuple(row) for row in cursor.fetchall()]


def test_all_tables_arrive_with_keys_and_statistics(dsn: str, city: City) -> None:
    written = write_postgresql(city, dsn)

    assert written == city.counts()
    for name, rows in written.items():
        assert ask(dsn, f"select count(*) from {name}") == [(rows,)]
    keys = ask(dsn, "select conrelid::regclass::text from pg_constraint where contype = 'p'"
               " and connamespace = 'public'::regnamespace")  # fmt: skip
    assert {name for (name,) in keys} == set(written)
    analysed = ask(
        dsn, "select reltuples::bigint from pg_class where relname = 'resident_registry'"
    )
    assert analysed == [(written["resident_registry"],)]


def test_texts_and_dates_are_the_same_there(dsn: str, city: City) -> None:
    write_postgresql(city, dsn, schema="same", tables=["resident_registry"])

    sql = """select resident_no, family_name, birth_date, address_building, updated_at::varchar
        from {} order by resident_no limit 200"""
    there = ask(dsn, sql.format("same.resident_registry"))
    assert there == city.connection.execute(sql.format("resident_registry")).fetchall()


def test_chosen_tables_can_be_unlogged_and_receiving_ones_are_empty(dsn: str, city: City) -> None:
    write_postgresql(
        city, dsn, schema="fast", unlogged=True, tables=["consents", "notice_attributes"]
    )

    kinds = ask(
        dsn,
        """select relname, relpersistence::text from pg_class
            join pg_namespace n on n.oid = relnamespace
        where nspname = 'fast' and relkind = 'r' order by 1""",
    )
    assert kinds == [("consents", "u"), ("notice_attributes", "u")]
    assert ask(dsn, "select count(*) from fast.notice_attributes") == [(0,)]
    columns = ask(dsn, "select count(*) from information_schema.columns"
                  " where table_schema = 'fast' and table_name = 'notice_attributes'")  # fmt: skip
    assert columns == [(len(TABLES["notice_attributes"].columns),)]


def test_writing_again_replaces_what_was_there(dsn: str, city: City) -> None:
    for _ in range(2):
        assert write_postgresql(city, dsn, tables=["child_allowance"])["child_allowance"] > 0


def test_settings_reach_the_server_and_data_stay_in_a_long_folder(tmp_path: Path) -> None:
    folder = tmp_path / ("とても長い名前のフォルダ" * 3) / "data"
    for _ in range(2):
        with running(folder, {"work_mem": "7MB"}) as uri:
            assert ask(uri, "select current_setting('work_mem')") == [("7MB",)]
    assert (folder / "PG_VERSION").exists()


def test_the_server_ends_with_a_process_that_is_killed() -> None:
    script = (
        "import os, signal\n"
        "from kumobashi.testing.postgresql import running\n"
        "with running() as uri:\n"
        "    print(uri, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    with TemporaryDirectory(ignore_cleanup_errors=True) as short:  # a socket's path has 107 bytes
        died = subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "TMPDIR": short},
        )
        folder = died.stdout.strip().partition("host=")[2]
        assert folder, died.stderr[-500:]
        servers = [
            process
            for process in psutil.process_iter(["cmdline"])
            if folder in (process.info["cmdline"] or [])
        ]
        _, alive = psutil.wait_procs(servers, timeout=10)
        assert alive == []
