"""The accounts of one site, for commands."""

from typing import TYPE_CHECKING

from kumobashi.cli.terminal import Terminal

if TYPE_CHECKING:
    from kumobashi.identity import Accounts


def accounts_of(terminal: Terminal, site: str) -> "Accounts":
    """Return the accounts of a site; raise ``SiteMissing``."""
    from kumobashi.identity import Accounts
    from kumobashi.kernel import SystemClock
    from kumobashi.service.errors import SiteMissing

    workspace = terminal.workspace()
    if site not in workspace.sites:
        raise SiteMissing(site=site, known=", ".join(sorted(workspace.sites)))
    return Accounts(
        workspace.folder / "private" / site,
        tenant=workspace.municipality.municipality.code,
        site=site,
        clock=SystemClock(),
    )
