"""``dlt`` as people use it: one table from PostgreSQL to PostgreSQL, with its Arrow backend.

A process of its own: ``python -m …bench.dlt_peer SOURCE TARGET TABLE FOLDER`` prints the seconds
that the pipeline ran, without the start of the interpreter.
"""

import os
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

from kumobashi.testing.bench.errors import PipelineFailed


def copy_table(source: str, target: str, table: str, folder: Path) -> float:
    """Let dlt copy a table, in a process of its own; return the seconds.

    Raises:
        PipelineFailed: dlt gave up.
    """
    command = [sys.executable, "-W", "ignore", "-m", "kumobashi.testing.bench.dlt_peer"]
    told = {**os.environ, "RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR"}
    done = subprocess.run(  # noqa: S603 - our own words
        [*command, source, target, table, str(folder)],
        env=told,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise PipelineFailed(way="dlt", says=done.stderr[-500:])
    return float(done.stdout.split()[-1])


def main(source: str, target: str, table: str, folder: str) -> None:
    """Run the pipeline and print the seconds."""
    import dlt  # noqa: PLC0415 - only in the environment of the benchmark
    from dlt.destinations import postgres  # noqa: PLC0415 - likewise
    from dlt.sources.sql_database import sql_table  # noqa: PLC0415 - likewise

    began = time.perf_counter()
    # SQLAlchemy 2.1 would choose psycopg; dlt brings psycopg2.
    credentials = source.replace("postgresql://", "postgresql+psycopg2://", 1)
    rows = sql_table(
        credentials=credentials,
        table=table,
        schema="public",
        backend="pyarrow",
        chunk_size=100_000,
    )
    pipeline = dlt.pipeline(
        pipeline_name="bench",
        pipelines_dir=folder,
        destination=postgres(credentials=_credentials(target)),
        dataset_name="dlt_bench",
    )
    # CSV is loaded by COPY; it is the fastest that dlt offers for this destination.
    pipeline.run(rows, write_disposition="replace", loader_file_format="csv")
    print(time.perf_counter() - began)  # noqa: T201 - this is the output


def _credentials(dsn: str) -> dict[str, object]:
    """Return a UNIX socket's address in dlt's words; it insists on a host and a password.

    >>> _credentials("postgresql://postgres:@/cloud?host=/tmp/pg")["host"]
    '%2Ftmp%2Fpg'
    """
    parts = urlsplit(dsn)
    return {
        "drivername": "postgresql",
        "database": parts.path.lstrip("/"),
        "username": parts.username,
        "password": parts.password or "unused",
        "host": quote(parse_qs(parts.query)["host"][0], safe=""),
        "port": parts.port or 5432,
    }


if __name__ == "__main__":
    main(*sys.argv[1:5])
