"""Files on a file server as tables: odd clocks, two readers at once, names that others have."""

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import duckdb
import pytest

from kumobashi.catalogue.fields import Field
from kumobashi.catalogue.layouts import load_layouts
from kumobashi.conversion.dropping import FileName
from kumobashi.conversion.folder_reading import FileTable
from kumobashi.conversion.folder_tables import FolderTables
from kumobashi.conversion.remote.errors import NameTaken
from kumobashi.conversion.remote.remote_tables import RemoteTables, Rooms, Rules
from kumobashi.conversion.taking import DropFolder
from kumobashi.kernel import new_id
from kumobashi.storage.errors import FileAwaited, FolderUnreachable
from kumobashi.storage.tables import ColumnSpec, Load, Query, Removal
from tests.peers.file_server import FileServer, file_server

pytestmark = pytest.mark.slow
DAY = date(2026, 11, 21)
LAYOUT = replace(
    load_layouts().get("insured-residents", "1"),
    layout="some",
    key=("key",),
    fields=tuple(
        Field(
            name=name, ja=f"項目 {name}", item_id=None, type="N", digits=20, code_list=None,
            required=False, sensitivity="personal",
        )
        for name in ("key", "name")
    ),
)  # fmt: skip
NAME = f"t_{DAY:%Y%m%d}.csv"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FileServer]:
    with file_server(tmp_path_factory.mktemp("sftp")) as running:
        yield running


@dataclass
class Desk:
    """The tables, and the folder as its owner sees it."""

    tables: RemoteTables
    folder: Path
    private: Path

    def give(self, *, name: str = NAME, seconds_ahead: float = -60.0) -> Path:
        path = self.folder / name
        path.write_text(",".join(field.ja for field in LAYOUT.fields) + "\n", encoding="utf-8")
        at = time.time() + seconds_ahead
        os.utime(path, (at, at))
        return path

    def read(self) -> int:
        with self.tables.reading(DAY) as reader:
            return reader.count(Query("t", (LAYOUT.names[0],)))


@pytest.fixture
def desk(server: FileServer, tmp_path: Path) -> Desk:
    name = new_id()
    place = server.below(name)
    rooms = Rooms(private=tmp_path, inbox=tmp_path / "inbox", outbox=tmp_path / "outbox")
    files = {"t": FileTable(layout=LAYOUT, pattern="t_{date}*.csv")}

    def local(room: Path, pattern: str) -> FolderTables:
        drop = DropFolder(
            system="there", name="あちら", folder=room, kept=tmp_path / "taken", quiet_seconds=0.0
        )
        held = {"t": replace(files["t"], pattern=pattern)}
        return FolderTables(drop, held, private=tmp_path)

    tables = RemoteTables(
        place,
        reader=local(rooms.inbox, "t_{date}*.csv"),
        writer=local(rooms.outbox, "t_{date}_{sequence}.csv"),
        rooms=rooms,
        rules=Rules(patterns=[FileName("t_{date}*.csv")], quiet_seconds=0.5),
    )
    return Desk(tables, server.folder / name, tmp_path)


def test_a_server_whose_clock_is_ahead_is_read_when_its_file_rests(desk: Desk) -> None:
    path = desk.give(seconds_ahead=86_400)
    with pytest.raises(FileAwaited):
        desk.read()
    with path.open("a", encoding="utf-8") as growing:
        growing.write("\n")
    os.utime(path, (time.time() + 86_401, time.time() + 86_401))
    time.sleep(0.6)
    with pytest.raises(FileAwaited):  # it is another one than before
        desk.read()
    time.sleep(0.6)

    assert desk.read() == 0


def test_two_readers_at_once_fetch_it_once(desk: Desk) -> None:
    desk.give()
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: desk.read(), range(4)))

    assert found == [0, 0, 0, 0]
    assert list(desk.private.glob("fetching-*")) == []


def load(sequence: int, transfer: str) -> Load:
    work = duckdb.connect()
    work.execute("create table incoming_rows as select '1' as key, 'あ' as name")
    work.execute("create table incoming_gone (key varchar)")
    return Load(
        tenant="999997",
        transfer=transfer,
        link="a-link",
        business_date=DAY,
        sequence=sequence,
        mode="full",
        base_transfer=None,
        table="t",
        columns=(ColumnSpec("key", "text", 20), ColumnSpec("name", "text", 20)),
        key=LAYOUT.key,
        rows=1,
        deleted=0,
        connection=work,
        relation="incoming_rows",
        deleted_relation=None,
        before_commit=lambda: None,
    )


def test_another_file_under_an_older_name_stops_no_newer_one(desk: Desk) -> None:
    theirs = desk.folder / f"t_{DAY:%Y%m%d}_1.csv"
    theirs.write_text("theirs", encoding="utf-8")
    first = new_id()
    with pytest.raises(NameTaken):
        desk.tables.apply(load(1, first))

    desk.tables.apply(load(2, new_id()))

    assert (desk.folder / f"t_{DAY:%Y%m%d}_2.csv").exists()
    assert theirs.read_text(encoding="utf-8") == "theirs"
    theirs.unlink()
    desk.tables.apply(load(3, new_id()))
    assert theirs.exists(), "what waited has its name now"


def test_what_is_deleted_leaves_the_server_and_what_others_put_stays(desk: Desk) -> None:
    transfer = new_id()
    desk.tables.apply(load(1, transfer))
    put = desk.folder / f"t_{DAY:%Y%m%d}_1.csv"
    assert put.exists()
    removal = Removal(tenant="999997", transfer=transfer, link="a-link", table="t")

    desk.tables.remove(removal)
    assert not put.exists()

    put.write_text("theirs", encoding="utf-8")
    desk.tables.remove(removal)
    assert put.exists()


def test_a_server_that_is_away_keeps_what_is_to_be_put(desk: Desk) -> None:
    away = replace(desk.tables._place, port=1)  # type: ignore[type-var]
    place, desk.tables._place = desk.tables._place, away
    with pytest.raises(FolderUnreachable):
        desk.tables.apply(load(1, new_id()))
    desk.tables._place = place

    desk.tables.apply(load(2, new_id()))

    assert sorted(path.name for path in desk.folder.iterdir() if path.is_file()) == [
        f"t_{DAY:%Y%m%d}_1.csv",
        f"t_{DAY:%Y%m%d}_2.csv",
    ]
