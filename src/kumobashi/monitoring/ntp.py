"""Ask NTP servers what time it is (RFC 5905, client mode), each with little patience."""

import logging
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from kumobashi.monitoring.clocks import Skew

_SECONDS = 2
_LEAST = timedelta(milliseconds=1)
_UNSYNCHRONISED = 3  # leap indicator
_STRATA = range(1, 16)
log = logging.getLogger(__name__)


def ask(servers: Sequence[str]) -> Iterator[tuple[str, Skew]]:
    """Give what each server that answers says: how far it is ahead of here, give or take.

    A server is ``host`` or ``host:port``. One that says it does not know the time is left out.
    """
    import ntplib  # noqa: PLC0415 - only where servers are named

    client = ntplib.NTPClient()
    for server in servers:
        host, _, port = server.rpartition(":") if server.count(":") == 1 else (server, "", "")
        try:
            said: Any = client.request(host, version=4, port=port or "ntp", timeout=_SECONDS)
        except (ntplib.NTPException, OSError, ValueError):
            log.warning("a time server did not answer")
            continue
        if said.leap == _UNSYNCHRONISED or said.stratum not in _STRATA:
            continue
        far = said.delay / 2 + said.root_delay / 2 + said.root_dispersion
        within = max(_LEAST, timedelta(seconds=max(0.0, far)))
        yield f"ntp:{server}", Skew(ahead=timedelta(seconds=said.offset), within=within)
