"""``kumobashi incident list | show``."""

import click

from kumobashi.cli.command import command, option
from kumobashi.cli.exits import Exit
from kumobashi.cli.incident.asking import SITE, ask, ask_holder, senders
from kumobashi.cli.incident.telling import draw_incident, draw_incidents, is_overdue, local
from kumobashi.cli.terminal import Terminal


@command(
    "list",
    ja="開いている事案と、速報・確報の期限。期限を過ぎたものがあれば終了コードは 1 です。",
    en="Open incidents and when their reports are due; exit code 1 when one is overdue.",
    example="kumobashi incident list",
)
@SITE
@option("--all", "every", is_flag=True, ja="終えたものも出す", en="Also those that are closed")
def list_(terminal: Terminal, *, site: str | None, every: bool) -> Exit:
    """List incidents."""
    names = [site] if site else senders(terminal.workspace())
    answers = [ask(terminal, name, "list", {"all": every}) for name in names]
    found = [one for answer in answers for one in answer["incidents"]]
    wrong = [one for answer in answers for one in answer["faults"]]
    if terminal.as_json:
        terminal.emit({"incidents": found, "faults": wrong})
    else:
        draw_incidents(terminal, found)
        for one in wrong:
            words = one["detail"] if terminal.lang == "ja" else one["title"]
            terminal.out.print(f"× {words}", style="bold red", soft_wrap=True, markup=False)
    return Exit.RED if wrong or any(is_overdue(one) for one in found) else Exit.OK


@command(
    "show",
    ja="1つの事案: 対象の転送、本人の数、しきい値、期限、経過。番号は終わりの6字以上でも指せます。",
    en="One incident: transfers, persons, thresholds, clocks, history; an end of its id will do.",
    example="kumobashi incident show 019aa8d1-5b7c-7000-8000-0123456789ab",
)
@click.argument("incident")
@SITE
def show(terminal: Terminal, *, incident: str, site: str | None) -> None:
    """Show one incident."""
    found = ask_holder(terminal, site, "show", {"incident": incident})
    if terminal.as_json:
        terminal.emit(found)
        return
    draw_incident(terminal, found["incident"])
    for one in found["history"]:
        line = f"{one['number']}  {local(one['at'])}  {one['act']}  {one['state']}  {one['by']}"
        terminal.out.print(line, soft_wrap=True, markup=False)
