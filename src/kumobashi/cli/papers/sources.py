"""What commands of papers read: the plan of a link, and the registers of its agreements."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from kumobashi.cli.terminal import Terminal

if TYPE_CHECKING:
    from kumobashi.agreements.views import AgreementView
    from kumobashi.directory.entries import Directory
    from kumobashi.planning.plan import Plan
    from kumobashi.planning.workspace import Workspace


def directory_of(folder: Path) -> "Directory | None":
    """Return the signed directory of a folder; none: it cannot be read, and the plan says so."""
    from kumobashi.directory.errors import DirectoryFailed
    from kumobashi.kernel import SystemClock
    from kumobashi.planning.publishing import load_directory

    try:
        return load_directory(folder, now=SystemClock().now())
    except DirectoryFailed:
        return None


def plan_of(workspace: "Workspace", link: str, on: date) -> "Plan":
    """Return the plan of a link; raise ``LinkUnknown``."""
    from kumobashi.planning.plan import plan

    return plan(workspace, directory_of(workspace.folder), link, on=on)


def agreements_of(
    terminal: Terminal, workspace: "Workspace", link: str
) -> "list[AgreementView] | None":
    """Return the agreements of a link, the newest first; none: its gateway does not answer."""
    from kumobashi.cli.agreement.gateway import gateway_of
    from kumobashi.cli.errors import GatewayRefused
    from kumobashi.service.errors import GatewayDown

    try:
        views, _ = gateway_of(workspace, link).listed(link=link)
    except (GatewayDown, GatewayRefused) as silent:
        if not terminal.as_json:
            terminal.err.print(silent.say(terminal.lang), style="yellow", soft_wrap=True)
        return None
    return sorted(views, key=lambda one: one.agreement, reverse=True)
