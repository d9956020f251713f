"""``kumobashi partner``: stand up a partner that does not exist yet, to test a link with."""

import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kumobashi.cli.command import Group, command, option
from kumobashi.cli.errors import PartnerThere, PartnerUnknown, PartnerUnreachable
from kumobashi.cli.exits import Exit
from kumobashi.cli.terminal import Terminal

if TYPE_CHECKING:
    from datetime import date
    from typing import Literal

    from kumobashi.conversion.records import Records
    from kumobashi.directory.models import SystemFile
    from kumobashi.planning.workspace import Workspace
    from kumobashi.testing.partners import Fetched, Offered

_LOOK_EVERY_SECONDS = 1.0

partner = Group(
    "partner",
    ja="まだない相手の代わりを立てて、連携を試します。",
    en="Stand up partners that do not exist yet, to test links with.",
    example="kumobashi partner fake vaccination",
)


@command(
    "fake",
    ja="相手の代わりになります。出す側なら架空市の住民の表やファイルを置き、受ける側なら届いた\n"
    "ファイルを引き取って読みます。サイトの名前なら、そのゲートウェイ（中継も）を動かします。",
    en="Be a partner: put tables or files of the fictional city where a source has them, fetch\n"
    "and read what was delivered to a receiver; for a site, run its gateway, a relay's too.",
    example="kumobashi partner fake vaccination --residents 3000",
)
@click.argument("name", metavar="SYSTEM")
@option(
    "--residents",
    type=click.IntRange(100, 4_000_000),
    default=3_000,
    show_default=True,
    metavar="N",
    ja="架空の住民の数",
    en="How many fictional residents",
)
@option("--seed", type=int, default=1, show_default=True, metavar="S", ja="種", en="Seed")
@option(
    "--date",
    "on",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    ja="ファイル名の業務日付（既定: 今日）",
    en="The business date in file names (default: today)",
)
@option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    ja="置く、または引き取るフォルダ（既定: 連携設定のとおり）",
    en="Where to put or fetch files (default: as the workspace says)",
)
@option(
    "--port",
    type=click.IntRange(1, 65_535),
    metavar="PORT",
    ja="サイトのゲートウェイの待ち受け（既定: url のとおり）",
    en="Where a site's gateway listens (default: its url)",
)
@option(
    "--watch",
    is_flag=True,
    ja="Ctrl-C まで、届くファイルを引き取り続ける",
    en="Go on fetching what is delivered until Ctrl-C",
)
def fake(
    terminal: Terminal,
    *,
    name: str,
    residents: int,
    seed: int,
    on: datetime | None,
    folder: Path | None,
    port: int | None,
    watch: bool,
) -> Exit:
    """Be one partner."""
    from kumobashi.kernel import SystemClock, business_date

    workspace = terminal.workspace()
    if name in workspace.sites:
        return _serve(terminal, workspace, name, port)
    if name not in workspace.systems:
        known = ", ".join([*sorted(workspace.systems), *sorted(workspace.sites)])
        raise PartnerUnknown(name=name, known=known)
    system = workspace.systems[name]
    partner_ = _Partner(terminal, workspace, system, folder)
    day = on.date() if on else business_date(SystemClock().now())
    try:
        offered = partner_.offer(residents, seed, day)
    except FileExistsError as error:
        raise PartnerThere(place=error.args[0]) from None
    fetched = partner_.fetch()
    if terminal.as_json:
        terminal.emit(_as_json(name, offered, fetched))
    else:
        partner_.tell(offered, fetched)
    while watch:
        time.sleep(_LOOK_EVERY_SECONDS)
        if more := partner_.fetch():
            partner_.tell([], more)
    return Exit.RED if any(one.findings for one in fetched) else Exit.OK


class _Partner:
    """A system of the workspace, and where its tables or files are."""

    def __init__(
        self, terminal: Terminal, workspace: "Workspace", system: "SystemFile", wish: Path | None
    ) -> None:
        from kumobashi.directory.store_models import DuckDbStore, FolderStore
        from kumobashi.service.stores import default_path, file_tables, folder_of

        self._terminal = terminal
        self._system = system
        self._tables = file_tables(system, workspace.layouts)
        self._folder: Path | None = None
        self._store = system.store
        match system.store:
            case FolderStore() as store:
                self._folder = wish or folder_of(workspace.folder, system, store)
            case DuckDbStore(path=path):
                self._place = workspace.folder / (path or default_path(system))
                self._folder = wish
            case _:
                raise PartnerUnreachable(system=system.system)
        taken = {
            system.datasets[link.to.dataset].table
            for link in workspace.links.values()
            if link.to.system == system.system
        }
        self._received = [(t, held) for t, held in self._tables.items() if t in taken]
        self._given = [(t, held) for t, held in self._tables.items() if t not in taken]

    def offer(self, residents: int, seed: int, day: "date") -> "list[Offered]":
        """Write what the system offers."""
        from kumobashi.cli.city import need_packages
        from kumobashi.directory.store_models import FolderStore
        from kumobashi.testing.city import build
        from kumobashi.testing.partners import offer

        if not self._given:
            return []
        need_packages()
        store = self._store if isinstance(self._store, FolderStore) else None
        with build(residents, seed) as city:
            return offer(
                city,
                self._given,
                self._folder or self._place,
                on=day,
                charset=store.charset if store else "utf-8-bom",
                is_folder=self._folder is not None,
                done_mark=bool(store and store.complete == "done"),
            )

    def fetch(self) -> "list[Fetched]":
        """Take what was delivered."""
        from kumobashi.testing.partners import fetch

        if self._folder is None or not self._folder.is_dir():
            return []
        return fetch(self._received, self._folder)

    def tell(self, offered: "list[Offered]", fetched: "list[Fetched]") -> None:
        """Say what was done."""
        t, out = self._terminal.t, self._terminal.out
        for one in offered:
            said = t(
                f"置きました: {one.place.name}（{one.table}、{one.rows:,} 行）",
                f"Put: {one.place.name} ({one.table}, {one.rows:,} rows)",
            )
            out.print(said, soft_wrap=True)
        for got in fetched:
            said = t(
                f"引き取りました: {got.file}（{got.table}、{got.rows:,} 行、"
                f"指摘 {got.findings:,} 件）",
                f"Fetched: {got.file} ({got.table}, {got.rows:,} rows, {got.findings:,} findings)",
            )
            out.print(said, soft_wrap=True)
        if not offered and not fetched and not self._given:
            out.print(t("届いたファイルはまだありません。", "Nothing has been delivered yet."))


def _as_json(name: str, offered: "list[Offered]", fetched: "list[Fetched]") -> dict[str, object]:
    return {
        "system": name,
        "offered": [
            {"table": one.table, "file": one.place.name, "rows": one.rows} for one in offered
        ],
        "fetched": [
            {"table": got.table, "file": got.file, "rows": got.rows, "findings": got.findings}
            for got in fetched
        ],
    }


def _serve(terminal: Terminal, workspace: "Workspace", site: str, port: int | None) -> Exit:
    """Run the real gateway of a partner's site: a cloud that receives, or a relay."""
    import asyncio
    import sys
    from dataclasses import replace

    from kumobashi.observe.logs import log_to_stderr
    from kumobashi.service.app import serve
    from kumobashi.service.settings import read_settings

    log_to_stderr(site=site)

    def ready(url: str) -> None:
        if terminal.as_json:
            terminal.emit({"site": site, "url": url})
        else:
            said = terminal.t(f"{site} の代わりが動いています: {url}", f"{site} stands at {url}")
            terminal.out.print(said, soft_wrap=True)
        sys.stdout.flush()

    settings = read_settings(workspace.folder, site)
    asyncio.run(serve(replace(settings, port=port or settings.port), ready))
    return Exit.OK


@command(
    "records",
    ja="固定長でやり取りするホストのために、レイアウトどおりの桁の切り方（records）を書き出します。",
    en="Write how records of a host could be cut (records), from a system's layouts.",
    example="kumobashi partner records nhi --charset ibm930",
)
@click.argument("system", metavar="SYSTEM")
@option(
    "--charset",
    type=click.Choice(["cp932", "ibm930", "ibm939"]),
    default="ibm930",
    show_default=True,
    ja="文字コード",
    en="The charset",
)
def records(
    terminal: Terminal, *, system: str, charset: 'Literal["cp932", "ibm930", "ibm939"]'
) -> Exit:
    """Write the records of one system."""
    from kumobashi.service.stores import file_tables
    from kumobashi.testing.partners.host_files import records_for

    workspace = terminal.workspace()
    if system not in workspace.systems:
        raise PartnerUnknown(name=system, known=", ".join(sorted(workspace.systems)))
    found = {
        table: records_for(held.layout, charset)
        for table, held in file_tables(workspace.systems[system], workspace.layouts).items()
    }
    if terminal.as_json:
        terminal.emit({table: _records_json(held) for table, held in found.items()})
        return Exit.OK
    for table, held in found.items():
        lines = [f"# {table}", "records:", f"  charset: {held.charset}", f"  length: {held.length}"]
        lines.append("  items:")
        lines += [
            f"    - {{name: {f.name}, offset: {f.offset}, length: {f.length}, kind: {f.kind}}}"
            for f in held.fields
        ]
        terminal.out.print("\n".join(lines), soft_wrap=True, markup=False, highlight=False)
    return Exit.OK


def _records_json(held: "Records") -> dict[str, object]:
    items = [
        {"name": f.name, "offset": f.offset, "length": f.length, "kind": f.kind}
        for f in held.fields
    ]
    return {"charset": held.charset, "length": held.length, "items": items}


for _command in (fake, records):
    partner.add_command(_command)
