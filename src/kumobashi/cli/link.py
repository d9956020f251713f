"""``kumobashi link``: run links, see how they stand, decide on held ones."""

from typing import TYPE_CHECKING

import click

from kumobashi.cli.command import Group, command, option
from kumobashi.cli.errors import NothingRuns
from kumobashi.cli.exits import Exit, exit_of_transfer
from kumobashi.cli.holding import lines, pause, resume
from kumobashi.cli.interconnection import test, verify_test
from kumobashi.cli.local_api import LocalApi, Watched, open_local_api, sender_of
from kumobashi.cli.terminal import Terminal
from kumobashi.exchange.views import Light, LinkView, TransferView
from kumobashi.kernel import SystemClock

if TYPE_CHECKING:
    from kumobashi.cli.watching import Watching
    from kumobashi.planning.workspace import Workspace

link = Group(
    "link",
    ja="連携を動かし、状況を見て、承認待ちを決めます。",
    en="Run links, see how they stand, decide on held ones.",
    example="kumobashi link status",
)


@command(
    "run",
    ja="連携を実行します。同じ日の分が途中ならその続きを見ます。何度実行しても取り込みは一度だけです。",
    en="Run a link for a day, or attach to that day's run; however often, rows are applied once.",
    example="kumobashi link run notice-attributes --date 2026-11-21",
)
@click.argument("name", metavar="LINK")
@option(
    "--date",
    "on",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    ja="何日分か（既定: 今日）",
    en="The business date (default: today)",
)
@option(
    "--resume",
    is_flag=True,
    ja="途中の転送の続きを見る（付けなくても同じです）",
    en="Attach to the unfinished run (the same without it)",
)
@option(
    "--again", is_flag=True, ja="取込済みの日をもう一度送る", en="Send a day anew that was applied"
)
@option(
    "--full", is_flag=True, ja="差分の連携で全件を送る", en="Send everything on a difference link"
)
@option("--no-wait", is_flag=True, ja="始めたら待たずに終わる", en="Start it and do not wait")
@option(
    "--timeout",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    ja="見ている時間の上限（転送は続きます）",
    en="Watch no longer than this (the transfer goes on)",
)
def run(
    terminal: Terminal,
    *,
    name: str,
    on: object,
    resume: bool,  # noqa: ARG001 - running again is resuming
    again: bool,
    full: bool,
    no_wait: bool,
    timeout: float | None,
) -> Exit:
    """Run a link."""
    workspace = terminal.workspace()
    api = sender_of(workspace, name)
    day = f"{on:%Y-%m-%d}" if on else None
    watched = api.run(name, on=day, again=again, full=full)
    if no_wait:
        return _started(terminal, watched)
    watching = _watching(terminal, workspace, api, name, timeout)
    if not terminal.as_json and not watched.is_new and watched.transfer.light is Light.APPLIED:
        terminal.out.print(
            terminal.t(
                "この日の分はもう取り込まれています。もう一度送るなら --again を付けてください。",
                "This day was applied already; --again sends it anew.",
            )
        )
    return _watch(terminal, watching, watched)


@command(
    "status",
    ja="連携状況一覧。対応が必要なものが上に来ます。1つでも赤ければ終了コードは 1 です。",
    en="The state of all links, what needs a person first; exit code 1 when anything is red.",
    example="kumobashi link status",
)
@option(
    "--watch",
    is_flag=True,
    ja="終えるまで更新し続ける（Ctrl-C）",
    en="Keep refreshing until Ctrl-C",
)
def status(terminal: Terminal, *, watch: bool) -> Exit:
    """Show all links of all sites that send any."""
    from kumobashi.cli.status import draw, watch_all

    workspace = terminal.workspace()
    sites = sorted(
        {workspace.systems[declared.from_].site for declared in workspace.links.values()}
    )
    apis = [open_local_api(workspace, site) for site in sites]
    if watch and not terminal.as_json:
        return watch_all(terminal, apis)
    if terminal.as_json:
        found = [api.plain_overview() for api in apis]
        terminal.emit(found[0] if len(found) == 1 else found)
    overviews = [api.overview() for api in apis]
    if not terminal.as_json:
        for overview in overviews:
            terminal.out.print(draw(terminal, overview))
    return Exit.RED if any(overview.is_red for overview in overviews) else Exit.OK


@command(
    "show",
    ja="1つの連携の最新の転送を、段階・到達確認・原因・連絡先とともに示します。",
    en="The newest transfer of a link: stages, receipts, cause, whom to call.",
    example="kumobashi link show notice-attributes",
)
@click.argument("name", metavar="LINK")
def show(terminal: Terminal, *, name: str) -> Exit:
    """Show one link."""
    from kumobashi.cli.status import draw_link

    view = _view(sender_of(terminal.workspace(), name), name)
    if terminal.as_json:
        from kumobashi.service.local_api import plain

        terminal.emit(plain(view))
    else:
        for line in draw_link(terminal, view, SystemClock().now()):
            terminal.out.print(line, soft_wrap=True)
    return Exit.RED if view.light in {Light.STOPPED, Light.REFUSED} else Exit.OK


@command(
    "accept",
    ja="承認の範囲を外れて待っている転送を、確かめたうえで送ります。",
    en="Let a transfer go on that is held for being outside the approved bounds.",
    example="kumobashi link accept notice-attributes",
)
@click.argument("name", metavar="LINK")
@option("--no-wait", is_flag=True, ja="始めたら待たずに終わる", en="Start it and do not wait")
def accept(terminal: Terminal, *, name: str, no_wait: bool) -> Exit:
    """Accept the counts of a held transfer."""
    workspace = terminal.workspace()
    api = sender_of(workspace, name)
    held = _latest(api, name, {Light.HELD}, "承認待ちの転送", "held transfer")
    watched = api.accept(held.transfer)
    if no_wait:
        return _started(terminal, watched)
    return _watch(terminal, _watching(terminal, workspace, api, name, None), watched)


@command(
    "cancel",
    ja="まだ送っていない転送を取りやめます。",
    en="Give up a transfer that was not sent yet.",
    example="kumobashi link cancel notice-attributes",
)
@click.argument("name", metavar="LINK")
def cancel(terminal: Terminal, *, name: str) -> Exit:
    """Cancel a held or unsent transfer."""
    api = sender_of(terminal.workspace(), name)
    unsent = {Light.HELD, Light.RUNNING, Light.WAITING, Light.STOPPED}
    found = _latest(api, name, unsent, "まだ送っていない転送", "transfer that was not sent yet")
    watched = api.do("cancel", found.transfer)
    if terminal.as_json:
        return _emit(terminal, watched, Exit.OK)
    terminal.out.print(
        terminal.t(
            f"取りやめました（{watched.transfer.business_date} 分）。何も送っていません。",
            f"Cancelled ({watched.transfer.business_date}); nothing was sent.",
        )
    )
    return Exit.OK


@command(
    "findings",
    ja="最新の転送の指摘（行・項目・期待・実際）を一覧にします。",
    en="List the findings of the newest transfer: line, item, expected, got.",
    example="kumobashi link findings notice-attributes",
)
@click.argument("name", metavar="LINK")
def findings(terminal: Terminal, *, name: str) -> Exit:
    """List findings."""
    from kumobashi.cli.status import draw_findings

    api = sender_of(terminal.workspace(), name)
    latest = _latest(api, name, set(Light), "転送", "transfer")
    if terminal.as_json:
        from kumobashi.service.local_api import plain

        terminal.emit(
            {
                "transfer": latest.transfer,
                "total": latest.findings_total,
                "findings": plain(latest.findings),
            }
        )
    else:
        terminal.out.print(draw_findings(terminal, latest))
    return Exit.OK


for _command in (
    run,
    status,
    show,
    accept,
    cancel,
    findings,
    pause,
    resume,
    lines,
    test,
    verify_test,
):
    link.add_command(_command)


def _view(api: LocalApi, name: str) -> LinkView:
    for view in api.overview().links:
        if view.link == name:
            return view
    raise NothingRuns(link=name, wanted="状況", wanted_en="state")


def _latest(
    api: LocalApi, name: str, lights: set[Light], wanted: str, wanted_en: str
) -> TransferView:
    latest = _view(api, name).latest
    if latest is None or latest.light not in lights:
        raise NothingRuns(link=name, wanted=wanted, wanted_en=wanted_en)
    return latest


def _watching(
    terminal: Terminal, workspace: "Workspace", api: LocalApi, name: str, timeout: float | None
) -> "Watching":
    from kumobashi.cli.watching import Watching

    declared = workspace.link(name)
    site = workspace.sites[workspace.systems[declared.to.system].site]
    return Watching(
        terminal=terminal, api=api, name=declared.name, to_site=site.name, timeout=timeout
    )


def _watch(terminal: Terminal, watching: "Watching", watched: Watched) -> Exit:
    try:
        watched = watching.watch(watched)
    except KeyboardInterrupt:
        terminal.err.print(
            terminal.t(
                "見るのをやめました。転送はゲートウェイで続いています。"
                f"続きを見る: kumobashi link run {watched.transfer.link}"
                f" --date {watched.transfer.business_date} --resume",
                "Stopped watching; the gateway goes on with the transfer."
                f" Watch again: kumobashi link run {watched.transfer.link}"
                f" --date {watched.transfer.business_date} --resume",
            ),
            soft_wrap=True,
        )
        raise
    code = exit_of_transfer(watched.transfer.light)
    if terminal.as_json:
        return _emit(terminal, watched, code)
    if watched.transfer.light is Light.RUNNING:
        terminal.out.print(
            terminal.t(
                "時間になりました。転送は続いています。", "The time is up; the transfer goes on."
            )
        )
    return code


def _started(terminal: Terminal, watched: Watched) -> Exit:
    if terminal.as_json:
        return _emit(terminal, watched, Exit.OK)
    terminal.out.print(
        terminal.t(
            f"始めました: 転送 {watched.transfer.transfer}",
            f"Started: transfer {watched.transfer.transfer}",
        )
    )
    return Exit.OK


def _emit(terminal: Terminal, watched: Watched, code: Exit) -> Exit:
    from kumobashi.service.local_api import plain

    terminal.emit({"is_new": watched.is_new, "transfer": plain(watched.transfer)})
    return code
