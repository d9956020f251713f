"""What another gateway refused with, told on to the system that asked."""

import json

from kumobashi.calls.errors import CallFailed, NotHere, PeerSilent, RelayedRefusal, Side
from kumobashi.calls.header import CallHeader
from kumobashi.calls.relaying import about
from kumobashi.calls.sites import Sites
from kumobashi.crypto.errors import SignatureReplayed


def refusal(status: int, body: bytes, header: CallHeader, sites: Sites) -> CallFailed:
    """Return what another gateway refused with, to be passed on as it said it."""
    try:
        said = json.loads(body)
    except ValueError:
        said = None
    said = said if isinstance(said, dict) else {}
    code = str(said.get("code", f"http.{status}"))[:80]
    if code == NotHere.code:
        return NotHere(service=header.asked, site=header.answering_site)
    if code == SignatureReplayed.code:  # it came twice: the first one was taken
        return PeerSilent(**about(header.answering_site, sites))
    side = said.get("side")
    is_between = said.get("said_by", header.answering_site) != header.answering_site
    their = Side.RELAY if is_between else Side.ANSWERING_GATEWAY
    return RelayedRefusal(
        code=code,
        said=said,
        side=Side(side) if side in set(Side) else their,
        status=status if status >= 400 else 502,  # noqa: PLR2004 - HTTP
    )
