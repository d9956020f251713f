"""``kumobashi courier ask``, ``approve``, ``decline``, ``returned``, ``lost``: who permits what.

Each of them asks for the password and the code of the account, as the console does.
"""

import sys
from collections.abc import Callable
from typing import Any

import click

from kumobashi.cli.command import command, option
from kumobashi.cli.courier.showing import SITE, gateway_of, tell
from kumobashi.cli.errors import Usage
from kumobashi.cli.exits import Exit
from kumobashi.cli.terminal import Terminal

_DAY = click.DateTime(["%Y-%m-%d"])


def _as_account(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that say who does it."""
    function = option(
        "--credentials-stdin",
        "from_stdin",
        is_flag=True,
        ja="パスワードと確認コードを標準入力の2行から読む",
        en="Read password and code from two lines of standard input",
    )(function)
    return option(
        "--account",
        required=True,
        metavar="NAME",
        ja="操作する人の利用者名（kumobashi account）",
        en="Whose account it is",
    )(function)


@command(
    "ask",
    ja="持出しを願い出ます（運用の役割）。ほかの人が承認するまで、何も書き出せません。",
    en="Ask for a permit to carry something out; nothing is written before somebody approves.",
    example="kumobashi courier ask --site hall-core --transfer 0192f3b2-7c1e-7aaa-8bbb-0123456789ab"
    ' --medium USB-012 --purpose "line down" --return-by 2026-11-28 --account sato',
)
@SITE
@option("--transfer", metavar="ID", ja="持ち出す転送", en="The transfer to carry")
@option(
    "--receipts",
    "to_site",
    metavar="SITE",
    ja="媒体で届いた転送の到達確認を、このサイトへ運ぶ",
    en="Carry the receipts of what media brought back to this site",
)
@option(
    "--medium",
    "labels",
    multiple=True,
    required=True,
    metavar="NUMBER",
    ja="媒体番号（何本でも、使う順に）",
    en="Number of a medium; several in the order of use",
)
@option(
    "--purpose", required=True, metavar="TEXT", ja="目的（個人の名前は書かない）", en="What for"
)
@option("--return-by", required=True, type=_DAY, ja="返却期日", en="When the media are back")
@_as_account
def ask(terminal: Terminal, **wish: Any) -> Exit:  # noqa: ANN401 - the options above
    """Ask."""
    if (wish["transfer"] is None) is (wish["to_site"] is None):
        raise Usage(
            what="--transfer か --receipts のどちらか1つを書いてください。",
            what_en="Write either --transfer or --receipts.",
            command="kumobashi courier ask",
        )
    said = {
        "labels": list(wish["labels"]),
        "purpose": wish["purpose"],
        "return_by": wish["return_by"].date().isoformat(),
        "transfer": wish["transfer"],
        "to_site": wish["to_site"],
    }
    gateway = gateway_of(terminal, wish["site"])
    who = _credentials(terminal, wish["account"], from_stdin=wish["from_stdin"])
    tell(terminal, gateway.ask({**said, **who}))
    return Exit.OK


@command(
    "approve",
    ja="持出しを許可します（承認の役割。願い出た人とは別の人）。",
    en="Approve a permit; by an approver who is not the one that asked.",
    example="kumobashi courier approve 5f21c0 --site hall-core --account suzuki",
)
@click.argument("permit")
@SITE
@_as_account
def approve(terminal: Terminal, *, permit: str, site: str, account: str, from_stdin: bool) -> Exit:
    """Approve."""
    return _decide(terminal, permit, site, account, from_stdin=from_stdin, is_approved=True)


@command(
    "decline",
    ja="持出しを許可しない、または、まだ書き出していない許可を取り消します（承認の役割）。",
    en="Decline a permit, or withdraw one under which nothing was written.",
    example="kumobashi courier decline 5f21c0 --site hall-core --account suzuki",
)
@click.argument("permit")
@SITE
@_as_account
def decline(terminal: Terminal, *, permit: str, site: str, account: str, from_stdin: bool) -> Exit:
    """Decline."""
    return _decide(terminal, permit, site, account, from_stdin=from_stdin, is_approved=False)


@command(
    "returned",
    ja="媒体がすべて戻り、消去したことを記録します（運用の役割）。",
    en="Note that all media of a permit are back and were erased.",
    example="kumobashi courier returned 5f21c0 --site hall-core --account sato",
)
@click.argument("permit")
@SITE
@_as_account
def returned(terminal: Terminal, *, permit: str, site: str, account: str, from_stdin: bool) -> Exit:
    """Close a permit."""
    return _close(terminal, permit, site, account, from_stdin=from_stdin, is_lost=False)


@command(
    "lost",
    ja="媒体の紛失を記録します（運用の役割）。見つかって消去したら returned を使います。",
    en="Note that a medium was lost; when it is found and erased, use returned.",
    example="kumobashi courier lost 5f21c0 --site hall-core --account sato",
)
@click.argument("permit")
@SITE
@_as_account
def lost(terminal: Terminal, *, permit: str, site: str, account: str, from_stdin: bool) -> Exit:
    """Note a loss."""
    return _close(terminal, permit, site, account, from_stdin=from_stdin, is_lost=True)


def _decide(
    terminal: Terminal,
    permit: str,
    site: str,
    account: str,
    *,
    from_stdin: bool,
    is_approved: bool,
) -> Exit:
    gateway = gateway_of(terminal, site)
    who = _credentials(terminal, account, from_stdin=from_stdin)
    tell(terminal, gateway.decide(permit, {"approved": is_approved, **who}))
    return Exit.OK


def _close(
    terminal: Terminal, permit: str, site: str, account: str, *, from_stdin: bool, is_lost: bool
) -> Exit:
    gateway = gateway_of(terminal, site)
    who = _credentials(terminal, account, from_stdin=from_stdin)
    tell(terminal, gateway.close_permit(permit, {"lost": is_lost, **who}))
    return Exit.OK


def _credentials(terminal: Terminal, account: str, *, from_stdin: bool) -> dict[str, str]:
    """Ask who it is; the gateway compares, and counts what is wrong."""
    if from_stdin:
        password, code = (sys.stdin.readline().rstrip("\r\n") for _ in range(2))
    else:
        password = click.prompt(
            terminal.t("パスワード", "Password"), hide_input=True, err=True, type=str
        )
        code = click.prompt(terminal.t("確認コード（6桁）", "Code (6 digits)"), err=True, type=str)
    return {"account": account, "password": password, "code": code}
