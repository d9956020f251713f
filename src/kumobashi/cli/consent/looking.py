"""``kumobashi consent texts | list | counts | show | history | verify``."""

import click

from kumobashi.cli.command import command, option
from kumobashi.cli.consent.asking import SITE, ask, number_from
from kumobashi.cli.consent.telling import STATES, TIERS, draw, draw_revisions
from kumobashi.cli.exits import Exit
from kumobashi.cli.plain_tables import plain_table
from kumobashi.cli.terminal import Terminal


@command(
    "texts",
    ja="同意文を、本人に見せる形で出します。",
    en="Show the consent texts as residents see them.",
    example="kumobashi consent texts",
)
def texts(terminal: Terminal) -> None:
    """Show the texts."""
    from kumobashi.consent.texts import shown
    from kumobashi.kernel import SystemClock, business_date

    on = business_date(SystemClock().now())
    found = terminal.workspace().consents
    if terminal.as_json:
        terminal.emit(
            [
                {
                    "purpose": text.purpose,
                    "name": text.name,
                    "covers": [one.link or one.campaign for one in text.covers],
                    "versions": [
                        {
                            "version": one.version,
                            "from": one.from_.isoformat(),
                            "hash": text.hash_of(one.version),
                            "text": shown(text, one.version),
                        }
                        for one in text.versions
                    ],
                }
                for text in found.values()
            ]
        )
        return
    for text in found.values():
        version = text.offered(on) or text.newest
        for line in shown(text, version.version):
            terminal.out.print(line, soft_wrap=True, markup=False)
        covers = "、".join(one.link or one.campaign or "" for one in text.covers)
        now = terminal.t(f"今日この目的に入るもの: {covers}", f"Covers today: {covers}")
        terminal.out.print(now, soft_wrap=True, style="dim")
        terminal.out.print("")
    if not found:
        terminal.out.print(terminal.t("同意文はありません。", "There are no texts."))


@command(
    "list",
    ja="同意の記録の一覧（だれのものかは出しません）。",
    en="List consent records; whose they are is not shown.",
    example="kumobashi consent list --purpose child-notices --state granted",
)
@SITE
@option("--purpose", metavar="NAME", ja="この目的だけ", en="This purpose only")
@option("--state", type=click.Choice(sorted(STATES)), ja="この状態だけ", en="This state only")
@option("--after", metavar="RECORD", default="", ja="この記録の次から", en="Behind this record")
def list_(
    terminal: Terminal, *, site: str | None, purpose: str | None, state: str | None, after: str
) -> None:
    """List records."""
    said = {"purpose": purpose, "state": state, "after": after}
    found = ask(terminal, site, "list", said)
    if terminal.as_json:
        terminal.emit(found)
        return
    draw(terminal, found["records"])
    if not found["is_all"]:
        last = found["records"][-1]["record"]
        terminal.out.print(
            terminal.t(f"続き: --after {last}", f"More: --after {last}"), soft_wrap=True
        )


@command(
    "counts",
    ja="目的・区分・状態ごとの人数。",
    en="How many residents by purpose, tier and state.",
    example="kumobashi consent counts",
)
@SITE
def counts(terminal: Terminal, *, site: str | None) -> None:
    """Show how many."""
    found = ask(terminal, site, "counts", {})
    if terminal.as_json:
        terminal.emit(found)
        return
    t = terminal.t
    table = plain_table()
    for ja, en in (("目的", "Purpose"), ("区分", "Tier"), ("状態", "State"), ("人数", "Residents")):
        table.add_column(t(ja, en))
    for one in found["counts"]:
        state, tier = t(*STATES[one["state"]]), t(*TIERS[one["tier"]])
        table.add_row(one["purpose"], tier, state, f"{one['residents']:,}")
    terminal.out.print(table)


@command(
    "show",
    ja="1人の記録。宛名番号は標準入力から読みます。",
    en="One resident's records; the number is read from standard input.",
    example="kumobashi consent show",
)
@SITE
def show(terminal: Terminal, *, site: str | None) -> None:
    """Show one resident's records."""
    found = ask(terminal, site, "show", {"resident_no": number_from(terminal)})
    if terminal.as_json:
        terminal.emit(found)
    else:
        draw(terminal, found["records"])


@command(
    "history",
    ja="1つの記録の改訂の履歴。",
    en="The revisions of one record.",
    example="kumobashi consent history 019aa8d1-5b7c-7000-8000-0123456789ab",
)
@click.argument("record")
@SITE
def history(terminal: Terminal, *, record: str, site: str | None) -> None:
    """Show the revisions."""
    found = ask(terminal, site, "history", {"record": record})
    if terminal.as_json:
        terminal.emit(found)
        return
    draw_revisions(terminal, found["revisions"], STATES)


@command(
    "verify",
    ja="台帳が書いたときのままかを確かめます。違えば、最初の改訂を示して 1 で終わります。",
    en="Verify the ledger; names the first revision that was altered, and ends with 1.",
    example="kumobashi consent verify",
)
@SITE
@option("--record", metavar="ID", ja="この記録だけ", en="This record only")
def verify(terminal: Terminal, *, site: str | None, record: str | None) -> Exit:
    """Verify chains."""
    found = ask(terminal, site, "verify", {"record": record})["faults"]
    if terminal.as_json:
        terminal.emit({"faults": found})
    elif found:
        for one in found:
            words = one["detail"] if terminal.lang == "ja" else one["title"]
            terminal.out.print(f"× {words}", style="bold red", soft_wrap=True)
    else:
        terminal.out.print(
            terminal.t("台帳は書いたときのままです。", "The ledger is as it was written.")
        )
    return Exit.RED if found else Exit.OK
