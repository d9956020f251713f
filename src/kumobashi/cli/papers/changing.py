"""``kumobashi papers change``: whether a change is an important one."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kumobashi.cli.command import command, option
from kumobashi.cli.exits import Exit
from kumobashi.cli.papers.sources import agreements_of, plan_of
from kumobashi.cli.papers.telling import HTML, tell_paper
from kumobashi.cli.terminal import Terminal

if TYPE_CHECKING:
    from kumobashi.papers.important import Party, Side
    from kumobashi.planning.approvals import ApprovalFile
    from kumobashi.planning.workspace import Workspace


@command(
    "change",
    ja="承認した判定といまを比べ、変更ごとに重要な変更に当たるかを示します。\n"
    "当たるものがあれば 1、人の判断が要るものがあれば 5、なければ 0 で終わります。",
    en="Compare what was approved with what is at hand: is each change an important one?\n"
    "Ends with 1 when one is, 5 when a person must judge, 0 otherwise.",
    example="kumobashi papers change --link notice-attributes",
)
@option("--link", required=True, metavar="LINK", ja="連携", en="The link")
@option(
    "--since",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="FILE",
    ja="前の承認のファイル（既定: approvals/ にあるもの）",
    en="The approval of before (default: the one in approvals/)",
)
@option(
    "--before",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    metavar="DIR",
    ja="変更前の連携設定フォルダ（提供ルールの条件まで比べます）",
    en="The workspace of before; conditions of the rule are compared too",
)
@option(
    "--no-processors",
    is_flag=True,
    ja="委託先を比べない（既定は、利用協議の台帳を送り側のゲートウェイに尋ねて比べる）",
    en="Do not compare processors (default: by the registers of agreements, at the gateway)",
)
@HTML
def change(
    terminal: Terminal,
    *,
    link: str,
    since: Path | None,
    before: Path | None,
    no_processors: bool,
    page: Path | None,
) -> Exit:
    """Compare, judge and tell."""
    from kumobashi.cli.errors import Usage
    from kumobashi.kernel import SystemClock, business_date
    from kumobashi.papers.comparing import change_paper, side_of_plan, two_registers
    from kumobashi.papers.important import judge, unread_registers, verdict_of
    from kumobashi.papers.printing import FOLDER, render

    if since and before:
        raise Usage(
            what="--since と --before は、どちらか1つです。",
            what_en="Give --since or --before, not both.",
            command="kumobashi papers change",
        )
    now = SystemClock().now()
    on = business_date(now)
    workspace = terminal.workspace()
    made = plan_of(workspace, link, on)
    views = agreements_of(terminal, workspace, link) if not no_processors else []
    registers = two_registers(views or [])
    old, name = _before(workspace, link, since, before, on=on, registers=registers)
    new = side_of_plan(made, workspace, registers[1] if registers else None)
    judged = judge(old, new, names=made.names, on=on)
    if views is None:
        judged = (*judged, unread_registers(on=on))
    paper = change_paper(
        made,
        judged,
        compared_with=name,
        has_registers=registers is not None,
        town=workspace.municipality.municipality.name,
        now=now,
    )
    tell_paper(terminal, paper.plain(), render(paper, folder=workspace.folder / FOLDER), page)
    return {"yes": Exit.RED, "ask": Exit.HELD, "no": Exit.OK}[verdict_of(judged)]


def _before(
    workspace: "Workspace",
    link: str,
    since: Path | None,
    before: Path | None,
    *,
    on: date,
    registers: "tuple[tuple[Party, ...], tuple[Party, ...]] | None",
) -> "tuple[Side, str]":
    """Return the side of before and what it is called; raise ``NothingToCompare``."""
    from kumobashi.papers.comparing import side_of_approval, side_of_plan
    from kumobashi.papers.errors import NothingToCompare
    from kumobashi.planning.plan import plan
    from kumobashi.planning.workspace import load

    held = registers[0] if registers else None
    if before:
        from kumobashi.cli.papers.sources import directory_of

        older = load(before)
        if link not in older.links:
            raise NothingToCompare(link=link)
        # The directory of today: whose keys count is not what is compared.
        made = plan(older, directory_of(workspace.folder), link, on=on)
        return side_of_plan(made, older, held), f"フォルダ {before.name}（判定 {made.number}）"
    approval = _approval(since) if since else workspace.approvals.get(link)
    if approval is None or approval.link != link:
        raise NothingToCompare(link=link)
    said = f"承認 {approval.at.date().isoformat()} {approval.by}（{approval.hash[7:15].upper()}）"
    return side_of_approval(approval, workspace.tables, processors=held, on=on), said


def _approval(path: Path) -> "ApprovalFile":
    """Read an approval; raise ``WorkspaceBroken`` with its mistakes."""
    from kumobashi.planning.approvals import ApprovalFile
    from kumobashi.planning.errors import WorkspaceBroken
    from kumobashi.storage.documents import Document, read

    document = read(path, ApprovalFile, root=path.parent)
    if isinstance(document, Document):
        return document.value
    raise WorkspaceBroken(document)
