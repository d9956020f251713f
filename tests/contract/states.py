"""Every store of state, fresh for each test: SQLite's file, and a database of a real PostgreSQL."""

from collections.abc import Callable
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path

from kumobashi.kernel import new_id
from kumobashi.storage.postgresql import PostgreSQLState
from kumobashi.storage.sqlite import SQLiteState
from kumobashi.storage.state import StateStore
from kumobashi.testing.postgresql import application_database, running

KINDS = ["sqlite", "postgresql"]
TENANT = "999997"


class States:
    """Opens stores of one kind; the server is started when the first one asks for it."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack

    @cached_property
    def server(self) -> str:
        """The address of a server, as its superuser."""
        settings = {"shared_buffers": "32MB", "max_connections": "100"}
        return self._stack.enter_context(running(settings=settings))

    def database(self) -> str:
        """Return the address of a new database, as the role of a gateway."""
        return application_database(self.server, f"s{new_id().replace('-', '')}")

    def opener(self, kind: str, folder: Path) -> Callable[[], StateStore]:
        """Return how to open one store, again and again."""
        if kind == "sqlite":
            return lambda: SQLiteState(folder / "state.db", owner="here")
        dsn = self.database()
        return lambda: PostgreSQLState(dsn, tenant=TENANT, patience_seconds=15)
