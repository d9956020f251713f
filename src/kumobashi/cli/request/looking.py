"""``kumobashi request list | show | due | verify``."""

from datetime import date

import click

from kumobashi.cli.command import command, option
from kumobashi.cli.errors import Usage
from kumobashi.cli.exits import Exit
from kumobashi.cli.request.asking import REQUEST, SITE, ask
from kumobashi.cli.request.telling import day_words, draw, draw_one, is_overdue
from kumobashi.cli.terminal import Terminal


@command(
    "list",
    ja="請求の一覧（だれのものかは出しません）。期限を過ぎたものがあれば 1 で終わります。",
    en="List requests; whose they are is not shown. Ends with 1 when a deadline has passed.",
    example="kumobashi request list --due",
)
@SITE
@option("--due", is_flag=True, ja="7日以内と期限超過だけ", en="Due within 7 days, or overdue")
@option("--all", "is_all", is_flag=True, ja="終わったものも", en="Those that are over as well")
def list_(terminal: Terminal, *, site: str | None, due: bool, is_all: bool) -> Exit:
    """List requests."""
    found = ask(terminal, site, "list", {"due": due, "all": is_all})
    draw(terminal, found)
    return Exit.RED if is_overdue(found) else Exit.OK


@command(
    "show",
    ja="1つの請求の期限、決定案、決定、経過。",
    en="One request: its deadline, proposal, decision and history.",
    example="kumobashi request show 019aa8d1-5b7c-7000-8000-0123456789ab",
)
@REQUEST
@SITE
def show(terminal: Terminal, *, site: str | None, request: str) -> None:
    """Show one request."""
    draw_one(terminal, ask(terminal, site, "show", {"request": request}))


@command(
    "due",
    ja="受付の日から、決定の期限と延長の期限を数えます（何も記録しません）。",
    en="Count the deadlines of a request received on a day; nothing is recorded.",
    example="kumobashi request due disclosure --received 2026-11-02",
)
@click.argument("kind", type=click.Choice(["disclosure", "correction", "suspension"]))
@option("--received", required=True, metavar="DATE", ja="受付の日", en="The day it was received")
def due(terminal: Terminal, *, kind: str, received: str) -> None:
    """Count."""
    from kumobashi.requests.deadlines import RULES, Extension, Step, due_of
    from kumobashi.requests.states import Kind

    try:
        day = date.fromisoformat(received)
    except ValueError:
        raise Usage(
            what="--received は 2026-11-02 の形で書いてください。",
            what_en="Write --received as 2026-11-02.",
            command="kumobashi request due",
        ) from None
    rows = RULES.of(Kind(kind), day)
    longer = Extension(step=Step.LONGER, told=day, days=rows[Step.LONGER].days)
    found = {
        "first": due_of(day, rows, RULES.closed),
        "longer": due_of(day, rows, RULES.closed, extension=longer),
    }
    if terminal.as_json:
        terminal.emit(
            {
                name: {
                    "counted": one.counted.isoformat(),
                    "day": one.day.isoformat(),
                    "article": one.article_ja,
                    "is_verified": one.is_verified,
                    "is_calendar_known": one.is_calendar_known,
                }
                for name, one in found.items()
            }
        )
        return
    words = {"first": ("決定の期限", "Due"), "longer": ("延長したとき", "If it is put off")}
    for name, one in found.items():
        article = terminal.t(one.article_ja, one.article_en)
        unsure = "" if one.is_verified else terminal.t("、未確認を含む", ", not all verified")
        text = f"{terminal.t(*words[name])}: {day_words(terminal, one.day.isoformat())}"
        terminal.out.print(f"{text}  {article}{unsure}", soft_wrap=True, markup=False)


@command(
    "verify",
    ja="請求の記録が書いたときのままかを確かめます。違えば 1 で終わります。",
    en="Verify that the requests are as they were written; ends with 1 if not.",
    example="kumobashi request verify",
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
            terminal.t(
                "請求の記録は書いたときのままです。", "The requests are as they were written."
            )
        )
    return Exit.RED if found else Exit.OK
