"""``kumobashi link pause``, ``resume`` and ``lines``: what holds links back, a person or a peer."""

import click

from kumobashi.cli.command import command
from kumobashi.cli.exits import Exit
from kumobashi.cli.local_api import open_local_api, sender_of
from kumobashi.cli.terminal import Terminal


@command(
    "pause",
    ja="連携を一時停止します。送り出していない転送は、再開するまで待ちます。",
    en="Pause a link: what has not left waits until it is resumed.",
    example="kumobashi link pause notice-attributes",
)
@click.argument("name", metavar="LINK")
def pause(terminal: Terminal, *, name: str) -> Exit:
    """Pause a link."""
    return _pause(terminal, name, paused=True)


@command(
    "resume",
    ja="一時停止した連携を再開します。待っていた転送は順に送られます。",
    en="Resume a paused link; what waited is sent in its turn.",
    example="kumobashi link resume notice-attributes",
)
@click.argument("name", metavar="LINK")
def resume(terminal: Terminal, *, name: str) -> Exit:
    """Resume a link."""
    return _pause(terminal, name, paused=False)


@command(
    "lines",
    ja="隣のサイトごとに、応答・受付時間・1分間の要求数・待っている転送の数を示します。",
    en="For each neighbour: whether it answers, its hours, calls a minute, what waits for it.",
    example="kumobashi link lines",
)
def lines(terminal: Terminal) -> Exit:
    """Show the lines of all sites that send any."""
    from kumobashi.cli.lines import draw_lines

    workspace = terminal.workspace()
    sites = sorted({workspace.systems[link.from_].site for link in workspace.links.values()})
    found = {site: open_local_api(workspace, site).lines() for site in sites}
    if terminal.as_json:
        terminal.emit(found[sites[0]] if len(found) == 1 else found)
    else:
        names = {name: site.name for name, site in workspace.sites.items()}
        for site, said in found.items():
            terminal.out.print(draw_lines(terminal, names[site], said, names))
    is_down = any(line["standing"] == "down" for said in found.values() for line in said["lines"])
    return Exit.RED if is_down else Exit.OK


def _pause(terminal: Terminal, name: str, *, paused: bool) -> Exit:
    said = sender_of(terminal.workspace(), name).pause_link(name, paused=paused)
    if terminal.as_json:
        terminal.emit(said)
    elif paused:
        terminal.out.print(
            terminal.t(
                f"一時停止しました。再開: kumobashi link resume {name}",
                f"Paused. Resume it with kumobashi link resume {name}",
            )
        )
    else:
        terminal.out.print(terminal.t("再開しました。", "Resumed."))
    return Exit.OK
