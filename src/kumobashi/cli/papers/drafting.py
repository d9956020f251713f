"""``kumobashi papers register | assessment | templates``."""

from pathlib import Path

from kumobashi.cli.command import command, option
from kumobashi.cli.papers.sources import agreements_of, plan_of
from kumobashi.cli.papers.telling import HTML, tell_paper
from kumobashi.cli.terminal import Terminal


@command(
    "assessment",
    ja="特定個人情報保護評価に要る事実の下書き。連携基盤が知らないところは空欄です。",
    en="Facts for the privacy impact assessment of a link; what is not known is left blank.",
    example="kumobashi papers assessment --link notice-attributes --html 評価の事実.html",
)
@option("--link", required=True, metavar="LINK", ja="連携", en="The link")
@HTML
def assessment(terminal: Terminal, *, link: str, page: Path | None) -> None:
    """Draft the facts."""
    from kumobashi.kernel import SystemClock, business_date
    from kumobashi.papers.assessment import Assessed, assessment_paper
    from kumobashi.papers.comparing import parties_of
    from kumobashi.papers.printing import FOLDER, render

    now = SystemClock().now()
    workspace = terminal.workspace()
    made = plan_of(workspace, link, business_date(now))
    views = agreements_of(terminal, workspace, link)
    force = next((one for one in views or [] if one.state == "in_force"), None)
    approval = workspace.approvals.get(link)
    known = Assessed(
        plan=made,
        workspace=workspace,
        approval=approval if approval and approval.hash == made.hash else None,
        processors=parties_of(force) if force else None,
    )
    paper = assessment_paper(known, now=now)
    tell_paper(terminal, paper.plain(), render(paper, folder=workspace.folder / FOLDER), page)


@command(
    "templates",
    ja="様式の差込項目を示します。--write で、様式を templates/papers に写します（直せます）。",
    en="Show the placeholders of the papers; --write copies the templates for editing.",
    example="kumobashi papers templates --write",
)
@option(
    "--write",
    "is_written",
    is_flag=True,
    ja="様式を写す（すでにあるものは、そのまま）",
    en="Copy the templates; those that are there stay",
)
def templates(terminal: Terminal, *, is_written: bool) -> None:
    """Show placeholders, or copy templates."""
    from kumobashi.papers.printing import FOLDER, MEANINGS, write_templates

    if is_written:
        names = [str(FOLDER / path.name) for path in write_templates(terminal.folder / FOLDER)]
        if terminal.as_json:
            terminal.emit({"written": names})
            return
        for name in names:
            words = terminal.t(f"書き出しました: {name}", f"Written: {name}")
            terminal.out.print(words, soft_wrap=True)
        if not names:
            terminal.out.print(
                terminal.t("様式は、すでにすべてあります。", "All templates are there already.")
            )
        return
    if terminal.as_json:
        terminal.emit({"placeholders": dict(MEANINGS)})
        return
    for name, meaning in MEANINGS.items():
        terminal.out.print(f"{name}: {meaning}", soft_wrap=True, markup=False, highlight=False)
