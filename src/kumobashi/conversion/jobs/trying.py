"""Try a cloud of jobs before it is used: read the keys, make a job and stop it."""

import tempfile
from pathlib import Path

from kumobashi.catalogue.fields import Layout
from kumobashi.conversion.jobs.asking import ask_rows
from kumobashi.conversion.jobs.cloud import Cloud, Session
from kumobashi.conversion.jobs.giving import ID
from kumobashi.conversion.jobs.ingest import IngestJobs
from kumobashi.conversion.jobs.keys import Key


def count_rows(cloud: Cloud, table: str, layout: Layout) -> int:
    """Return how many rows a table has, by a query job for their keys.

    Raises:
        JobEnded: the cloud has no such table, or no such column.
        CloudAway, CloudLimit, CloudRefuses, JobUnderWay
    """
    with tempfile.TemporaryDirectory() as room:
        columns = (ID, Key(layout.key).name)
        return ask_rows(Session(cloud), table, columns, Path(room) / "keys.csv")


def try_ingest(cloud: Cloud, table: str, layout: Layout) -> None:
    """Make an ingest job and stop it with nothing in it; raises as :func:`count_rows` does."""
    jobs = IngestJobs(Session(cloud), table, Key(layout.key))
    jobs.abort(jobs.create("upsert").id)
