"""Open the tables of a system as the workspace describes them."""

from pathlib import Path

from kumobashi.catalogue.layouts import Layouts
from kumobashi.conversion.folder_reading import FileTable
from kumobashi.conversion.folder_tables import FolderTables
from kumobashi.conversion.records import RecordField, Records
from kumobashi.conversion.taking import DropFolder
from kumobashi.directory.models import SystemFile
from kumobashi.directory.store_models import DuckDbStore, FolderStore, PostgresqlStore, RecordsEntry
from kumobashi.service.secrets import secret
from kumobashi.storage.duckdb_tables import DuckDBTables
from kumobashi.storage.postgresql_tables import PostgreSQLTables
from kumobashi.storage.tables import TableStore


def open_store(folder: Path, system: SystemFile, layouts: Layouts) -> TableStore:
    """Return the tables of ``system``; nothing is connected before it is used.

    Raises:
        SecretMissing: the reference to the connection string leads nowhere.
    """
    match system.store:
        case DuckDbStore(path=path):
            file = folder / (path or default_path(system))
            return DuckDBTables(system.system, file, name=system.name)
        case FolderStore() as store:
            return _folder_tables(folder, system, store, layouts)
        case PostgresqlStore() as store:
            dsn = secret(folder, store.dsn)
            return PostgreSQLTables(system.system, dsn, store.db_schema, name=system.name)
        case None:  # a file with datasets is not read without a store
            raise LookupError(f"{system.system} offers services alone and has no store")


def folder_of(folder: Path, system: SystemFile, store: FolderStore) -> Path:
    """Return where a system's files are dropped and fetched; its own default is made."""
    if store.path is not None:
        return folder / store.path
    path = folder / "var" / system.site / "files" / system.system
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path


def file_tables(system: SystemFile, layouts: Layouts) -> dict[str, FileTable]:
    """Return each table of a system of files: its layout, its name and how it is cut."""
    return {
        dataset.table: FileTable(
            layout=layouts.get(dataset.layout, dataset.version),
            pattern=dataset.file or f"{dataset.table}_{{date}}.csv",
            records=records_of(dataset.records) if dataset.records else None,
        )
        for dataset in system.datasets.values()
    }


def _folder_tables(
    folder: Path, system: SystemFile, store: FolderStore, layouts: Layouts
) -> FolderTables:
    private = folder / "var" / system.site / "data" / f"{system.system}.files"
    drop = DropFolder(
        system=system.system,
        name=system.name,
        folder=folder_of(folder, system, store),
        kept=private / "taken",
        complete=store.complete,
        quiet_seconds=store.quiet_seconds,
        keep_days=store.keep_days,
    )
    tables = file_tables(system, layouts)
    return FolderTables(
        drop,
        tables,
        private=private,
        charset=store.charset,
        is_corrected=store.corrections == "apply",
    )


def records_of(entry: RecordsEntry) -> Records:
    """Return how records are cut."""
    return Records(
        charset=entry.charset,
        length=entry.length,
        ends_with=entry.ends_with,
        fields=tuple(
            RecordField(item.name, item.offset, item.length, item.kind) for item in entry.items
        ),
    )


def default_path(system: SystemFile) -> Path:
    """Return where an embedded system keeps its file, relative to the workspace."""
    return Path("var") / system.site / "data" / f"{system.system}.duckdb"
