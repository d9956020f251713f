"""``kumobashi account``: who may sign in at a site's console."""

import sys
from typing import TYPE_CHECKING

import click
from rich.table import Table

from kumobashi.cli.command import Group, command, option
from kumobashi.cli.terminal import Terminal

if TYPE_CHECKING:
    from kumobashi.identity import Accounts, Enrolment

account = Group(
    "account",
    ja="コンソールに入る利用者を、サイトごとに登録し、見て、入り直せるようにします。",
    en="Add, list and reset the accounts that sign in at a site's console.",
    example="kumobashi account add sato --role operator --site hall-core",
)
_SITE = option("--site", required=True, metavar="SITE", ja="サイトの名前", en="The site")
_STDIN = option(
    "--password-stdin",
    is_flag=True,
    ja="パスワードを標準入力の1行目から読む（なければ作る）",
    en="Read the password from standard input (else one is made)",
)


@command(
    "add",
    ja="利用者を登録します。パスワードと確認コードの鍵は、いちどだけ表示します。",
    en="Add an account; its password and the secret for codes are shown once.",
    example="kumobashi account add sato --role operator --site hall-core",
)
@click.argument("name")
@_SITE
@option(
    "--role",
    type=click.Choice(["operator", "approver", "auditor", "viewer"]),
    required=True,
    ja="役割: 運用・承認・監査・閲覧",
    en="What the person is here for",
)
@option(
    "--shown",
    default="",
    metavar="TEXT",
    ja="画面と記録での呼び方（既定: 利用者名）",
    en="How pages and records call them (default: the name)",
)
@_STDIN
def add(
    terminal: Terminal, *, name: str, site: str, role: str, shown: str, password_stdin: bool
) -> None:
    """Add an account."""
    from kumobashi.identity import Role

    password = _password() if password_stdin else None
    made = _book(terminal, site).add(name, shown=shown, role=Role(role), password=password)
    _tell(terminal, made, is_given=password_stdin)


@command(
    "list",
    ja="登録した利用者と役割の一覧です。",
    en="Who may sign in, and with which role.",
    example="kumobashi account list --site hall-core",
)
@_SITE
def list_(terminal: Terminal, *, site: str) -> None:
    """Show the accounts."""
    held = _book(terminal, site).list()
    if terminal.as_json:
        terminal.emit(
            [
                {"name": one.name, "shown": one.shown, "role": one.role, "locked": one.is_locked}
                for one in held
            ]
        )
        return
    if not held:
        terminal.out.print(
            terminal.t(
                "利用者はまだいません。コンソールは、このコンピューターからだれでも見られます。",
                "No accounts yet: whoever is on this machine may look at the console.",
            ),
            soft_wrap=True,
        )
        return
    table = Table.grid(padding=(0, 3))
    for one in held:
        locked = terminal.t("停止中", "locked") if one.is_locked else ""
        table.add_row(one.name, terminal.t(one.role.ja, one.role.value), one.shown, locked)
    terminal.out.print(table)


@command(
    "reset",
    ja="パスワードと確認コードの鍵を新しくし、停止を解き、開いている画面を終えます。",
    en="Give a new password and secret, open the lock, end open sessions.",
    example="kumobashi account reset sato --site hall-core",
)
@click.argument("name")
@_SITE
@_STDIN
def reset(terminal: Terminal, *, name: str, site: str, password_stdin: bool) -> None:
    """Let somebody in again."""
    password = _password() if password_stdin else None
    _tell(terminal, _book(terminal, site).reset(name, password=password), is_given=password_stdin)


account.add_command(add)
account.add_command(list_)
account.add_command(reset)


def _book(terminal: Terminal, site: str) -> "Accounts":
    from kumobashi.identity import Accounts
    from kumobashi.kernel import SystemClock
    from kumobashi.service.errors import SiteMissing

    workspace = terminal.workspace()
    if site not in workspace.sites:
        raise SiteMissing(site=site, known=", ".join(sorted(workspace.sites)))
    return Accounts(
        workspace.folder / "private" / site,
        tenant=workspace.municipality.municipality.code,
        site=site,
        clock=SystemClock(),
    )


def _password() -> str:
    return sys.stdin.readline().rstrip("\n")


def _tell(terminal: Terminal, made: "Enrolment", *, is_given: bool) -> None:
    told = {"name": made.account.name, "role": made.account.role.value}
    secrets = {"secret": made.secret, "otpauth": made.address}
    if not is_given:
        secrets = {"password": made.password, **secrets}
    if terminal.as_json:
        terminal.emit({**told, **secrets})
        return
    say = terminal.out.print
    say(
        terminal.t(
            f"{made.account.name}（{made.account.role.ja}）が入れます。"
            "次は、いまだけ表示します。本人だけに渡してください。",
            f"{made.account.name} ({made.account.role.value}) may sign in."
            " What follows is shown only now; hand it to that person alone.",
        ),
        soft_wrap=True,
    )
    if not is_given:
        say(f"  {terminal.t('パスワード', 'Password')}: {made.password}", soft_wrap=True)
    say(
        f"  {terminal.t('確認コードの鍵（認証アプリに）', 'Secret for an authenticator')}: "
        f"{made.secret}",
        soft_wrap=True,
    )
    say(f"  {made.address}", soft_wrap=True, style="dim")
