"""Open the tables of a system as the workspace describes them."""

from pathlib import Path

from kumobashi.directory.models import DuckDbStore, SystemFile
from kumobashi.service.secrets import secret
from kumobashi.storage.duckdb_tables import DuckDBTables
from kumobashi.storage.postgresql_tables import PostgreSQLTables
from kumobashi.storage.tables import TableStore


def open_store(folder: Path, system: SystemFile) -> TableStore:
    """Return the tables of ``system``; nothing is connected before it is used.

    Raises:
        SecretMissing: the reference to the connection string leads nowhere.
    """
    match system.store:
        case DuckDbStore(path=path):
            file = folder / (path or default_path(system))
            return DuckDBTables(system.system, file, name=system.name)
        case store:
            dsn = secret(folder, store.dsn)
            return PostgreSQLTables(system.system, dsn, store.db_schema, name=system.name)


def default_path(system: SystemFile) -> Path:
    """Return where an embedded system keeps its file, relative to the workspace."""
    return Path("var") / system.site / "data" / f"{system.system}.duckdb"
