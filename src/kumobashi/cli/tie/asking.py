"""Reach the book of ties: by the gateway of its site, or straight where no gateway runs."""

from collections.abc import Mapping

from kumobashi.cli.consent.asking import Answer, ledger_site
from kumobashi.cli.terminal import Terminal


def ask(terminal: Terminal, site: str | None, deed: str, said: Mapping[str, object]) -> Answer:
    """Do one deed at the desk of ties.

    Raises:
        TieFailed, ConsentFailed, GatewayRefused: it was not done.
    """
    from kumobashi.cli.local_api import open_local_api
    from kumobashi.kernel import SystemClock
    from kumobashi.service.consents import consents_of
    from kumobashi.service.tie_desk import TieDesk
    from kumobashi.storage.errors import AlreadyRunning

    workspace, clock = terminal.workspace(), SystemClock()
    name = site or ledger_site(workspace)
    try:
        with consents_of(workspace, name, clock) as consents:
            return TieDesk(consents, clock).do(deed, said, by="operator")
    except AlreadyRunning:
        return open_local_api(workspace, name).ties(deed, said)
