"""Open the tables of a system as the workspace describes them."""

from pathlib import Path

from kumobashi.catalogue.layouts import Layouts
from kumobashi.conversion.dropping import FileName
from kumobashi.conversion.folder_reading import FileTable
from kumobashi.conversion.folder_tables import FolderTables
from kumobashi.conversion.jobs.cloud import Cloud
from kumobashi.conversion.jobs.jobs_tables import JobsTables
from kumobashi.conversion.jobs.pieces import Limits
from kumobashi.conversion.records import RecordField, Records
from kumobashi.conversion.remote.object_storage import ObjectStorage
from kumobashi.conversion.remote.places import RemotePlace
from kumobashi.conversion.remote.remote_tables import RemoteTables, Rooms, Rules
from kumobashi.conversion.remote.sftp import SftpPlace
from kumobashi.conversion.taking import DropFolder
from kumobashi.directory.models import SystemFile
from kumobashi.directory.store_models import (
    DuckDbStore,
    FolderStore,
    JobsStore,
    ObjectStore,
    PostgresqlStore,
    RecordsEntry,
    RemoteStore,
    SftpStore,
)
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
        case RemoteStore() as store:
            return _remote_tables(folder, system, store, layouts)
        case PostgresqlStore() as store:
            dsn = secret(folder, store.dsn)
            return PostgreSQLTables(system.system, dsn, store.db_schema, name=system.name)
        case JobsStore() as store:
            return _jobs_tables(folder, system, store, layouts)
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


def _remote_tables(
    folder: Path, system: SystemFile, store: RemoteStore, layouts: Layouts
) -> RemoteTables:
    private = folder / "var" / system.site / "data" / f"{system.system}.files"
    rooms = Rooms(private=private, inbox=private / "inbox", outbox=private / "outbox")
    tables = file_tables(system, layouts)

    def local(room: Path) -> FolderTables:
        drop = DropFolder(
            system=system.system,
            name=system.name,
            folder=room,
            kept=private / "taken",
            complete=store.complete,
            quiet_seconds=0.0,  # what lies there is whole
            keep_days=store.keep_days,
        )
        is_corrected = store.corrections == "apply"
        return FolderTables(
            drop, tables, private=private, charset=store.charset, is_corrected=is_corrected
        )

    return RemoteTables(
        remote_place(folder, system, store),
        reader=local(rooms.inbox),
        writer=local(rooms.outbox),
        rooms=rooms,
        rules=Rules(
            patterns=[FileName(table.pattern) for table in tables.values()],
            has_done_marks=store.complete == "done",
            quiet_seconds=store.quiet_seconds,
            removes_taken=store.taken == "remove",
        ),
    )


def _jobs_tables(
    folder: Path, system: SystemFile, store: JobsStore, layouts: Layouts
) -> JobsTables:
    return JobsTables(
        jobs_cloud(folder, system, store),
        file_tables(system, layouts),
        private=folder / "var" / system.site / "data" / f"{system.system}.jobs",
        limits=Limits(**store.limits.model_dump()),
    )


def jobs_cloud(folder: Path, system: SystemFile, store: JobsStore) -> Cloud:
    """Return the cloud of a system; raise ``SecretMissing``."""
    return Cloud(
        system=system.system,
        name=system.name,
        url=store.url,
        token_url=store.token_url,
        client_id=secret(folder, store.client_id),
        client_secret=secret(folder, store.client_secret),
        patience_seconds=store.patience_seconds,
    )


def remote_place(folder: Path, system: SystemFile, store: RemoteStore) -> RemotePlace:
    """Return where a system's files lie; raise ``SecretMissing``."""
    match store:
        case ObjectStore():
            return ObjectStorage(
                system=system.system,
                name=system.name,
                endpoint=store.endpoint,
                bucket=store.bucket,
                prefix=store.prefix,
                region=store.region,
                key_id=secret(folder, store.key_id),
                secret_key=secret(folder, store.secret_key),
            )
        case SftpStore():
            return SftpPlace(
                system=system.system,
                name=system.name,
                host=store.host,
                port=store.port,
                user=store.user,
                folder=store.folder,
                host_key=store.host_key,
                key=secret(folder, store.key) + "\n",
            )
        case _:
            raise LookupError(f"{system.system} has files of an unknown kind")


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
