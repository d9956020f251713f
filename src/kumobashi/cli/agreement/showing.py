"""``kumobashi agreement list``, ``show``, ``history`` and ``verify``."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click
from rich.table import Table
from rich.text import Text

from kumobashi.cli.agreement.asking import SITE
from kumobashi.cli.agreement.gateway import gateways, holder_of
from kumobashi.cli.command import command, option
from kumobashi.cli.exits import Exit
from kumobashi.cli.plain_tables import plain_table
from kumobashi.cli.terminal import Terminal
from kumobashi.kernel import JST
from kumobashi.service.errors import GatewayDown

if TYPE_CHECKING:
    from kumobashi.agreements.auditing import Fault
    from kumobashi.agreements.views import AgreementView, MoveView


@command(
    "list",
    ja="利用協議の一覧。期限を過ぎたもの、終わりの近いもの、許可の切れた再委託、改ざんがあれば"
    "終了コードは 1 です。",
    en="The agreements; exit code 1 when one is late, about to end, blocked or tampered with.",
    example="kumobashi agreement list --waiting",
)
@SITE
@option("--waiting", is_flag=True, ja="だれかを待つものだけ（督促）", en="Only what waits")
@option("--state", metavar="STATE", default="", ja="この状態だけ", en="Only in this state")
@option("--link", metavar="LINK", default="", ja="この連携だけ", en="Only of this link")
@option("--find", "text", metavar="TEXT", default="", ja="番号・連携・目的から探す", en="Search")
def list_(
    terminal: Terminal, *, site: str | None, waiting: bool, state: str, link: str, text: str
) -> Exit:
    """List agreements."""
    from kumobashi.agreements.views import is_waiting
    from kumobashi.service.local_api import plain

    views: list[AgreementView] = []
    faults: list[Fault] = []
    silent = []
    for gateway in gateways(terminal.workspace(), site):
        try:
            found, bad = gateway.listed(state=state, link=link, text=text)
        except GatewayDown as down:
            silent.append(down)
            continue
        views, faults = views + found, faults + bad
    shown = [view for view in views if is_waiting(view)] if waiting else views
    if terminal.as_json:
        terminal.emit({"agreements": plain(shown), "unreadable": plain(faults)})
    else:
        _draw(terminal, shown)
        _tell_faults(terminal, faults)
    for one in silent:
        terminal.err.print(Text(f"× {one.say(terminal.lang)}", style="bold red"), soft_wrap=True)
    if faults or any(view.is_red for view in shown):
        return Exit.RED
    return Exit.GATEWAY_DOWN if silent else Exit.OK


@command(
    "show",
    ja="1つの利用協議を示します: 内容・条件・期間・再委託・いまだれを待つか。",
    en="One agreement: what, on which conditions, until when, and whom it waits for.",
    example="kumobashi agreement show 8架総第1号",
)
@click.argument("agreement")
@SITE
def show(terminal: Terminal, *, agreement: str, site: str | None) -> Exit:
    """Show one."""
    view = holder_of(terminal.workspace(), agreement, site).show(agreement)
    tell(terminal, view)
    return Exit.RED if view.is_red else Exit.OK


@command(
    "history",
    ja="1つの利用協議の手続を、だれが・いつ・どの立場で行ったか、順に示します。",
    en="The moves of one agreement: who, when, in which capacity.",
    example="kumobashi agreement history 8架総第1号",
)
@click.argument("agreement")
@SITE
def history(terminal: Terminal, *, agreement: str, site: str | None) -> Exit:
    """Show the history."""
    from kumobashi.service.local_api import plain

    view = holder_of(terminal.workspace(), agreement, site).show(agreement)
    if terminal.as_json:
        terminal.emit(plain(list(view.moves)))
        return Exit.OK
    t = terminal.t
    table = plain_table()
    for head in (
        t("番号", "No."),
        t("日時（日本時間）", "When (Japan)"),
        t("手続", "Act"),
        t("だれが", "Who"),
        t("備考", "Note"),
    ):
        table.add_column(head, overflow="fold")
    for move in view.moves:
        table.add_row(
            str(move.number),
            f"{move.at.astimezone(JST):%Y-%m-%d %H:%M:%S}",
            t(move.act_ja, move.act),
            _who(terminal, move),
            "、".join([*([move.note] if move.note else []), *move.conditions]),
        )
    terminal.out.print(table)
    return Exit.OK


@command(
    "verify",
    ja="すべての利用協議の署名・規則・証跡・添付を確かめます。改ざんがあれば終了コードは 1 です。",
    en="Verify signatures, rules, evidence and files of all agreements; exit 1 when one fails.",
    example="kumobashi agreement verify --site hall-core",
)
@SITE
def verify(terminal: Terminal, *, site: str | None) -> Exit:
    """Verify all of them."""
    from pydantic import TypeAdapter

    from kumobashi.agreements.auditing import Fault

    found = {g.site: g.verification() for g in gateways(terminal.workspace(), site)}
    faults = [
        fault
        for each in found.values()
        for fault in TypeAdapter(list[Fault]).validate_python(each["faults"])
    ]
    if terminal.as_json:
        terminal.emit(found)
        return Exit.RED if faults else Exit.OK
    for name, each in found.items():
        terminal.out.print(
            terminal.t(
                f"{name}: 利用協議 {each['agreements']} 件・手続 {each['moves']} 件を"
                f"確かめました。問題 {len(each['faults'])} 件",
                f"{name}: {each['agreements']} agreements, {each['moves']} moves verified;"
                f" {len(each['faults'])} faults",
            ),
            soft_wrap=True,
        )
    _tell_faults(terminal, faults)
    return Exit.RED if faults else Exit.OK


def tell(terminal: Terminal, view: "AgreementView") -> None:
    """Say everything about one agreement."""
    from kumobashi.service.local_api import plain

    if terminal.as_json:
        terminal.emit(plain(view))
        return
    t = terminal.t
    lines = [
        (t("利用協議", "Agreement"), f"{view.name}  {t(view.state_ja, view.state)}"),
        (t("連携", "Link"), view.link),
        (t("申請課 → 所管課", "Sections"), f"{view.applicant_section} → {view.owner_section}"),
        (t("目的", "Purpose"), view.purpose),
        (t("根拠", "Basis"), view.basis),
        (t("期間", "Term"), f"{view.first} 〜 {view.last}"),
        (t("項目", "Items"), "、".join(item.ja for item in view.items)),
        *((t("条件", "Condition"), one) for one in view.conditions),
        (t("事前点検", "Plan"), f"{view.plan_number}  {view.plan_hash}"),
        *((t("添付", "File"), f"{one.name}  {one.digest}") for one in view.attachments),
        *(
            (
                t("委託" if p.level == 1 else f"再委託（{p.level}段階）", f"Processor {p.level}"),
                f"{p.name}  {p.task}  {p.place}（{p.jurisdiction}）"
                + (f"  {p.permission} 〜{p.permitted_until}" if p.permission else ""),
            )
            for p in view.processors
        ),
        (t("版・番号", "Revision, id"), f"{view.revision}  {view.agreement}"),
    ]
    table = Table.grid(padding=(0, 2))
    for head, text in lines:
        table.add_row(Text(head, style="dim"), text)
    terminal.out.print(table)
    for one in view.reminders:
        style = "bold red" if one.is_red else ""
        terminal.out.print(Text(f"・{t(one.ja, one.en)}", style=style), soft_wrap=True)


def _draw(terminal: Terminal, views: Sequence["AgreementView"]) -> None:
    t = terminal.t
    if not views:
        terminal.out.print(t("利用協議はありません。", "There are no agreements."))
        return
    table = plain_table()
    for head in (
        t("文書番号", "Number"),
        t("連携", "Link"),
        t("状態", "State"),
        t("期間の終わり", "Ends"),
        t("待つ相手", "Waits for"),
    ):
        table.add_column(head, overflow="fold")
    for view in views:
        table.add_row(
            view.name,
            view.link,
            t(view.state_ja, view.state),
            view.last.isoformat(),
            view.waits_for,
            style="red" if view.is_red else "",
        )
    terminal.out.print(table)
    for view in views:
        for one in view.reminders:
            style = "bold red" if one.is_red else ""
            terminal.out.print(
                Text(f"・{view.name}: {t(one.ja, one.en)}", style=style), soft_wrap=True
            )


def _tell_faults(terminal: Terminal, faults: Sequence["Fault"]) -> None:
    for one in faults:
        name = one.number or one.agreement
        terminal.out.print(
            Text(f"× {name}: {terminal.t(one.ja, one.en)} [{one.code}]", style="bold red"),
            soft_wrap=True,
        )


def _who(terminal: Terminal, move: "MoveView") -> str:
    if move.by == "gateway":
        return terminal.t("ゲートウェイ", "gateway")
    if move.instead_of:
        deputy = terminal.t(
            f"{move.instead_of}（代 {move.by}）", f"{move.by} for {move.instead_of}"
        )
        return f"{move.section} {deputy}"
    return f"{move.section} {move.by}"
