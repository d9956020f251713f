"""``kumobashi tie show | list | may | verify``."""

import click

from kumobashi.cli.command import command, option
from kumobashi.cli.consent.asking import SITE, number_from
from kumobashi.cli.consent.telling import draw_revisions
from kumobashi.cli.exits import Exit
from kumobashi.cli.terminal import Terminal
from kumobashi.cli.tie.asking import ask
from kumobashi.cli.tie.telling import STATES, draw_ties


@command(
    "show",
    ja="1つの紐付けと、その経過。",
    en="One tie and its history.",
    example="kumobashi tie show 019aa8d1-5b7c-7000-8000-0123456789ab",
)
@click.argument("tie")
@SITE
def show(terminal: Terminal, *, site: str | None, tie: str) -> None:
    """Show one tie."""
    found = ask(terminal, site, "show", {"tie": tie})
    draw_ties(terminal, found)
    if terminal.as_json:
        return
    words = terminal.t("条件のハッシュ", "Hash of the terms")
    terminal.out.print(f"{words}: {found['ties'][0]['hash']}", soft_wrap=True, markup=False)
    draw_revisions(terminal, found["revisions"], STATES)


@command(
    "list",
    ja="紐付けの一覧（だれのものかは出しません）。--resident で1人のもの（番号は標準入力）。",
    en="List ties; whose they are is not shown. --resident: of one number from standard input.",
    example="kumobashi tie list --service child-health --state in_force",
)
@SITE
@option("--service", metavar="NAME", ja="このサービスだけ", en="Of this service only")
@option("--state", type=click.Choice(sorted(STATES)), ja="この状態だけ", en="In this state only")
@option("--resident", is_flag=True, ja="1人のものだけ", en="Of one resident only")
@option("--after", metavar="TIE", default="", ja="この紐付けの次から", en="Behind this tie")
def list_(terminal: Terminal, *, site: str | None, resident: bool, **said: object) -> None:
    """List ties."""
    body = {**said, "resident_no": number_from(terminal)} if resident else said
    found = ask(terminal, site, "list", body)
    draw_ties(terminal, found)
    if not (terminal.as_json or found["is_all"]):
        last = found["ties"][-1]["tie"]
        terminal.out.print(
            terminal.t(f"続き: --after {last}", f"More: --after {last}"), soft_wrap=True
        )


@command(
    "may",
    ja="この紐付けで、いま許されるかを尋ねます（数えません）。許されなければ 2 で終わります。",
    en="Ask whether something is permitted now; nothing is counted. Ends with 2 when it is not.",
    example="kumobashi tie may 019aa8d1-5b7c-7000-8000-0123456789ab --item name --channel post",
)
@click.argument("tie")
@SITE
@option("--item", "items", metavar="NAME", multiple=True, required=True, ja="項目", en="An item")
@option("--channel", required=True, ja="手段", en="The channel")
def may(
    terminal: Terminal, *, site: str | None, tie: str, items: tuple[str, ...], channel: str
) -> Exit:
    """Ask the agent."""
    said = {"tie": tie, "items": list(items), "channel": channel}
    found = ask(terminal, site, "may", said)
    if terminal.as_json:
        terminal.emit(found)
    elif found["permitted"]:
        words = terminal.t("許されます。根拠", "Permitted. Clause")
        terminal.out.print(f"{words}: {found['clause']}", soft_wrap=True, markup=False)
    else:
        words = terminal.t("許されません", "Denied")
        terminal.out.print(f"{words}: {found['reason']}", soft_wrap=True, markup=False)
    return Exit.OK if found["permitted"] else Exit.REFUSED


@command(
    "verify",
    ja="紐付けとサービスの記録が書いたときのままかを確かめます。違えば 1 で終わります。",
    en="Verify that ties and services are as they were written; ends with 1 if not.",
    example="kumobashi tie verify",
)
@SITE
def verify(terminal: Terminal, *, site: str | None) -> Exit:
    """Verify the book."""
    found = ask(terminal, site, "verify", {})["faults"]
    if terminal.as_json:
        terminal.emit({"faults": found})
    elif found:
        for one in found:
            words = one["detail"] if terminal.lang == "ja" else one["title"]
            terminal.out.print(f"× {words}", style="bold red", soft_wrap=True)
    else:
        terminal.out.print(
            terminal.t("紐付けは書いたときのままです。", "The ties are as they were written.")
        )
    return Exit.RED if found else Exit.OK
