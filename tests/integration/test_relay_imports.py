"""A relay carries what it cannot read, and does not load what it could read it with."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kumobashi.planning.sampling import write_sample
from kumobashi.testing.postgresql import application_database, running

_STARTS = """
import asyncio, json, sys
from pathlib import Path
from kumobashi.service.app import application
from kumobashi.service.gateway import Gateway
from kumobashi.service.settings import read_settings

async def main():
    gateway = Gateway(read_settings(Path(sys.argv[1]), sys.argv[2]))
    application(gateway)
    gateway.start()
    await asyncio.sleep(0.1)
    await gateway.aclose()

asyncio.run(main())
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""
HEAVY = {"duckdb", "pyarrow", "numpy", "adbc_driver_manager", "adbc_driver_postgresql"}
DRIVERS = {"asyncpg", "greenlet"}  # of a state in PostgreSQL, for those who asked for it


@pytest.mark.parametrize("site", ["hall-exchange", "asp-relay"])
def test_a_relay_loads_no_engine_for_tables(tmp_path: Path, site: str) -> None:
    write_sample(tmp_path / "w")

    done = subprocess.run(
        [sys.executable, "-c", _STARTS, str(tmp_path / "w"), site],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )

    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert "kumobashi" in loaded
    assert loaded & (HEAVY | DRIVERS) == set()


@pytest.mark.slow
@pytest.mark.postgres
def test_a_relay_with_its_state_in_postgresql_loads_the_driver_and_nothing_more(
    tmp_path: Path,
) -> None:
    write_sample(tmp_path / "w")
    with running(settings={"shared_buffers": "32MB"}) as server:
        dsn = application_database(server, "relay")
        done = subprocess.run(
            [sys.executable, "-c", _STARTS, str(tmp_path / "w"), "asp-relay"],
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
            env={**os.environ, "KUMO_STATE": "env:RELAY_STATE", "RELAY_STATE": dsn},
        )

    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert "asyncpg" in loaded
    assert loaded & HEAVY == set()
