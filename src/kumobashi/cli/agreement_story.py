"""A clerk's story in the demo: from an application to the notice of decision, ready to print."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from kumobashi.cli.terminal import Terminal
from kumobashi.kernel import SystemClock

if TYPE_CHECKING:
    from kumobashi.cli.agreement.gateway import AgreementGateway
    from kumobashi.planning.workspace import Workspace

_DONE = {
    "submit": ("申請", "applied"),
    "review": ("審査（所管課）", "reviewed"),
    "concur": ("合議（総務課）", "concurred"),
    "approve": ("決定", "decided"),
}


def tell_agreement(
    terminal: Terminal, workspace: "Workspace", link: str, first: date, paper: Path
) -> dict[str, str]:
    """Let four people of the sample take an application through; write the notice to ``paper``.

    Returns what machines are told: number, state and file.
    """
    from kumobashi.cli.agreement.gateway import gateway_of
    from kumobashi.identity import Accounts
    from kumobashi.testing.agreement_story import PEOPLE, Staff, walk

    gateway: AgreementGateway = gateway_of(workspace, link)
    clock = SystemClock()
    accounts = Accounts(
        workspace.folder / "private" / gateway.site,
        tenant=workspace.municipality.municipality.code,
        site=gateway.site,
        clock=clock,
    )
    last = date(first.year + (first.month > 3), 3, 31)  # noqa: PLR2004 - of the fiscal year
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    staff = Staff(accounts, clock)
    try:
        for told in walk(gateway.post, staff, link, first, last):
            agreement = told.agreement
            who = terminal.t(PEOPLE[told.who][0], told.who)
            table.add_row(Text("✓", "green"), terminal.t(*_DONE[told.what]), who)
    finally:
        staff.leave()
        accounts.close()
    notice = gateway.paper(agreement["agreement"], "notice")
    paper.write_text(notice, encoding="utf-8", newline="\n")
    if not terminal.as_json:
        terminal.out.print(table)
        said = terminal.t(
            f"{agreement['number']}: {agreement['state_ja']}（{first} から {last} まで）。"
            f"連携設定フォルダの {paper.name} を印刷できます。",
            f"{agreement['number']}: {agreement['state']} from {first} to {last}."
            f" {paper.name} in the workspace can be printed.",
        )
        terminal.out.print(said)
    return {"number": agreement["number"], "state": agreement["state"], "notice": str(paper)}
