"""``kumobashi account push`` and ``token``: accounts to a linked cloud, and from a provider."""

import asyncio
from typing import TYPE_CHECKING

import click
from rich.table import Table

from kumobashi.cli.account_book import accounts_of
from kumobashi.cli.command import command, option
from kumobashi.cli.exits import Exit
from kumobashi.cli.terminal import Terminal

if TYPE_CHECKING:
    from kumobashi.identity.scim.comparing import Step
    from kumobashi.identity.scim.pushing import Found, Outcome

_MOST_SHOWN = 200  # lines of a plan
_DEEDS = {
    "create": ("つくる", "create"),
    "change": ("直す", "change"),
    "deactivate": ("使えなくする", "deactivate"),
    "delete": ("消す", "delete"),
    "join": ("グループに入れる", "join group"),
    "leave": ("グループから外す", "leave group"),
}
_SITE = option("--site", required=True, metavar="SITE", ja="サイトの名前", en="The site")


@command(
    "push",
    ja="このサイトの利用者を、連携先のクラウドの名簿（SCIM 2.0）に合わせて送ります。\n"
    "なにをするかを先に表示します。相手がつくった利用者には触れません。",
    en="Make a linked cloud's list (SCIM 2.0) agree with the accounts of this site.",
    example="kumobashi account push --to https://cloud.example.jp/scim/v2"
    " --token env:CLOUD_TOKEN --site hall-core --dry-run",
)
@_SITE
@option("--to", "base", required=True, metavar="URL", ja="相手の SCIM のアドレス", en="Its address")
@option(
    "--token",
    "reference",
    required=True,
    metavar="REF",
    ja="相手のトークンのありか: env:名前 か file:パス",
    en="Where its token is: env:NAME or file:PATH",
)
@option("--dry-run", is_flag=True, ja="比べるだけで、送らない", en="Compare; change nothing")
@option(
    "--delete",
    "deletes",
    is_flag=True,
    ja="ここにいない人を、使えなくするのでなく消す",
    en="Delete who is not here, instead of making them inactive",
)
@option(
    "--even-many",
    is_flag=True,
    ja="相手にいる人の半分を超えて使えなくなってもよい",
    en="Even if more than half of those there are shut out",
)
def push(
    terminal: Terminal,
    *,
    site: str,
    base: str,
    reference: str,
    dry_run: bool,
    deletes: bool,
    even_many: bool,
) -> None:
    """Compare, show and push."""
    from kumobashi.identity.scim.far_side import FarSide
    from kumobashi.identity.scim.pushing import Pushing, ours_of, prefix_of
    from kumobashi.service.secrets import secret

    book = accounts_of(terminal, site)
    token = secret(terminal.workspace().folder, reference)

    async def run() -> "tuple[Found, Outcome | None]":
        async with FarSide.open(base, token, book.clock) as far:
            pushing = Pushing(far, ours_of(book), prefix_of(book))
            found = await pushing.compare(deletes=deletes)
            if not terminal.as_json:
                _show(terminal, found)
            if dry_run:
                return found, None
            return found, await pushing.push(found, even_many=even_many, deletes=deletes)

    found, outcome = asyncio.run(run())
    if terminal.as_json:
        terminal.emit(_plain(found, outcome))
    elif outcome is not None:
        _tell(terminal, outcome)
    if outcome is not None and not outcome.is_whole:
        raise click.exceptions.Exit(Exit.RED)


@command(
    "token",
    ja="認証基盤が利用者の名簿を送ってくるための、トークンをつくります。いちどだけ表示します。\n"
    "前のトークンは、すぐに使えなくなります。",
    en="Make the token with which a provider pushes accounts; it is shown once.",
    example="kumobashi account token city-login --site hall-core",
)
@click.argument("provider")
@_SITE
def token(terminal: Terminal, *, provider: str, site: str) -> None:
    """Let a provider push accounts."""
    from kumobashi.service.scim_tokens import ProviderTokens

    book = accounts_of(terminal, site)
    tokens = ProviderTokens(book.path.parent, site=site)
    try:
        made = tokens.make(provider)
    except ValueError:
        raise click.BadParameter(
            terminal.t("半角の英小文字・数字・「-」で書いてください。", "Write a-z, 0-9 and '-'."),
            param_hint="PROVIDER",
        ) from None
    if terminal.as_json:
        terminal.emit({"provider": provider, "path": "/scim/v2", "token": made})
        return
    terminal.out.print(
        terminal.t(
            f"{provider} が /scim/v2 に名簿を送れます。トークンは、いまだけ表示します。",
            f"{provider} may push accounts to /scim/v2. The token is shown only now.",
        ),
        soft_wrap=True,
    )
    terminal.out.print(f"  {made}", soft_wrap=True)


def _show(terminal: Terminal, found: "Found") -> None:
    table = Table.grid(padding=(0, 3))
    for step in found.steps[:_MOST_SHOWN]:
        table.add_row(terminal.t(*_DEEDS[step.deed]), step.user_name)
    terminal.out.print(table)
    more = len(found.steps) - _MOST_SHOWN
    if more > 0:
        terminal.out.print(terminal.t(f"ほかに{more}件", f"and {more} more"))
    if not found.steps:
        terminal.out.print(terminal.t("どちらも同じです。", "Both sides agree."))
    if found.missing_roles:
        roles = " ".join(found.missing_roles)
        terminal.out.print(
            terminal.t(
                f"相手に、この役割の名前のグループがありません: {roles}",
                f"No group there is named for: {roles}",
            ),
            soft_wrap=True,
        )


def _tell(terminal: Terminal, outcome: "Outcome") -> None:
    terminal.out.print(
        terminal.t(f"{len(outcome.done)}件をしました。", f"{len(outcome.done)} done.")
    )
    for step in outcome.taken:
        terminal.out.print(
            terminal.t(
                f"相手のほかの人の名前です。触れていません: {step.user_name}",
                f"The name is somebody else's there, and was left alone: {step.user_name}",
            ),
            soft_wrap=True,
        )
    for step, status in outcome.failed:
        terminal.out.print(
            terminal.t(
                f"できませんでした（{status}）: {step.user_name}",
                f"Not done ({status}): {step.user_name}",
            ),
            soft_wrap=True,
        )


def _plain(found: "Found", outcome: "Outcome | None") -> dict[str, object]:
    said: dict[str, object] = {
        "plan": [_line(step) for step in found.steps],
        "there": found.there,
        "missing_roles": list(found.missing_roles),
    }
    if outcome is not None:
        said |= {
            "done": [_line(step) for step in outcome.done],
            "taken": [_line(step) for step in outcome.taken],
            "failed": [{**_line(step), "status": status} for step, status in outcome.failed],
        }
    return said


def _line(step: "Step") -> dict[str, object]:
    return {"deed": step.deed, "name": step.user_name, "attributes": sorted(step.values)}
