"""``kumobashi papers register | assessment | templates``."""

from pathlib import Path

import click

from kumobashi.cli.command import command, option
from kumobashi.cli.errors import Usage
from kumobashi.cli.papers.sources import agreements_of, plan_of
from kumobashi.cli.papers.telling import HTML, tell_paper, tell_papers
from kumobashi.cli.terminal import Terminal


@command(
    "register",
    ja="個人情報ファイル簿の下書き。人のデータを持つデータセットごとに1枚です。",
    en="A draft of the register of personal information files: a sheet for each dataset.",
    example="kumobashi papers register --html register.html",
)
@option("--system", metavar="SYSTEM", ja="このシステムだけ", en="Only this system")
@option(
    "--csv",
    "table",
    type=click.Path(path_type=Path, dir_okay=False, writable=True),
    metavar="FILE",
    ja="表計算ソフトで開ける CSV に書き出す",
    en="Write CSV that spreadsheets open",
)
@HTML
def register(
    terminal: Terminal, *, system: str | None, table: Path | None, page: Path | None
) -> None:
    """Draft the register."""
    from kumobashi.kernel import SystemClock
    from kumobashi.papers.printing import FOLDER, render
    from kumobashi.papers.register import as_csv, register_of

    workspace = terminal.workspace()
    if system is not None and system not in workspace.systems:
        known = ", ".join(sorted(workspace.systems))
        raise Usage(
            what=f"システム「{system}」はありません（{known}）",
            what_en=f"there is no system {system!r}: {known}",
            command="kumobashi papers register",
        )
    papers = [
        paper
        for paper in register_of(workspace, now=SystemClock().now())
        if system in {None, paper.facts["system"]}
    ]
    if table:
        table.write_text(as_csv(papers), encoding="utf-8-sig", newline="")
        if not page and not terminal.as_json:
            said = terminal.t(f"書き出しました: {table}", f"Written: {table}")
            terminal.out.print(said, soft_wrap=True, markup=False, highlight=False)
            return
    if not papers and not terminal.as_json:
        terminal.out.print(terminal.t("人のデータはありません。", "No data about persons."))
        return
    page_text = render(*papers, folder=workspace.folder / FOLDER) if papers else ""
    tell_papers(terminal, [paper.plain() for paper in papers], page_text, page)


@command(
    "assessment",
    ja="特定個人情報保護評価に要る事実の下書き。連携基盤が知らないところは空欄です。",
    en="Facts for the privacy impact assessment of a link; what is not known is left blank.",
    example="kumobashi papers assessment --link notice-attributes --html assessment.html",
)
@option("--link", required=True, metavar="LINK", ja="連携", en="The link")
@HTML
def assessment(terminal: Terminal, *, link: str, page: Path | None) -> None:
    """Draft the facts."""
    from kumobashi.kernel import SystemClock, business_date
    from kumobashi.papers.assessed import Assessed
    from kumobashi.papers.assessment import assessment_paper
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
