"""What a watch needs from outside."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from kumobashi.directory.monitor_models import Probe
from kumobashi.monitoring.alerts import Alert
from kumobashi.monitoring.locating import Seen


class GatewaySource(Protocol):
    """The gateway that is watched."""

    async def look(self, known: str) -> Mapping[str, Any] | None:
        """Return what it says, without the settled part if that is ``known``; none: silence."""

    async def aclose(self) -> None:
        """Let go of the connection."""


class Prober(Protocol):
    """Tries connections."""

    async def probe(self, probes: Iterable[Probe]) -> Mapping[str, Seen]:
        """Return what each probe met, by its id."""


class Teller(Protocol):
    """Sees to it that people are told; durable when it returns, called in a worker thread."""

    def tell(self, alert: Alert) -> None:
        """Take an alert over."""
