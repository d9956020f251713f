"""``kumobashi deletion``: who holds what until when, asking for it to go, the proof."""

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.text import Text

from kumobashi.cli.command import Group, command, option
from kumobashi.cli.exits import Exit
from kumobashi.cli.local_api import LocalApi, open_local_api
from kumobashi.cli.plain_tables import plain_table
from kumobashi.cli.signing_in import ACCOUNT, STDIN, signing_in
from kumobashi.cli.terminal import Terminal
from kumobashi.cli.wording import short_id
from kumobashi.exchange.holdings import RED_FROM, Level
from kumobashi.exchange.views import HoldingView
from kumobashi.kernel import JST

if TYPE_CHECKING:
    from kumobashi.planning.workspace import Workspace

deletion = Group(
    "deletion",
    ja="送ったデータの消去: だれがいつまで持つかを見て、消去を依頼・承認し、証拠を報告書にします。",
    en="Deletion of what was sent: who holds what until when, requests, approvals, the report.",
    example="kumobashi deletion list",
)
_SITE = option(
    "--site",
    metavar="SITE",
    ja="送り側のサイト（既定: 連携を送るサイト全部）",
    en="The sending site (default: all sites that send links)",
)


@command(
    "list",
    ja="受け取り側が持つものの一覧。消去の期限を過ぎて証拠のないものがあれば終了コードは 1 です。",
    en="What receivers hold; exit code 1 when a deletion is overdue and not proved.",
    example="kumobashi deletion list",
)
@_SITE
@option("--all", "every", is_flag=True, ja="消去済みも出す", en="Also what was deleted")
def list_(terminal: Terminal, *, site: str | None, every: bool) -> Exit:
    """List holdings."""
    found = [view for view in _sent(terminal.workspace(), site) if every or view.deleted is None]
    if terminal.as_json:
        from kumobashi.service.local_api import plain

        terminal.emit([plain(view) for view in found])
    else:
        _draw(terminal, found)
    return Exit.RED if any(view.level >= RED_FROM for view in found) else Exit.OK


@command(
    "request",
    ja="受け取り側に消去を依頼します。法令で保存するものは、別の人の承認を待ちます。",
    en="Ask a receiver to delete a transfer; what a law keeps waits for another person.",
    example="kumobashi deletion request 019aa8d1-5b7c-7000-8000-0123456789ab",
)
@click.argument("transfer")
@_SITE
@ACCOUNT
@STDIN
def request(
    terminal: Terminal,
    *,
    transfer: str,
    site: str | None,
    account: str | None,
    password_stdin: bool,
) -> Exit:
    """Ask for a deletion."""
    api = _sender_of(terminal.workspace(), transfer, site)
    said = signing_in(terminal, account, from_stdin=password_stdin)
    return _told(terminal, api.decide_deletion(transfer, "request", said))


@command(
    "approve",
    ja="法令で保存するものの消去を、依頼した人とは別の承認者が承認します。",
    en="Approve, as another person, the deletion of what a law keeps.",
    example="kumobashi deletion approve 019aa8d1-5b7c-7000-8000-0123456789ab --account suzuki",
)
@click.argument("transfer")
@_SITE
@ACCOUNT
@STDIN
def approve(
    terminal: Terminal,
    *,
    transfer: str,
    site: str | None,
    account: str | None,
    password_stdin: bool,
) -> Exit:
    """Approve a deletion."""
    api = _sender_of(terminal.workspace(), transfer, site)
    said = signing_in(terminal, account, from_stdin=password_stdin)
    return _told(terminal, api.decide_deletion(transfer, "approve", said))


@command(
    "withdraw",
    ja="まだ承認されていない消去の依頼を取り下げます。",
    en="Take back a request that nobody has approved yet.",
    example="kumobashi deletion withdraw 019aa8d1-5b7c-7000-8000-0123456789ab",
)
@click.argument("transfer")
@_SITE
@ACCOUNT
@STDIN
def withdraw(
    terminal: Terminal,
    *,
    transfer: str,
    site: str | None,
    account: str | None,
    password_stdin: bool,
) -> Exit:
    """Take a request back."""
    api = _sender_of(terminal.workspace(), transfer, site)
    said = signing_in(terminal, account, from_stdin=password_stdin)
    return _told(terminal, api.decide_deletion(transfer, "withdraw", said))


@command(
    "report",
    ja="だれが何をいつまで持ち、いつ消去したかの報告書（監査用）。CSV・JSON・HTML。",
    en="The report for auditors: who held what until when, and the proof that it went.",
    example="kumobashi deletion report --format csv --output deletion.csv",
)
@_SITE
@option(
    "--format",
    "form",
    type=click.Choice(["csv", "json", "html"]),
    default="csv",
    ja="形（既定: csv）",
    en="The form (default: csv)",
)
@option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    ja="書き出すファイル（既定: 標準出力）",
    en="The file to write (default: standard output)",
)
@option("--link", "link", metavar="LINK", ja="この連携だけ", en="Only this link")
def report(
    terminal: Terminal, *, site: str | None, form: str, output: Path | None, link: str | None
) -> None:
    """Write the report."""
    from kumobashi.exchange.holding_report import as_csv, as_html, as_json
    from kumobashi.kernel import SystemClock

    workspace = terminal.workspace()
    found = [view for view in _sent(workspace, site) if link is None or view.link == link]
    now = SystemClock().now()
    name = workspace.municipality.municipality.name
    if terminal.as_json or form == "json":
        text = as_json(found, now=now, municipality=name)
    elif form == "html":
        text = as_html(found, now=now, municipality=name, lang=terminal.lang)
    else:
        text = as_csv(found, lang=terminal.lang)
    if output is None:
        sys.stdout.write(text)
        return
    output.write_text(text, encoding="utf-8-sig" if form == "csv" else "utf-8", newline="")
    terminal.out.print(
        terminal.t(f"書き出しました: {output}", f"Written: {output}"), soft_wrap=True
    )


for _each in (list_, request, approve, withdraw, report):
    deletion.add_command(_each)


def _sent(workspace: "Workspace", site: str | None) -> list[HoldingView]:
    """Return what this municipality's sites sent, the newest first."""
    found = [
        view for api in _senders(workspace, site) for view in api.holdings() if view.side == "out"
    ]
    return sorted(found, key=lambda view: view.transfer, reverse=True)


def _senders(workspace: "Workspace", site: str | None) -> list[LocalApi]:
    names = (
        {site}
        if site
        else {workspace.systems[declared.from_].site for declared in workspace.links.values()}
    )
    return [open_local_api(workspace, name) for name in sorted(names)]


def _sender_of(workspace: "Workspace", transfer: str, site: str | None) -> LocalApi:
    """Return the gateway that sent a transfer; the last one asked says what is wrong."""
    apis = _senders(workspace, site)
    for api in apis[:-1]:
        if any(view.transfer == transfer and view.side == "out" for view in api.holdings()):
            return api
    return apis[-1]


def _told(terminal: Terminal, view: HoldingView) -> Exit:
    if terminal.as_json:
        from kumobashi.service.local_api import plain

        terminal.emit(plain(view))
    else:
        terminal.out.print(_line(terminal, view), soft_wrap=True)
        if view.state == "waiting":
            terminal.out.print(
                terminal.t(
                    f"別の承認者が次を実行します: kumobashi deletion approve {view.transfer}",
                    f"Another person runs: kumobashi deletion approve {view.transfer}",
                ),
                soft_wrap=True,
            )
    return Exit.HELD if view.state == "waiting" else Exit.OK


def _line(terminal: Terminal, view: HoldingView) -> str:
    return terminal.t(
        f"{view.link} {view.business_date}（{view.to_site_name}）: {view.state_ja}",
        f"{view.link} {view.business_date} ({view.to_site}): {view.state}",
    )


def _draw(terminal: Terminal, views: list[HoldingView]) -> None:
    t = terminal.t
    if not views:
        terminal.out.print(t("受け取り側が持つものはありません。", "No receiver holds anything."))
        return
    table = plain_table()
    for title in (
        t("転送", "Transfer"),
        t("連携", "Link"),
        t("対象日", "Day"),
        t("持つ所", "Held at"),
        t("件数", "Rows"),
        t("期限", "Due"),
        t("状態", "State"),
    ):
        table.add_column(title, overflow="fold")
    for view in views:
        style = "bold red" if view.level >= RED_FROM else ""
        table.add_row(
            short_id(view.transfer),
            view.link,
            view.business_date,
            t(view.to_site_name, view.to_site),
            f"{view.rows:,}",
            _day(view.due) or t("定めなし", "none"),
            Text(t(view.state_ja, view.state), style=style),
        )
    terminal.out.print(table)
    for line in overdue_lines(terminal, views):
        terminal.out.print(line, soft_wrap=True)


def overdue_lines(terminal: Terminal, views: list[HoldingView]) -> list[Text]:
    """Return what is late, how late, whom to call and why it did not go."""
    t, found = terminal.t, []
    for view in views:
        if view.level < RED_FROM:
            continue
        found.append(
            Text.assemble(
                (t("× 消去の証拠がありません ", "× no proof of deletion "), "bold red"),
                t(
                    f"{view.link} {view.business_date}（{view.to_site_name}）期限 {_day(view.due)}",
                    f"{view.link} {view.business_date} ({view.to_site}), due {_day(view.due)}",
                ),
            )
        )
        found.append(Text(f"  {terminal.say(view.level_words)}"))
        more = view.link_contact if view.level >= Level.LATE else None
        found += [
            Text(f"  {t('連絡先', 'Call')}: {who.name}  {who.phone}（{who.hours}）")
            for who in dict.fromkeys((view.contact, more))
            if who
        ]
        if view.cause:
            found.append(Text(f"  {terminal.say(view.cause)}"))
        if view.remedy and terminal.say(view.remedy):
            found.append(Text(f"  → {terminal.say(view.remedy)}"))
        found.append(Text(f"  {view.transfer}", style="dim"))
    return found


def _day(at: datetime | None) -> str:
    return at.astimezone(JST).date().isoformat() if at else ""
