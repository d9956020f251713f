"""``kumobashi plan``: the dry run of links, and its approval."""

import getpass
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from kumobashi.cli.command import command, option
from kumobashi.cli.exits import Exit
from kumobashi.cli.progress import bar
from kumobashi.cli.terminal import Terminal

if TYPE_CHECKING:
    from concurrent.futures import Future

    from kumobashi.directory.entries import Directory
    from kumobashi.kernel import KumobashiError, Language
    from kumobashi.planning.call_plan import CallPlan
    from kumobashi.planning.call_story import CallStory
    from kumobashi.planning.campaign_story import CampaignLine
    from kumobashi.planning.fictional import Example
    from kumobashi.planning.measured import Measured
    from kumobashi.planning.plan import Plan
    from kumobashi.planning.story import Story
    from kumobashi.planning.timing import Past
    from kumobashi.planning.told import Told
    from kumobashi.planning.verdict_rendering import VerdictView
    from kumobashi.planning.workspace import Workspace
    from kumobashi.release.comparing import Way
    from kumobashi.release.gate_report import GateReport


Served = tuple[Sequence["CampaignLine"], Sequence["Way"]]
_NO_CAMPAIGNS: Served = ((), ())


@command(
    "plan",
    ja="事前点検: 何が・どの根拠で・どれだけ粗く・どこを通って出るかを、何も送らずに示します。",
    en="The dry run: what would leave, on what basis, how coarse, which way. Nothing is sent.",
    example="kumobashi plan notice-attributes",
)
@click.argument("links", metavar="[LINK]...", nargs=-1)
@option("--approve", is_flag=True, ja="点検した内容を承認する", en="Approve what the plan shows")
@option(
    "--by",
    metavar="NAME",
    ja="承認する人（既定: 端末の利用者名）",
    en="Who approves (default: this user)",
)
@option(
    "--count/--no-count",
    "wished",
    default=None,
    ja="件数と容量を数える・数えない（既定: 連携を名指ししたときと承認するときに数える）",
    en="Count rows and size or not (default: when links are named, or approved)",
)
@option(
    "--date",
    "on",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    ja="基準日（既定: 今日）",
    en="The base date (default: today)",
)
@option(
    "--html",
    "page",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    ja="申請に添える1つの HTML ファイルに書き出す（A4 で印刷できる）",
    en="Write one HTML file to attach to an application; it prints on A4",
)
def plan(
    terminal: Terminal,
    *,
    links: tuple[str, ...],
    approve: bool,
    by: str | None,
    wished: bool | None,
    on: date | None,
    page: Path | None,
) -> Exit:
    """Show and approve plans."""
    from kumobashi.kernel import SystemClock, business_date
    from kumobashi.planning.call_plan import CallPlan
    from kumobashi.planning.deciding import plan_of
    from kumobashi.planning.story import tell

    workspace = terminal.workspace()
    now = SystemClock().now()
    day = date.fromisoformat(f"{on:%Y-%m-%d}") if on else business_date(now)
    directory = published(terminal.folder)
    by_whom = by or getpass.getuser()
    is_counted = wished if wished is not None else bool(links) or approve
    names = links or sorted(workspace.every_link)
    plans = [plan_of(workspace, directory, name, on=day) for name in names]
    bulk = [one for one in plans if not isinstance(one, CallPlan)]
    stories: list[Told] = []
    with (
        _counting(workspace, bulk if is_counted else []) as counts,
        bar(terminal, "件数を数える", "Counting") as told,
    ):
        for done, decided in enumerate(plans):
            name = decided.link.link
            if isinstance(decided, CallPlan):  # nothing to count: nobody knows what will be asked
                stories.append(_of_call(workspace, decided, now, by_whom if approve else None))
                continue
            measured, why_not, served = None, None, _NO_CAMPAIGNS
            if count := counts.get(name):
                told(done, len(plans), name)
                try:
                    measured = count.result()
                    if links:  # one of them is looked at: the error table, too
                        served = _campaigns(workspace, decided, now, measured.gate)
                except _uncounted() as failed:  # the rest of the plan is worth reading all the same
                    if wished or approve:
                        raise
                    why_not = failed
            approval = workspace.approvals.get(name)
            if approve and decided.is_permitted:
                from kumobashi.planning.approval import approve as write_approval

                approval = write_approval(
                    workspace.folder, decided, by=by_whom, at=now, measured=measured
                )
            story = tell(
                workspace,
                decided,
                measured=measured,
                approval=approval,
                past=_past(workspace, decided),
                example=_example(workspace, decided) if links or page else None,
                why_not_counted=(why_not.say("ja"), why_not.say("en")) if why_not else None,
            )
            stories.append(replace(story, campaigns=tuple(served[0]), ways=tuple(served[1])))
    if page:
        from kumobashi.planning.page import page_of

        page.write_text(
            page_of(workspace, stories, at=now, lang=terminal.lang), encoding="utf-8", newline="\n"
        )
    _show(terminal, stories, is_one_by_one=bool(links), is_approved=approve, page=page)
    return worst_of([story.standing.value for story in stories])


def _uncounted() -> "tuple[type[KumobashiError], ...]":
    """Return what keeps rows from being counted; asked for only when something did."""
    from kumobashi.conversion.errors import ConversionFailed
    from kumobashi.release.errors import FindingsRefused, LedgerOutOfReach, TiesOutOfReach
    from kumobashi.storage.errors import StorageFailed
    from kumobashi.ties.errors import ServiceUnknown

    return (
        StorageFailed,
        ConversionFailed,
        FindingsRefused,
        LedgerOutOfReach,
        TiesOutOfReach,
        ServiceUnknown,
    )


def _of_call(
    workspace: "Workspace", decided: "CallPlan", now: datetime, by: str | None
) -> "CallStory":
    """Tell the plan of an online link, approved first where somebody approves it."""
    from kumobashi.planning.approval import approve
    from kumobashi.planning.call_story import tell_call

    approval = workspace.approvals.get(decided.link.link)
    if by is not None and decided.is_permitted:
        approval = approve(workspace.folder, decided, by=by, at=now, measured=None)
    return tell_call(workspace, decided, approval=approval)


def _counting(
    workspace: "Workspace", plans: "list[Plan]"
) -> AbstractContextManager["dict[str, Future[Measured]]"]:
    """Count those of the plans that permit their links."""
    permitted = [one for one in plans if one.is_permitted]
    if not permitted:
        return nullcontext({})
    from kumobashi.service.counting import counting  # loads Arrow and DuckDB

    return counting(workspace, permitted)


def _show(
    terminal: Terminal,
    stories: "list[Told]",
    *,
    is_one_by_one: bool,
    is_approved: bool,
    page: Path | None,
) -> None:
    """Print the plans, for people or for machines."""
    if terminal.as_json:
        found = [_json(story) for story in stories]
        terminal.emit(found[0] if is_one_by_one and len(found) == 1 else found)
        return
    from kumobashi.planning.overview import PlansView

    if not is_one_by_one:
        terminal.out.print(PlansView(stories, lang=terminal.lang))
    for number, story in enumerate(stories if is_one_by_one else ()):
        if number:
            terminal.out.print()
        terminal.out.print(_view(story, terminal.lang))
    for story in stories if is_approved else ():
        if story.plan.is_permitted:
            file = f"approvals/{story.plan.link.link}.yaml"
            said = terminal.t(f"承認しました: {file}", f"Approved: {file}")
            terminal.out.print(f"[bold green]✓[/] {said}")
    if page:
        said = terminal.t(f"書き出しました: {page}", f"Written: {page}")
        terminal.out.print(f"[bold green]✓[/] {said}", soft_wrap=True)


def _json(story: "Told") -> "dict[str, Any]":
    from kumobashi.planning.call_json import call_json
    from kumobashi.planning.call_story import CallStory
    from kumobashi.planning.plan_json import story_json

    return call_json(story) if isinstance(story, CallStory) else story_json(cast("Story", story))


def _view(story: "Told", lang: "Language") -> "VerdictView[Any]":
    from kumobashi.planning.call_rendering import CallView
    from kumobashi.planning.call_story import CallStory
    from kumobashi.planning.rendering import PlanView

    if isinstance(story, CallStory):
        return CallView(story, lang=lang)
    return PlanView(cast("Story", story), lang=lang)


def published(folder: Path) -> "Directory | None":
    """Return the signed directory, or nothing when none was published: the plan says so itself."""
    from kumobashi.directory.errors import DirectoryMissing
    from kumobashi.kernel import SystemClock
    from kumobashi.planning.publishing import load_directory

    try:
        return load_directory(folder, now=SystemClock().now())
    except DirectoryMissing:
        return None


def worst_of(standings: "list[str]") -> Exit:
    """Return the exit code of many plans: refused before drifted before ready."""
    if "refused" in standings:
        return Exit.REFUSED
    return Exit.DRIFTED if "drifted" in standings else Exit.OK


def _example(workspace: "Workspace", decided: "Plan") -> "Example":
    from kumobashi.planning.fictional import example_of  # loads DuckDB

    return example_of(workspace, decided.link, on=decided.on)


def _campaigns(
    workspace: "Workspace", decided: "Plan", now: datetime, gate: "GateReport | None"
) -> "Served":
    """Return the campaigns that a link serves and their three ways, counted; nothing leaves."""
    from kumobashi.service.campaign_counts import campaigns_of_plan

    return campaigns_of_plan(workspace, decided.link, on=decided.on, now=now, gate=gate)


def _past(workspace: "Workspace", decided: "Plan") -> "list[Past]":
    """Return how long the last runs took, as the sender's gateway on this machine noted it."""
    from kumobashi.exchange.past_runs import past_runs

    site = workspace.systems[decided.link.from_].site
    return past_runs(
        workspace.folder / "var" / site / "state.db",
        tenant=workspace.municipality.municipality.code,
        link=decided.link.link,
    )
