"""``kumobashi serve``: run the gateway of one site until it is asked to stop."""

import logging
import sys
from pathlib import Path

import click

from kumobashi.cli.command import command, option
from kumobashi.cli.terminal import Terminal


@command(
    "serve",
    ja="1つのサイトのゲートウェイを動かします。Ctrl-C で終わり、次の開始で続きから再開します。",
    en="Run the gateway of one site; Ctrl-C or SIGTERM ends it, the next start goes on.",
    example="kumobashi serve --site hall-core",
)
@option(
    "--site",
    required=True,
    metavar="SITE",
    ja="サイトの名前（sites/ の下）",
    en="The site, as in sites/",
)
@option(
    "--log-file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    ja="記録（1行1件の JSON）の書き先（既定: 標準エラー出力）",
    en="Where the log goes, one JSON object a line (default: standard error)",
)
@option(
    "--training",
    is_flag=True,
    ja="訓練として動かす（架空市だけ。外につながるものがあれば始めない）",
    en="Serve a training: a fictional city, and nothing that leads elsewhere",
)
@option(
    "--state",
    metavar="REF",
    ja="状態を置く PostgreSQL の接続文字列のありか（file:… か env:…。既定: サイトのファイル）",
    en="Where the address of the state's PostgreSQL is kept (file:… or env:…; default: site file)",
)
@option(
    "--no-work",
    is_flag=True,
    ja="受け口だけを動かし、転送の処理は kumobashi work に任せる",
    en="Serve only, and leave transfers to kumobashi work",
)
def serve(
    terminal: Terminal,
    site: str,
    *,
    log_file: Path | None,
    state: str | None,
    no_work: bool,
    training: bool,
) -> None:
    """Serve until told to stop."""
    from kumobashi.service.app import serve as serve_gateway
    from kumobashi.service.loops import run
    from kumobashi.service.settings import read_settings

    log_to(log_file, site)

    def ready(url: str) -> None:
        if terminal.as_json:
            terminal.emit({"site": site, "url": url})
        else:
            said = terminal.t(
                f"{site} のゲートウェイが動いています: {url}", f"{site} serves at {url}"
            )
            terminal.out.print(said, soft_wrap=True)
        sys.stdout.flush()

    settings = read_settings(
        terminal.folder,
        site,
        state=state,
        works=False if no_work else None,
        is_training=training,
    )
    run(serve_gateway(settings, ready))


def log_to(file: Path | None, site: str | None = None) -> None:
    """Log to standard error, or to a file."""
    from kumobashi.observe.logs import JsonLines, log_to_stderr

    log_to_stderr(site=site)
    if file:
        file.parent.mkdir(parents=True, exist_ok=True)
        handler = logging.FileHandler(file, encoding="utf-8")
        handler.setFormatter(JsonLines(site))
        logging.getLogger().handlers[:] = [handler]
