"""Reach the desk of incidents: by the gateway of its site, or straight where none runs."""

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from kumobashi.cli.command import option
from kumobashi.cli.errors import GatewayRefused, Usage
from kumobashi.cli.signing_in import STDIN, signing_in
from kumobashi.cli.terminal import Terminal
from kumobashi.kernel import KumobashiError, to_wire
from kumobashi.kernel.time_errors import TimeUnfit
from kumobashi.kernel.time_texts import read_time

if TYPE_CHECKING:
    from kumobashi.planning.workspace import Workspace

Answer = dict[str, Any]
AnyFunction = TypeVar("AnyFunction", bound=Callable[..., Any])
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
UNKNOWN = "incident.unknown"
_ACCOUNT = option(
    "--account",
    required=True,
    metavar="NAME",
    ja="名乗る利用者（パスワードと確認コードを尋ねます）",
    en="The account to sign in as (password and code are asked for)",
)
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
            return desk.do(deed, body)
    except AlreadyRunning:
        return open_local_api(workspace, site).incidents(deed, body)


def ask_holder(
    terminal: Terminal, site: str | None, deed: str, said: Mapping[str, object]
) -> Answer:
    """Do one deed at the site that has the incident; the last one asked says what is wrong."""
    names = [site] if site else senders(terminal.workspace())
    for name in names[:-1]:
        try:
            ask(terminal, name, "show", {"incident": said["incident"]})
        except KumobashiError as error:
            code = error.said if isinstance(error, GatewayRefused) else error.code
            if code != UNKNOWN:
                raise
        else:
            return ask(terminal, name, deed, said)
    return ask(terminal, names[-1], deed, said)


def signed(function: AnyFunction) -> AnyFunction:
    """Add what every deed needs that is written down: who does it."""
    for one in (STDIN, _ACCOUNT):
        function = one(function)
    return function


def person(terminal: Terminal, said: dict[str, Any]) -> dict[str, object]:
    """Take the options of :func:`signed` out of ``said`` and return who signs in."""
    account, is_stdin = said.pop("account"), said.pop("password_stdin")
    return dict(signing_in(terminal, account, from_stdin=is_stdin is True))


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
        whole = f"{text}T00:00" if _DAY.fullmatch(text) else text  # a day begins at midnight
        return to_wire(read_time(whole, zone="Asia/Tokyo"))
    except TimeUnfit:
        raise Usage(
            what=f"日時を読めません: {text}（例 2026-11-20T10:00、日本時間）",
            what_en=f"no time: {text} (as in 2026-11-20T10:00, Japanese time)",
            command=f"kumobashi {command}",
        ) from None
