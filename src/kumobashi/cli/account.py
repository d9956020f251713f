"""``kumobashi account``: who may sign in at a site's console."""

import getpass
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.table import Table

from kumobashi.cli.account_book import accounts_of
from kumobashi.cli.account_push import push, token
from kumobashi.cli.account_unusual import unusual
from kumobashi.cli.command import Group, command, option
from kumobashi.cli.terminal import Terminal

if TYPE_CHECKING:
    from kumobashi.identity import Enrolment
    from kumobashi.identity.reviewing import Row

_ROLES = (
    "operator",
    "approver",
    "auditor",
    "viewer",
    "shared-office",
    "data-centre",
    "vendor",
    "account-admin",
)
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
    type=click.Choice(_ROLES),
    required=True,
    ja="役割: 運用・承認・監査・閲覧・共同利用事務局・データセンター運用・ベンダ・利用者管理",
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
    made = accounts_of(terminal, site).add(name, shown=shown, role=Role(role), password=password)
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
    held = accounts_of(terminal, site).list()
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
    _tell(
        terminal,
        accounts_of(terminal, site).reset(name, password=password),
        is_given=password_stdin,
    )


@command(
    "bind",
    ja="利用者を、連携やシステムに限ります。前に限っていたものは置き換わります。",
    en="Bind an account to links and systems, instead of those before.",
    example="kumobashi account bind care-vendor --system care --site hall-core",
)
@click.argument("name")
@_SITE
@option("--link", "links", multiple=True, metavar="LINK", ja="連携の名前", en="A link")
@option("--system", "systems", multiple=True, metavar="SYSTEM", ja="システムの名前", en="A system")
def bind(
    terminal: Terminal, *, name: str, site: str, links: tuple[str, ...], systems: tuple[str, ...]
) -> None:
    """Bind an account."""
    from kumobashi.identity import Scope

    workspace = terminal.workspace()
    for link in links:
        workspace.link(link)
    if unknown := sorted(set(systems) - set(workspace.systems)):
        raise click.BadParameter(
            terminal.t(
                f"システム {unknown[0]} はありません。", f"There is no system {unknown[0]}."
            ),
            param_hint="--system",
        )
    scope = Scope(links=frozenset(links), systems=frozenset(systems))
    accounts_of(terminal, site).bind(name, scope)
    bound = " ".join(sorted((*links, *systems)))
    if terminal.as_json:
        terminal.emit({"name": name, "links": sorted(links), "systems": sorted(systems)})
    else:
        terminal.out.print(
            terminal.t(
                f"{name} が見られるのは、次に限ります: {bound or 'なし'}",
                f"{name} is bound to: {bound or 'nothing'}",
            ),
            soft_wrap=True,
        )


@command(
    "close",
    ja="利用者を使えなくし、開いている画面を終えます。同じ名前はもう使えません。",
    en="Shut an account out and end its sessions; its name is not given again.",
    example="kumobashi account close sato --site hall-core",
)
@click.argument("name")
@_SITE
@option(
    "--by",
    default="",
    metavar="TEXT",
    ja="使えなくする人（既定: このコンピューターの利用者名）",
    en="Who shuts it (default: the user of this machine)",
)
def close(terminal: Terminal, *, name: str, site: str, by: str) -> None:
    """Shut somebody out."""
    accounts_of(terminal, site).shut(name, by=(by or getpass.getuser())[:80])
    if terminal.as_json:
        terminal.emit({"name": name, "closed": True})
    else:
        terminal.out.print(
            terminal.t(f"{name} は、もう入れません。", f"{name} may sign in no more."),
            soft_wrap=True,
        )


@command(
    "review",
    ja="アクセス権の点検表です: 役割、いつから、最後に入った日、確かめること。",
    en="The review of access: roles, since when, last seen, what to look at.",
    example="kumobashi account review --csv accounts.csv --site hall-core",
)
@_SITE
@option(
    "--csv",
    "csv_file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    ja="表計算ソフトで開ける CSV に保存する",
    en="Save as CSV for spreadsheets",
)
def review(terminal: Terminal, *, site: str, csv_file: Path | None) -> None:
    """Show what is to be reviewed."""
    from kumobashi.identity.reviews import Reviews

    rows = Reviews(accounts_of(terminal, site)).rows()
    if csv_file is not None:
        from kumobashi.console.account_pages import accounts_csv

        csv_file.write_bytes(accounts_csv(rows, terminal.lang))
    if terminal.as_json:
        terminal.emit([_plain(row) for row in rows])
        return
    from kumobashi.console import wording

    table = Table.grid(padding=(0, 3))
    for row in rows:
        one = row.access
        said = [wording.say(f"remark_{remark.value}", terminal.lang) for remark in row.remarks]
        seen = one.seen.date().isoformat() if one.seen else "-"
        role = terminal.t(one.role.ja, one.role.value)
        table.add_row(one.name, role, one.since.date().isoformat(), seen, " / ".join(said) or "✓")
    terminal.out.print(table)


def _plain(row: "Row") -> dict[str, object]:
    one = row.access
    return {
        "name": one.name,
        "shown": one.shown,
        "role": one.role.value,
        "provider": one.provider,
        "links": sorted(one.scope.links) if one.scope is not None else None,
        "systems": sorted(one.scope.systems) if one.scope is not None else None,
        "since": one.since.isoformat(),
        "seen": one.seen.isoformat() if one.seen else None,
        "remarks": [remark.value for remark in row.remarks],
        "others": list(row.others),
        "reviewed": one.reviewed.isoformat() if one.reviewed else None,
        "reviewed_by": one.reviewed_by,
    }


account.add_command(add)
account.add_command(list_)
account.add_command(reset)
account.add_command(bind)
account.add_command(close)
account.add_command(review)
account.add_command(unusual)
account.add_command(token)
account.add_command(push)


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
