"""``kumobashi work``: a process that sends and takes in for a site, apart from its gateway."""

import sys
from pathlib import Path

import click

from kumobashi.cli.command import command, option
from kumobashi.cli.serve import log_to
from kumobashi.cli.terminal import Terminal


@command(
    "work",
    ja="サイトの転送と取込だけをします。状態が PostgreSQL なら、いくつでも並べられます。",
    en="Send and take in for a site without serving; any number may run on a state in PostgreSQL.",
    example="kumobashi work --site hall-core --state file:private/hall-core/state.dsn",
)
@option(
    "--site",
    required=True,
    metavar="SITE",
    ja="サイトの名前（sites/ の下）",
    en="The site, as in sites/",
)
@option(
    "--state",
    metavar="REF",
    ja="状態を置く PostgreSQL の接続文字列のありか（file:… か env:…。既定: サイトのファイル）",
    en="Where the address of the state's PostgreSQL is kept (file:… or env:…; default: site file)",
)
@option(
    "--log-file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    ja="記録（1行1件の JSON）の書き先（既定: 標準エラー出力）",
    en="Where the log goes, one JSON object a line (default: standard error)",
)
def work(terminal: Terminal, site: str, state: str | None, log_file: Path | None) -> None:
    """Work until told to stop."""
    from kumobashi.service.app import work as work_for
    from kumobashi.service.loops import run
    from kumobashi.service.settings import read_settings

    log_to(log_file, site)

    def ready() -> None:
        if terminal.as_json:
            terminal.emit({"site": site, "works": True})
        else:
            terminal.out.print(terminal.t(f"{site} の処理をしています", f"working for {site}"))
        sys.stdout.flush()

    settings = read_settings(terminal.folder, site, state=state, works=True)
    run(work_for(settings, ready))
