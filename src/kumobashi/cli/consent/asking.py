"""Reach the ledger: by the gateway of its site, or straight where no gateway runs."""

import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Any

import click

from kumobashi.cli.command import option
from kumobashi.cli.errors import Usage
from kumobashi.cli.terminal import Terminal

if TYPE_CHECKING:
    from kumobashi.planning.workspace import Workspace
    from kumobashi.service.consent_desk import ConsentDesk

Answer = dict[str, Any]
SITE = option(
    "--site",
    metavar="SITE",
    ja="台帳のあるサイト（既定: 符号の鍵を持つサイト）",
    en="The site of the ledger (default: the one that has the secret of tokens)",
)


def ask(terminal: Terminal, site: str | None, deed: str, said: Mapping[str, object]) -> Answer:
    """Do one deed at the ledger.

    Raises:
        ConsentFailed, GatewayRefused: it was not done.
    """
    from kumobashi.cli.local_api import open_local_api
    from kumobashi.storage.errors import AlreadyRunning

    workspace = terminal.workspace()
    name = site or ledger_site(workspace)
    try:
        return at_desk(workspace, name, lambda desk: desk.do(deed, said, by="operator"))
    except AlreadyRunning:
        return open_local_api(workspace, name).consents(deed, said)


def at_desk(workspace: "Workspace", site: str, work: "Callable[[ConsentDesk], Answer]") -> Answer:
    """Open the state of a site and do something at its desk; raise ``AlreadyRunning``."""
    from kumobashi.identity import Accounts
    from kumobashi.kernel import SystemClock
    from kumobashi.service.consent_desk import ConsentDesk
    from kumobashi.service.consents import consents_of

    clock = SystemClock()
    with consents_of(workspace, site, clock) as consents:
        accounts = closing(
            Accounts(
                workspace.folder / "private" / site,
                tenant=workspace.municipality.municipality.code,
                site=site,
                clock=clock,
            )
        )
        with accounts as known:
            return work(ConsentDesk(consents, clock, known))


def ledger_site(workspace: "Workspace") -> str:
    """Return the site that has the secret of tokens, and so the ledger."""
    private = workspace.folder / "private"
    found = [name for name in sorted(workspace.sites) if (private / name / "token.key").exists()]
    if len(found) != 1:
        raise Usage(
            what="台帳のあるサイトを --site で示してください。",
            what_en="Name the site of the ledger with --site.",
            command="kumobashi consent",
        )
    return found[0]


def number_from(
    terminal: Terminal, *, words: tuple[str, str] = ("宛名番号", "Resident number")
) -> str:
    """Return a resident's number: typed unseen, or the next line of standard input.

    It is no argument: the list of processes and the history of the shell would show it.
    """
    if sys.stdin.isatty():
        return str(click.prompt(terminal.t(*words), hide_input=True, err=True)).strip()
    return sys.stdin.readline().strip()
