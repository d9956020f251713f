"""``kumobashi transfer``: what a person may do to one transfer that waits, or that is over."""

from typing import TYPE_CHECKING

import click

from kumobashi.cli.command import Group, command, option
from kumobashi.cli.errors import GatewayRefused
from kumobashi.cli.exits import Exit
from kumobashi.cli.local_api import LocalApi, Watched, open_local_api
from kumobashi.cli.terminal import Terminal

if TYPE_CHECKING:
    from kumobashi.planning.workspace import Workspace

transfer = Group(
    "transfer",
    ja="転送を1つずつ、一時停止・再開・取りやめ・先に送る・送り直すことができます。",
    en="Pause, resume, cancel, send first or send anew one transfer.",
    example="kumobashi transfer pause 0199f000-0000-7000-8000-000000000000",
)
_EXAMPLE = "0199f000-0000-7000-8000-000000000000"


@command(
    "pause",
    ja="まだ送り出していない転送を、再開するまで待たせます。",
    en="Let a transfer that has not left wait until it is resumed.",
    example=f"kumobashi transfer pause {_EXAMPLE}",
)
@click.argument("name", metavar="TRANSFER")
def pause(terminal: Terminal, *, name: str) -> Exit:
    """Pause one transfer."""
    return _do(terminal, "pause", name, ("一時停止しました。", "Paused."))


@command(
    "resume",
    ja="一時停止した転送を再開します。",
    en="Let a paused transfer go on.",
    example=f"kumobashi transfer resume {_EXAMPLE}",
)
@click.argument("name", metavar="TRANSFER")
def resume(terminal: Terminal, *, name: str) -> Exit:
    """Resume one transfer."""
    return _do(terminal, "resume", name, ("再開しました。", "Resumed."))


@command(
    "cancel",
    ja="送り出していない転送を取りやめます。送り出したものは取りやめられません。",
    en="Give up a transfer that has not left; what has left is refused.",
    example=f"kumobashi transfer cancel {_EXAMPLE}",
)
@click.argument("name", metavar="TRANSFER")
def cancel(terminal: Terminal, *, name: str) -> Exit:
    """Cancel one transfer."""
    said = ("取りやめました。何も取り込まれません。", "Cancelled; nothing will be applied.")
    return _do(terminal, "cancel", name, said)


@command(
    "send-first",
    ja="待っている転送を、ほかより先に送ります。順序を守る連携では断ります。",
    en="Let a waiting transfer go before all others; refused on a link that keeps its order.",
    example=f"kumobashi transfer send-first {_EXAMPLE}",
)
@click.argument("name", metavar="TRANSFER")
def send_first(terminal: Terminal, *, name: str) -> Exit:
    """Let one transfer go first."""
    return _do(terminal, "send-first", name, ("先に送ります。", "It goes first."))


@command(
    "resend",
    ja="終わった転送を、新しい転送として送り直します。",
    en="Send a transfer that is over anew, as a new transfer.",
    example=f"kumobashi transfer resend {_EXAMPLE} --rejected-only",
)
@click.argument("name", metavar="TRANSFER")
@option(
    "--rejected-only",
    is_flag=True,
    ja="隔離された行のうち直したものなど、前回から変わった行だけを送る",
    en="Only the rows that were set aside and have been corrected, and what else has changed since",
)
def resend(terminal: Terminal, *, name: str, rejected_only: bool) -> Exit:
    """Send one transfer anew."""
    workspace = terminal.workspace()
    api = _owner(workspace, name)
    watched = api.resend(name, rejected_only=rejected_only)
    new = watched.transfer.transfer
    return _tell(terminal, watched, (f"始めました: 転送 {new}", f"Started: transfer {new}"))


for _command in (pause, resume, cancel, send_first, resend):
    transfer.add_command(_command)


def _do(terminal: Terminal, deed: str, name: str, said: tuple[str, str]) -> Exit:
    return _tell(terminal, _owner(terminal.workspace(), name).do(deed, name), said)


def _tell(terminal: Terminal, watched: Watched, said: tuple[str, str]) -> Exit:
    if terminal.as_json:
        from kumobashi.service.local_api import plain

        terminal.emit({"is_new": watched.is_new, "transfer": plain(watched.transfer)})
    else:
        terminal.out.print(terminal.t(*said), soft_wrap=True)
    return Exit.OK


def _owner(workspace: "Workspace", name: str) -> LocalApi:
    """Return the gateway that sends a transfer: the first, of all that send, that knows it."""
    sites = sorted({workspace.systems[link.from_].site for link in workspace.links.values()})
    for site in sites[:-1]:
        api = open_local_api(workspace, site)
        try:
            api.transfer(name)
        except GatewayRefused as error:
            if error.said != "exchange.no_such_transfer":
                raise
        else:
            return api
    return open_local_api(workspace, sites[-1])
