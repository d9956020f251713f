"""A small SQLite file that a terminal, a gateway and a watch may have open at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from kumobashi.storage.sqlite import open_engine


class SharedFile:
    """One file with its tables, mode 0600; made when it is first written."""

    def __init__(self, path: Path, tables: sa.MetaData) -> None:
        self.path = path
        self._tables = tables
        self._engine: sa.Engine | None = None

    @property
    def exists(self) -> bool:
        """Whether anything was ever written."""
        return self.path.exists()

    @property
    def engine(self) -> sa.Engine:
        """The open file, made when it is not there."""
        if self._engine is None:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.path.touch(0o600)
            self._engine = open_engine(self.path)
            self._tables.create_all(self._engine)
        return self._engine

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Give a connection that has the right to write from its first word on."""
        with self.engine.connect() as connection:
            # Reading first and writing later would let two requests read the same count.
            connection.exec_driver_sql("rollback")
            connection.exec_driver_sql("begin immediate")
            yield connection
            connection.commit()

    def close(self) -> None:
        """Let go of the file."""
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None
