"""連携状況一覧 at a terminal: all links in a table, one link in full, and findings."""

import time
from collections.abc import Sequence
from datetime import datetime

from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from kumobashi.cli.deletion import overdue_lines
from kumobashi.cli.exits import Exit
from kumobashi.cli.local_api import LocalApi
from kumobashi.cli.picture import cause_lines, headline, last_lines, receipts_line, stage_lines
from kumobashi.cli.plain_tables import plain_table
from kumobashi.cli.terminal import Terminal
from kumobashi.cli.wording import hung, spent
from kumobashi.console.formatting import clock
from kumobashi.console.labels import LIGHTS, SIGNS, finding
from kumobashi.exchange.views import (
    RED,
    Light,
    LinkView,
    OpenIncident,
    OverdueMedia,
    OverdueRequest,
    Overview,
    Progress,
    TransferView,
)

_REFRESH_SECONDS = 2.0
STYLES = {
    Light.APPLIED: "green",
    Light.RUNNING: "cyan",
    Light.WAITING: "yellow",
    Light.HELD: "bold yellow",
    Light.STOPPED: "bold red",
    Light.REFUSED: "bold red",
    Light.BLOCKED: "magenta",
    Light.NEVER: "dim",
}
_ORDER = (
    Light.STOPPED,
    Light.REFUSED,
    Light.HELD,
    Light.WAITING,
    Light.RUNNING,
    Light.BLOCKED,
    Light.NEVER,
    Light.APPLIED,
)
_RECEIPTS = ("delivered", "opened", "validated", "applied")


def draw(terminal: Terminal, overview: Overview) -> Group:
    """Return the table of all links, what needs a person first, with the causes below."""
    t = terminal.t
    links = sorted(overview.links, key=lambda view: (_ORDER.index(view.light), view.link))
    table = plain_table()
    table.add_column(t("状態", "State"), no_wrap=True)
    table.add_column(t("連携", "Link"), overflow="fold")
    table.add_column(t("対象日", "Day"), no_wrap=True)
    table.add_column(t("到達確認", "Receipts"), no_wrap=True)
    table.add_column(t("件数", "Rows"), justify="right", no_wrap=True)
    table.add_column(t("所要", "Time"), justify="right", no_wrap=True)
    table.add_column(t("指摘", "Findings"), justify="right", no_wrap=True)
    for view in links:
        table.add_row(*_row(terminal, view))
    at = clock(overview.at)
    title = Text.assemble(
        (t("連携状況一覧", "State of links"), "bold"),
        t(
            f"  {overview.municipality_name} {overview.site_name}  {at} 現在",
            f"  {overview.site}, {at} JST",
        ),
    )
    parts: list[Table | Text] = [title, _answer(terminal, links), table]
    for view in links:
        if view.light in RED | {Light.WAITING, Light.HELD} and view.latest and view.latest.cause:
            parts += [Text(), Text.assemble((view.name, "bold"), f"  {view.link}")]
            parts += cause_lines(terminal, view.latest.cause, overview.at)
        elif view.light is Light.BLOCKED and view.blocked:
            parts += [Text(), Text.assemble((view.name, "bold"), f"  {view.link}")]
            parts += _blocked(terminal, view)
    if overview.overdue:
        parts += [Text(), *overdue_lines(terminal, list(overview.overdue))]
    for media in overview.overdue_media:
        parts += [Text(), Text(_overdue(terminal, media), style="bold red")]
    for request in overview.overdue_requests:
        parts += [Text(), Text(_overdue_request(terminal, request), style="bold red")]
    for incident in overview.incidents:
        style = "bold red" if incident.is_late else "yellow"
        parts += [Text(), Text(_incident(terminal, incident), style=style)]
    return Group(*parts)


def _overdue(terminal: Terminal, media: OverdueMedia) -> str:
    labels, day = "、".join(media.labels), media.return_by.isoformat()
    return terminal.t(
        f"媒体 {labels} が返却期日 {day} を過ぎています（あて先 {media.to_site}）。"
        f"kumobashi courier show {media.permit}",
        f"Media {labels} were due on {day} (to {media.to_site});"
        f" kumobashi courier show {media.permit}",
    )


def _overdue_request(terminal: Terminal, late: OverdueRequest) -> str:
    day = late.due.isoformat()
    if late.awaits == "receivers":
        return terminal.t(
            f"{late.kind_ja}の提供先の確認が期限 {day} を過ぎています。"
            f"kumobashi request show {late.request}",
            f"Receivers should have confirmed a {late.kind} by {day};"
            f" kumobashi request show {late.request}",
        )
    return terminal.t(
        f"{late.kind_ja}の決定が期限 {day} を過ぎています。kumobashi request show {late.request}",
        f"A {late.kind} request was due on {day}; kumobashi request show {late.request}",
    )


def _incident(terminal: Terminal, found: OpenIncident) -> str:
    """Return an open incident with its two clocks."""
    end = found.incident[-8:]
    if found.link is None:
        return terminal.t(
            f"漏えい等の事案 {end} の記録が書いたときのままではありません。kumobashi incident list",
            f"The record of incident {end} is not as it was written; kumobashi incident list",
        )
    words = {"prompt": ("速報", "prompt report"), "final": ("確報", "final report")}
    clocks = []
    for one in found.clocks:
        name, left = terminal.t(*words[one.report]), one.days_left
        if one.level == "done":
            clocks.append(terminal.t(f"{name} 済", f"{name} filed"))
        elif one.level == "overdue":
            clocks.append(
                terminal.t(f"{name} {one.due} を {-left} 日超過", f"{name} {-left} days late")
            )
        else:
            clocks.append(
                terminal.t(f"{name} {one.due} まであと {left} 日", f"{name} in {left} days")
            )
    told = terminal.t("、", ", ").join(clocks)
    return terminal.t(
        f"漏えい等の事案 {end}（{found.link}）: {told}。kumobashi incident show {end}",
        f"Incident {end} ({found.link}): {told}; kumobashi incident show {end}",
    )


def draw_link(terminal: Terminal, view: LinkView, now: datetime) -> list[Text]:
    """Return one link in full."""
    t = terminal.t
    found = [
        Text.assemble(_light(terminal, view.light), "  ", (view.name, "bold"), f"  {view.link}"),
        Text(f"  {t('根拠', 'Basis')}: {terminal.say(view.legal_basis)}"),
    ]
    if view.daily:
        due = t(f"（期限 {view.deadline}）", f" (due {view.deadline})") if view.deadline else ""
        found.append(Text(f"  {t('予定', 'Schedule')}: {t('毎日', 'daily')} {view.daily}{due}"))
    if view.contact:
        found.append(
            Text(
                f"  {t('連絡先', 'Call')}: {view.contact.name}"
                f"  {view.contact.phone}（{view.contact.hours}）"
            )
        )
    found += _blocked(terminal, view)
    if view.latest:
        found += [Text(), headline(terminal, view.name, view.to_site_name, view.latest)]
        found += stage_lines(terminal, view.latest)
        found += [receipts_line(terminal, view.latest)]
        found += last_lines(terminal, view.latest, view.link, now)
        if view.latest.cause and view.latest.light is Light.RUNNING:
            found += cause_lines(terminal, view.latest.cause, now)
    return found


def draw_findings(terminal: Terminal, view: TransferView) -> Table | Text:
    """Return the findings of a transfer, or a sentence that there are none."""
    t = terminal.t
    if not view.findings:
        total = view.findings_total
        if not total:
            return Text(t("指摘はありません。", "There are no findings."))
        return Text(t(f"受け取り側の指摘 {total:,} 件。", f"{total:,} findings of the receiver."))
    table = plain_table()
    for title in (
        t("行", "Line"),
        t("項目", "Item"),
        t("内容", "What"),
        t("期待", "Expected"),
        t("実際", "Got"),
    ):
        table.add_column(title)
    table.add_column(t("行数", "Rows"), justify="right")
    for held in view.findings:
        line = f"{held.line:,}" if held.line is not None else t("全体", "whole")
        what = finding(held.code, terminal.lang)
        table.add_row(line, held.item, what, held.expected, held.got, f"{held.rows:,}")
    return table


def watch_all(terminal: Terminal, apis: Sequence[LocalApi]) -> Exit:
    """Refresh the table until Ctrl-C; in a pipe, print it again when it has changed."""

    def look() -> Group:
        return Group(*(draw(terminal, api.overview()) for api in apis))

    try:
        if terminal.out.is_terminal:
            with Live(look(), console=terminal.out, auto_refresh=False, screen=False) as live:
                while True:
                    time.sleep(_REFRESH_SECONDS)
                    live.update(look(), refresh=True)
        while True:
            terminal.out.print(look())
            time.sleep(_REFRESH_SECONDS)
    except KeyboardInterrupt:
        return Exit.OK


def _blocked(terminal: Terminal, view: LinkView) -> list[Text]:
    """Return why the plan refuses a link, one reason below the other."""
    head = Text.assemble(("  ⊘ ", "magenta"))
    return [
        line for words in view.blocked for line in hung(head, terminal.say(words), terminal.width)
    ]


def _answer(terminal: Terminal, links: Sequence[LinkView]) -> Text:
    """Return one sentence that answers first."""
    t = terminal.t
    if not links:
        return Text(t("連携はまだありません。", "No links yet."))
    counts = {light: sum(view.light is light for view in links) for light in _ORDER}
    if counts[Light.APPLIED] == len(links):
        return Text(t(f"{len(links)} 件すべて 取込済み", f"All {len(links)} applied"), "green")
    said = Text(t(f"{len(links)} 件中 ", f"Of {len(links)}: "))
    listed = [
        Text(
            t(
                f"{count} 件 {terminal.say(LIGHTS[light])}",
                f"{count} {terminal.say(LIGHTS[light])}",
            ),
            STYLES[light],
        )
        for light, count in counts.items()
        if count
    ]
    said.append_text(Text(t("、", ", ")).join(listed))
    return said


def _light(terminal: Terminal, light: Light) -> Text:
    return Text(f"{SIGNS[light]} {terminal.say(LIGHTS[light])}", STYLES[light])


def _row(terminal: Terminal, view: LinkView) -> tuple[Text | str, ...]:
    latest = view.latest
    name = Text.assemble(view.name, "\n", (view.link, "dim"))
    if latest is None or view.light is Light.BLOCKED:
        return (_light(terminal, view.light), name, "", "", "", "", "")
    rows = latest.rows_applied if latest.rows_applied is not None else latest.rows_released
    return (
        _light(terminal, view.light),
        name,
        f"{latest.business_date:%m-%d}",
        dots(latest),
        f"{rows:,}" if rows is not None else "",
        spent(latest.seconds),
        f"{latest.findings_total:,}" if latest.sealed_bytes is not None else "",
    )


def dots(view: TransferView) -> Text:
    """Return the four receipts as dots, in order."""
    stages = {stage.stage: stage.progress for stage in view.stages}
    signs = {
        Progress.DONE: ("●", "green"),
        Progress.FAILED: ("×", "bold red"),
        Progress.WAITING: ("◌", "yellow"),
    }
    line = Text()
    for name in _RECEIPTS:
        sign, style = signs.get(stages.get(name, Progress.AHEAD), ("○", "dim"))
        line.append(sign, style)
    return line
