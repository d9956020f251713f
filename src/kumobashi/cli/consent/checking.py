"""``kumobashi consent check``: whether data of one resident may be used for a purpose now."""

import click

from kumobashi.cli.command import command, option
from kumobashi.cli.consent.asking import SITE, ask, number_from
from kumobashi.cli.exits import Exit
from kumobashi.cli.terminal import Terminal

_WORDS = {
    "none": ("同意がありません", "no consent"),
    "other_tier": ("別の区分の同意だけです", "consent to other data only"),
    "other_version": ("別の版への同意です", "consent to another version"),
    "expired": ("同意の期限が過ぎています", "the term is over"),
    "withdrawn": ("撤回されています", "withdrawn"),
    "merged": ("番号が統合されています", "the number was merged"),
    "died": ("亡くなっています", "died"),
}


@command(
    "check",
    ja="いま、ある目的に使ってよいか。よければ 0、だめなら 2 で終わります。",
    en="May data of one resident be used for a purpose now? Exit 0 yes, 2 no.",
    example="kumobashi consent check child-notices --tier register",
)
@click.argument("purpose")
@SITE
@option(
    "--tier",
    "tiers",
    type=click.Choice(["register", "tax"]),
    multiple=True,
    ja="使う情報の区分（既定: register）",
    en="Tier of data that is used (default: register)",
)
def check(terminal: Terminal, *, purpose: str, site: str | None, tiers: tuple[str, ...]) -> Exit:
    """Check one resident."""
    said = {"purpose": purpose, "tiers": list(tiers or ("register",))}
    answer = ask(terminal, site, "counts_now", {**said, "resident_no": number_from(terminal)})
    if terminal.as_json:
        terminal.emit(answer)
    elif answer["in_force"]:
        terminal.out.print(terminal.t("使えます。", "It may be used."))
    else:
        ja, en = _WORDS[answer["reason"]]
        terminal.out.print(terminal.t(f"使えません: {ja}。", f"It may not be used: {en}."))
    return Exit.OK if answer["in_force"] else Exit.REFUSED
