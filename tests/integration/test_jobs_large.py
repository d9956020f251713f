"""400,000 rows to a cloud of jobs and back: how long, and in how much memory.

``pytest -s tests/integration/test_jobs_large.py`` prints the figures of the how-to.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kumobashi.testing.jobs_cloud.running import jobs_cloud
from tests.integration.test_jobs_tables import SETTINGS

pytestmark = pytest.mark.slow
ROWS = 400_000
PROGRAM = """
import json, resource, sys, time
from dataclasses import replace
from pathlib import Path
from kumobashi.conversion.folder_reading import FileTable
from kumobashi.conversion.jobs.jobs_tables import JobsTables
from kumobashi.conversion.jobs.cloud import Cloud
from kumobashi.storage.tables import Query
from tests.integration.test_jobs_tables import LAYOUT, load

url, secret, rows = sys.argv[1], sys.argv[2], int(sys.argv[3])
cloud = Cloud(system="there", name="-", url=url, token_url=url + "/token", client_id="kumobashi",
              client_secret=secret, patience_seconds=600)
store = JobsTables(cloud, {"t": FileTable(layout=LAYOUT, pattern="-")}, private=Path("private"))
one = load([])
one.connection.execute("set memory_limit = '256MB'; set threads = 2")
one.connection.execute(
    "insert into incoming_rows select lpad(range::varchar, 10, '0'), '架空 ' || range,"
    f" date '2001-12-31' from range({rows})")
most = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
before, start = most(), time.monotonic()
done = store.apply(replace(one, rows=rows))
given, after = time.monotonic() - start, most()
start = time.monotonic()
with store.reading() as reader:
    read = reader.count(Query("t", ("key",)))
print(json.dumps({"rows": done.total, "read": read, "seconds_given": round(given, 1),
    "seconds_read": round(time.monotonic() - start, 1), "mib_more": after - before}))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no resource")
def test_a_whole_city_goes_there_and_back_in_bounded_memory(tmp_path: Path) -> None:
    with jobs_cloud(tmp_path / "cloud", SETTINGS) as cloud:
        there = cloud.cloud()
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, there.url, there.client_secret, str(ROWS)],
            cwd=tmp_path, capture_output=True, text=True, check=True, timeout=500,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, str(Path.cwd())])},
        )  # fmt: skip

    figures = json.loads(done.stdout)
    sys.stdout.write(f"{figures}\n")
    assert (figures["rows"], figures["read"]) == (ROWS, ROWS)
    assert figures["mib_more"] < 200
