"""``kumobashi courier list`` and ``show``: permits, where their media are, and what is overdue."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click
from rich.table import Table

from kumobashi.cli.command import command, option
from kumobashi.cli.exits import Exit
from kumobashi.cli.terminal import Terminal

if TYPE_CHECKING:
    from kumobashi.cli.courier.gateway import CourierGateway

SITE = option("--site", required=True, metavar="SITE", ja="サイトの名前", en="The site")
_SHORT = 8  # the end of a permit's number, which differs soonest


@command(
    "list",
    ja="持出許可の一覧です。返却期日を過ぎたものがあれば、終了コードは 1 です。",
    en="The permits of a site; exit code 1 when media are overdue.",
    example="kumobashi courier list --site hall-core",
)
@SITE
@option("--open", "only_open", is_flag=True, ja="終わっていないものだけ", en="Only open ones")
def list_(terminal: Terminal, *, site: str, only_open: bool) -> Exit:
    """List permits."""
    found = gateway_of(terminal, site).permits()
    if only_open:
        found = [one for one in found if one["state"] not in {"returned", "declined"}]
    if terminal.as_json:
        terminal.emit({"permits": found})
    elif found:
        terminal.out.print(_table(terminal, found))
    else:
        terminal.out.print(terminal.t("持出許可はありません。", "There are no permits."))
    return Exit.RED if any(one["is_overdue"] for one in found) else Exit.OK


@command(
    "show",
    ja="1つの持出許可を示します: 何を、どの媒体で、だれが許し、いま何処にあるか。",
    en="One permit: what, on which media, who permitted it, and where they are.",
    example="kumobashi courier show 5f21c0 --site hall-core",
)
@click.argument("permit")
@SITE
def show(terminal: Terminal, *, permit: str, site: str) -> Exit:
    """Show one permit."""
    found = gateway_of(terminal, site).permit(permit)
    tell(terminal, found)
    return Exit.RED if found["is_overdue"] else Exit.OK


def gateway_of(terminal: Terminal, site: str) -> "CourierGateway":
    """Return the gateway of a site as the courier asks it."""
    from kumobashi.cli.courier.gateway import open_gateway

    return open_gateway(terminal.workspace(), site)


def tell(terminal: Terminal, permit: Mapping[str, Any]) -> None:
    """Say everything about a permit."""
    if terminal.as_json:
        terminal.emit(permit)
        return
    t = terminal.t
    lines = {
        t("持出許可", "Permit"): permit["permit"],
        t("状態", "State"): _state(terminal, permit),
        t("何を", "What"): _what(terminal, permit),
        t("あて先", "To"): permit["to_site"],
        t("媒体", "Media"): "、".join(permit["labels"]),
        t("目的", "Purpose"): permit["purpose"],
        t("返却期日", "Return by"): permit["return_by"],
        t("願い出", "Asked"): f"{permit['asked_by']}  {permit['asked_at']}",
    }
    if permit["decided_by"]:
        lines[t("判断", "Decided")] = f"{permit['decided_by']}  {permit['decided_at']}"
    for medium in permit["media"]:
        whole = t("書き終えた", "whole") if medium["is_whole"] else t("書きかけ", "incomplete")
        parts = (
            t(
                f"  分割片 {medium['first_part']}–{medium['last_part']}",
                f"  parts {medium['first_part']}–{medium['last_part']}",
            )
            if medium["first_part"]
            else ""
        )
        lines[f"  {medium['number']}  {medium['label']}"] = f"{whole}{parts}"
    if permit["closed_by"]:
        lines[t("返却・紛失", "Closed")] = f"{permit['closed_by']}  {permit['closed_at']}"
    table = Table.grid(padding=(0, 2))
    for head, text in lines.items():
        table.add_row(head, str(text))
    terminal.out.print(table)


def _table(terminal: Terminal, permits: Sequence[Mapping[str, Any]]) -> Table:
    t = terminal.t
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for head in (
        t("番号", "Permit"),
        t("状態", "State"),
        t("返却期日", "Return by"),
        t("あて先", "To"),
        t("媒体", "Media"),
        t("何を", "What"),
    ):
        table.add_column(head)
    for one in permits:
        table.add_row(
            str(one["permit"])[-_SHORT:],
            _state(terminal, one),
            one["return_by"],
            one["to_site"],
            "、".join(one["labels"]),
            _what(terminal, one),
            style="red" if one["is_overdue"] else "",
        )
    return table


def _state(terminal: Terminal, permit: Mapping[str, Any]) -> str:
    from kumobashi.courier.permits import State

    said = terminal.t(State(permit["state"]).ja, str(permit["state"]))
    return said + terminal.t("・返却期日超過", ", overdue") if permit["is_overdue"] else said


def _what(terminal: Terminal, permit: Mapping[str, Any]) -> str:
    if permit["kind"] == "receipts":
        return terminal.t("到達確認", "receipts")
    return f"{permit['link']}  {permit['transfer']}"
