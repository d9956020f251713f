"""``kumobashi state``: the tables of a gateway's state, for whoever owns them."""

from kumobashi.cli.command import Group, command, option
from kumobashi.cli.exits import Exit
from kumobashi.cli.terminal import Terminal

state = Group(
    "state",
    ja="ゲートウェイの状態の表を整えます。",
    en="Prepare the tables of a gateway's state.",
    example="kumobashi state migrate --site hall-core",
)


@command(
    "migrate",
    ja="状態の表をこの版にします。表の所有者の接続文字列で実行します。",
    en="Bring the state's tables up to this version, as their owner.",
    example="kumobashi state migrate --site hall-core --state env:KUMO_STATE_OWNER",
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
    "reference",
    metavar="REF",
    ja="接続文字列のありか（file:… か env:…。既定: サイトのファイル）",
    en="Where the address is kept (file:… or env:…; default: the site's file)",
)
@option(
    "--grant-to",
    metavar="ROLE",
    ja="読み書きを許すロール（ゲートウェイがつなぐロール）",
    en="The role that may then read and write: the one that gateways connect as",
)
@option(
    "--post",
    is_flag=True,
    ja="古い版のプロセスがもうないときだけ使える変更もする",
    en="Also make the changes for which no old process may run any more",
)
def migrate(
    terminal: Terminal, site: str, *, reference: str | None, grant_to: str | None, post: bool
) -> Exit:
    """Migrate."""
    from kumobashi.exchange.migrating import migrate as bring_up
    from kumobashi.exchange.row_security import grant
    from kumobashi.planning.workspace import load
    from kumobashi.service.settings import read_settings
    from kumobashi.service.stating import open_state

    tenant = load(terminal.folder).municipality.municipality.code
    store = open_state(read_settings(terminal.folder, site, state=reference), tenant)
    try:
        version = bring_up(store, post=post)
        if grant_to:
            store.write(lambda connection: grant(connection, grant_to))
    finally:
        store.close()
    if terminal.as_json:
        terminal.emit({"site": site, "version": version})
    else:
        terminal.out.print(
            terminal.t(
                f"{site} の状態の表は版 {version} です。",
                f"The state's tables of {site} are at {version}.",
            )
        )
    return Exit.OK


state.add_command(migrate)
