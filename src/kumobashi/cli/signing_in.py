"""Who does it: the options and questions of commands that need an account."""

import sys

import click

from kumobashi.cli.command import option
from kumobashi.cli.terminal import Terminal

ACCOUNT = option(
    "--account",
    metavar="NAME",
    ja="名乗る利用者（パスワードと確認コードを尋ねます）",
    en="The account to sign in as (password and code are asked for)",
)
STDIN = option(
    "--password-stdin",
    is_flag=True,
    ja="パスワードと確認コードを標準入力の2行から読む",
    en="Read password and code from two lines of standard input",
)


def signing_in(terminal: Terminal, account: str | None, *, from_stdin: bool) -> dict[str, str]:
    """Return who signs in, asked for at the terminal; the gateway compares. None: nobody does."""
    if account is None:
        return {}
    if from_stdin:
        password, code = (sys.stdin.readline().rstrip("\r\n") for _ in range(2))
    else:
        password = click.prompt(terminal.t("パスワード", "Password"), hide_input=True, err=True)
        code = click.prompt(terminal.t("確認コード", "Code"), err=True)
    return {"account": account, "password": password, "code": code}
