"""Reach the desk of incidents: by the gateway of its site, or straight where none runs."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from kumobashi.cli.command import option
from kumobashi.cli.errors import GatewayRefused, Usage
from kumobashi.cli.terminal import Terminal
from kumobashi.kernel import JST, KumobashiError, to_wire

if TYPE_CHECKING:
    from kumobashi.planning.workspace import Workspace

Answer = dict[str, Any]
UNKNOWN = "incident.unknown"
SITE = option(
    "--site",
    metavar="SITE",
    ja="連携を送るサイト（既定: 連携を送るサイト全部から探す）",
    en="The sending site (default: all sites that send links are asked)",
)


def ask(terminal: Terminal, site: str, deed: str, said: Mapping[str, object]) -> Answer:
    """Do one deed at the desk of a site.

    Raises:
        PaperFailed, GatewayRefused, GatewayDown: it was not done.
    """
    from kumobashi.cli.local_api import open_local_api
    from kumobashi.kernel import SystemClock
    from kumobashi.service.incident_desk import desk_of
    from kumobashi.storage.errors import AlreadyRunning

    workspace = terminal.workspace()
    body = {name: value for name, value in said.items() if value is not None}
    try:
        with desk_of(workspace, site, SystemClock()) as desk:
            return desk.do(deed, body, by="operator")
    except AlreadyRunning:
        return open_local_api(workspace, site).incidents(deed, body)


def ask_holder(
    terminal: Terminal, site: str | None, deed: str, said: Mapping[str, object]
) -> Answer:
    """Do one deed at the site that has the incident; the last one asked says what is wrong."""
    names = [site] if site else senders(terminal.workspace())
    for name in names[:-1]:
        try:
            return ask(terminal, name, deed, said)
        except KumobashiError as error:
            code = error.said if isinstance(error, GatewayRefused) else error.code
            if code != UNKNOWN:
                raise
    return ask(terminal, names[-1], deed, said)


def senders(workspace: "Workspace") -> list[str]:
    """Return the sites that send links."""
    return sorted({workspace.systems[link.from_].site for link in workspace.links.values()})


def moment(text: str | None, command: str) -> str | None:
    """Return a time as the wire has it; without a zone it is Japanese time.

    Raises:
        Usage: it is no time.

    >>> moment("2026-11-20 10:00", "incident open")
    '2026-11-20T01:00:00.000000Z'
    """
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Usage(
            what=f"日時を読めません: {text}（例 2026-11-20T10:00、日本時間）",
            what_en=f"no time: {text} (as in 2026-11-20T10:00, Japanese time)",
            command=f"kumobashi {command}",
        ) from None
    return to_wire(at if at.tzinfo else at.replace(tzinfo=JST))
