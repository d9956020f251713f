"""``kumobashi directory``: publish and show the signed directory, and look things up in it."""

from datetime import timedelta

import click
from rich.text import Text

from kumobashi.cli.command import Group, command, option
from kumobashi.cli.directory_changing import change, register, retire, undo
from kumobashi.cli.directory_following import follow
from kumobashi.cli.directory_looking import diff, list_systems, search, show_system
from kumobashi.cli.exits import Exit
from kumobashi.cli.plain_tables import plain_table
from kumobashi.cli.terminal import Terminal
from kumobashi.kernel import JST, SystemClock

directory = Group(
    "directory",
    ja="署名付きディレクトリ（サイト・システム・サービス・公開鍵の一覧）を発行し、見て、比べ、変えます。",
    en="Publish, show, compare and change the signed directory: sites, systems, services, keys.",
    example="kumobashi directory show",
)


@command(
    "publish",
    ja="いまの連携設定から、署名付きディレクトリの次の版を発行します。",
    en="Sign the next version of the directory from the workspace as it is.",
    example="kumobashi directory publish",
)
@option(
    "--days",
    type=click.IntRange(1, 400),
    default=90,
    show_default=True,
    metavar="N",
    ja="有効な日数",
    en="How many days it is valid",
)
def publish(terminal: Terminal, *, days: int) -> Exit:
    """Publish the directory."""
    from kumobashi.planning.publishing import publish_directory

    made = publish_directory(
        terminal.folder, now=SystemClock().now(), valid_for=timedelta(days=days)
    )
    expires = made.expires.astimezone(JST).date()
    if terminal.as_json:
        terminal.emit({"version": made.version, "expires": made.expires.isoformat()})
        return Exit.OK
    terminal.out.print(
        terminal.t(
            f"ディレクトリ第 {made.version} 版を発行しました（{expires} まで有効）。",
            f"Published version {made.version} of the directory, valid to {expires}.",
        )
    )
    terminal.out.print(
        terminal.t(
            "ゲートウェイは次の開始から使います。承認は版を含むため、承認し直してください。",
            "Gateways use it from their next start. Approvals name the version: approve anew.",
        ),
        soft_wrap=True,
    )
    return Exit.OK


@command(
    "show",
    ja="発行済みのディレクトリを、署名と期限を確かめて示します。名前を付けると、そのシステムを示します。",
    en="Show the published directory, or one system; its signature and end are checked.",
    example="kumobashi directory show collection",
)
@click.argument("system", metavar="[SYSTEM]", required=False)
def show(terminal: Terminal, *, system: str | None) -> Exit:
    """Show the directory."""
    from kumobashi.planning.publishing import load_directory

    held = load_directory(terminal.folder, now=SystemClock().now())
    if system is not None:
        return show_system(terminal, held, system)
    if terminal.as_json:
        from kumobashi.service.local_api import plain

        terminal.emit(plain(held))
        return Exit.OK
    t = terminal.t
    issued, expires = (at.astimezone(JST).date() for at in (held.issued, held.expires))
    terminal.out.print(
        Text.assemble(
            (t(f"第 {held.version} 版", f"Version {held.version}"), "bold"),
            f"  {held.municipality.name} {held.municipality.code}",
            t(
                f"  発行 {issued}  期限 {expires}",
                f"  issued {issued}, valid to {expires}",
            ),
        )
    )
    table = plain_table()
    for title in (
        t("サイト", "Site"),
        t("名前", "Name"),
        t("領域", "Zone"),
        t("役割", "Role"),
        t("接続先", "Connects to"),
        t("署名の鍵", "Signing key"),
    ):
        table.add_column(title)
    for name, site in held.sites.items():
        to = ", ".join(connection.site for connection in site.connects_to)
        zone = terminal.t(site.zone.ja, site.zone.value)
        table.add_row(name, site.name, zone, site.role, to or "―", f"{site.kid[:8]}…")
    terminal.out.print(table)
    return Exit.OK


for _command in (
    publish,
    show,
    list_systems,
    search,
    diff,
    register,
    change,
    retire,
    undo,
    follow,
):
    directory.add_command(_command)
