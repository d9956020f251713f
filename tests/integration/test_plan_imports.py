"""A dry run that counts nothing starts in a moment: it loads no engine for tables."""

import json
import subprocess
import sys
from pathlib import Path

from kumobashi.planning.sampling import write_sample

_PLANS = """
import json, sys
from kumobashi.cli.entry import root
try:
    root.main(["--workspace", sys.argv[1], "plan", "--json"])
except SystemExit as done:
    code = done.code
print(json.dumps([code, sorted({name.partition(".")[0] for name in sys.modules})]))
"""
HEAVY = {"duckdb", "pyarrow", "numpy", "adbc_driver_manager", "asyncpg", "sqlalchemy"}


def test_planning_all_links_loads_no_engine_for_tables(tmp_path: Path) -> None:
    write_sample(tmp_path / "w")

    done = subprocess.run(
        [sys.executable, "-c", _PLANS, str(tmp_path / "w")],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )

    code, loaded = json.loads(done.stdout.splitlines()[-1])
    assert code == 2  # one link of the sample has no legal basis
    assert set(loaded) & HEAVY == set()
