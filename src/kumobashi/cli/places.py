"""``kumobashi system try``: whether a system's files elsewhere can be listed, put and taken."""

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

_FIRST, _OTHER = b"kumobashi\n", b"kumobashi again\n"


@command(
    "try",
    ja="システムのファイルの置き場所（オブジェクトストレージ、SFTP）に実際につなぎ、一覧できること、\n"
    "書いて読めること、上書きが断られることを確かめます。書くのは小さなファイル1つで、消します。",
    en="Connect to where a system's files lie (object storage, SFTP): see that they can be\n"
    "listed, written and read, and nothing is overwritten. Writes one small file, and removes it.",
    example="kumobashi system try allowance-desk",
)
@click.argument("name", metavar="SYSTEM")
@option("--read-only", is_flag=True, ja="一覧だけ。何も書かない", en="List only; write nothing")
def try_place(terminal: Terminal, *, name: str, read_only: bool) -> Exit:
    """Try a place of files."""
    from kumobashi.directory.store_models import RemoteStore
    from kumobashi.service.stores import remote_place

    workspace = terminal.workspace()
    system = workspace.systems.get(name)
    if system is None or not isinstance(system.store, RemoteStore):
        of_files = [n for n, s in workspace.systems.items() if isinstance(s.store, RemoteStore)]
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
