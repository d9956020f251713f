"""``kumobashi courier code`` and ``confirm``: a code read out where nothing can travel back."""

import click

from kumobashi.cli.command import command
from kumobashi.cli.courier.showing import SITE, gateway_of
from kumobashi.cli.exits import Exit
from kumobashi.cli.terminal import Terminal


@command(
    "code",
    ja="受け取り側: 媒体で届いた転送の確認番号を出します。電話などで送り側に伝えます。",
    en="At the receiver: the confirmation code of a transfer that media brought, to be read out.",
    example="kumobashi courier code 0192f3b2-7c1e-7aaa-8bbb-0123456789ab --site public-cloud",
)
@click.argument("transfer")
@SITE
def code(terminal: Terminal, *, transfer: str, site: str) -> Exit:
    """Show the code."""
    found = gateway_of(terminal, site).code(transfer)
    if terminal.as_json:
        terminal.emit({"transfer": transfer, "code": found})
    else:
        terminal.out.print(f"{terminal.t('確認番号', 'Code')}: [bold]{found}[/]")
    return Exit.OK


@command(
    "confirm",
    ja="送り側: 受け取り側から聞いた確認番号を打ち込みます。",
    en="At the sender: type the confirmation code that the receiver read out.",
    example="kumobashi courier confirm 0192f3b2-7c1e-7aaa-8bbb-0123456789ab 0NEN-TQAD-97VP-JP03"
    " --site hall-core",
)
@click.argument("transfer")
@click.argument("typed", metavar="CODE")
@SITE
def confirm(terminal: Terminal, *, transfer: str, typed: str, site: str) -> Exit:
    """Take a code."""
    found = gateway_of(terminal, site).confirm(transfer, typed)
    if terminal.as_json:
        terminal.emit(found)
    elif found["stage"] == "applied":
        said = terminal.t("取込まで確かめました", "Confirmed: it was applied")
        terminal.out.print(f"[bold green]✓[/] {said}: {transfer}", soft_wrap=True)
    else:
        said = terminal.t("受け取り側は拒否しました", "The receiver refused it")
        terminal.out.print(f"[bold red]×[/] {said}: {transfer}", soft_wrap=True)
    return Exit.OK if found["stage"] == "applied" else Exit.REFUSED
