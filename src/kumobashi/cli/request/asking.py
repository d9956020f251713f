"""Reach the book of requests by the gateway of its site, and the options that acts share."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from kumobashi.cli.command import option
from kumobashi.cli.signing_in import STDIN, signing_in
from kumobashi.cli.terminal import Terminal

Answer = dict[str, Any]
AnyFunction = TypeVar("AnyFunction", bound=Callable[..., Any])
REQUEST = click.argument("request")
SITE = option(
    "--site",
    metavar="SITE",
    ja="請求の記録があるサイト（既定: 符号の鍵を持つサイト）",
    en="The site of the book (default: the one that has the secret of tokens)",
)
_ACCOUNT = option(
    "--account",
    required=True,
    metavar="NAME",
    ja="名乗る利用者（パスワードと確認コードを尋ねます）",
    en="The account to sign in as (password and code are asked for)",
)
_ON = option(
    "--on",
    metavar="DATE",
    ja="手続の日（例 2026-11-23、既定: 今日）",
    en="The day of the act (default: today)",
)


def signed(function: AnyFunction) -> AnyFunction:
    """Add what every act needs: who does it, where, and on which day."""
    for one in (STDIN, _ACCOUNT, _ON, SITE):
        function = one(function)
    return function


def ask(terminal: Terminal, site: str | None, deed: str, said: Mapping[str, object]) -> Answer:
    """Do one deed; raise ``GatewayDown``, ``GatewayRefused``."""
    from kumobashi.cli.consent.asking import ledger_site
    from kumobashi.cli.local_api import open_local_api

    workspace = terminal.workspace()
    return open_local_api(workspace, site or ledger_site(workspace)).requests(deed, said)


def act(terminal: Terminal, deed: str, said: Mapping[str, object]) -> Answer:
    """Do one deed as somebody who signs in for it; ``said`` holds the options of :func:`signed`."""
    body = dict(said)
    account, site = str(body.pop("account")), body.pop("site")
    who = signing_in(terminal, account, from_stdin=body.pop("password_stdin") is True)
    return ask(terminal, str(site) if site else None, deed, {**body, **who})
