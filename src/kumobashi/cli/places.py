"""``kumobashi system try``: whether what a system has elsewhere can be read and written."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.text import Text

from kumobashi.cli.command import command, option
from kumobashi.cli.errors import NoFilesElsewhere
from kumobashi.cli.exits import Exit
from kumobashi.cli.terminal import Terminal
from kumobashi.cli.wording import hung

if TYPE_CHECKING:
    from kumobashi.conversion.remote.places import RemotePlace
    from kumobashi.directory.models import SystemFile
    from kumobashi.directory.store_models import JobsStore
    from kumobashi.planning.workspace import Workspace

_FIRST, _OTHER = b"kumobashi\n", b"kumobashi again\n"


@command(
    "try",
    ja="システムのファイルの置き場所（オブジェクトストレージ、SFTP）に実際につなぎ、一覧できること、\n"
    "書いて読めること、上書きが断られることを確かめます。書くのは小さなファイル1つで、消します。\n"
    "ジョブで受け渡すクラウドでは、表の件数を数え、書き込みのジョブを1つ作って中止します。",
    en="Connect to where a system's files lie (object storage, SFTP): see that they can be\n"
    "listed, written and read, and nothing is overwritten. Writes one small file, and removes it.\n"
    "In a cloud of jobs: count the rows of each table, make one ingest job, and stop it.",
    example="kumobashi system try allowance-desk",
)
@click.argument("name", metavar="SYSTEM")
@option("--read-only", is_flag=True, ja="一覧だけ。何も書かない", en="List only; write nothing")
def try_place(terminal: Terminal, *, name: str, read_only: bool) -> Exit:
    """Try a place of files."""
    from kumobashi.directory.store_models import JobsStore, RemoteStore
    from kumobashi.service.stores import remote_place

    workspace = terminal.workspace()
    system = workspace.systems.get(name)
    if system is not None and isinstance(system.store, JobsStore):
        return _try_jobs(terminal, workspace, system, system.store, read_only=read_only)
    if system is None or not isinstance(system.store, RemoteStore):
        kinds = (RemoteStore, JobsStore)
        of_files = [n for n, s in workspace.systems.items() if isinstance(s.store, kinds)]
        raise NoFilesElsewhere(system=name, known="、".join(of_files) or "-")
    place = remote_place(workspace.folder, system, system.store)
    count = _list(place)
    if not read_only:
        _write(place)
    if terminal.as_json:
        terminal.emit({"place": place.label, "files": count, "written": not read_only})
        return Exit.OK
    _say(terminal, f"{place.label} の一覧: {count} ファイル", f"{place.label} has {count} files")
    if not read_only:
        ja = "書いて読め、別の中身の上書きは断られました。試したファイルは消しました"
        _say(terminal, ja, "Written, read, never overwritten; what was written is removed")
    return Exit.OK


def _try_jobs(
    terminal: Terminal,
    workspace: "Workspace",
    system: "SystemFile",
    store: "JobsStore",
    *,
    read_only: bool,
) -> Exit:
    """Ask for the keys of each table by a query job; make one ingest job, and stop it."""
    from kumobashi.conversion.jobs.trying import count_rows, try_ingest
    from kumobashi.service.stores import file_tables, jobs_cloud

    cloud = jobs_cloud(workspace.folder, system, store)
    layouts = {name: held.layout for name, held in file_tables(system, workspace.layouts).items()}
    tables = {name: count_rows(cloud, name, layout) for name, layout in layouts.items()}
    if not read_only:
        for name, layout in layouts.items():
            try_ingest(cloud, name, layout)
    if terminal.as_json:
        terminal.emit({"place": cloud.label, "tables": tables, "written": not read_only})
        return Exit.OK
    for name, rows in tables.items():
        _say(terminal, f"{cloud.label} の {name}: {rows} 件", f"{cloud.label} {name}: {rows} rows")
    if not read_only:
        ja = "書き込みのジョブを作れます。作ったジョブは、何も入れずに中止しました"
        _say(terminal, ja, "An ingest job can be made; it was stopped with nothing in it")
    return Exit.OK


def _list(place: "RemotePlace") -> int:
    with place.opened() as folder:
        return len(folder.listed())


def _write(place: "RemotePlace") -> None:
    """Write a file, try to write another over it, and remove it.

    Raises:
        ConditionIgnored: the second one was taken.
    """
    from kumobashi.conversion.remote.errors import ConditionIgnored, NameTaken
    from kumobashi.kernel import new_id

    name = f"kumobashi-{new_id()}.tmp"  # nobody reads what ends so
    with tempfile.TemporaryDirectory() as room, place.opened() as folder:
        first, other, back = (Path(room) / one for one in ("first", "other", "back"))
        first.write_bytes(_FIRST)
        other.write_bytes(_OTHER)
        folder.put(first, name)
        try:
            listed = next(file for file in folder.listed() if file.name == name)
            folder.fetch(listed, back)
            try:
                folder.put(other, name)
            except NameTaken:
                return
            raise ConditionIgnored(system="-", name="-", place=place.label)
        finally:
            folder.remove(name)


def _say(terminal: Terminal, ja: str, en: str) -> None:
    for line in hung(Text("✓ ", "green"), terminal.t(ja, en), terminal.width):
        terminal.out.print(line, soft_wrap=True)
