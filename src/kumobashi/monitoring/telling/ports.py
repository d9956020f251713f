"""What telling needs from outside: the plan with its channels, and the record of faults."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from kumobashi.directory.alert_models import AlertsFile
from kumobashi.exchange.views import Words
from kumobashi.monitoring.channels.ports import Channel


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """``alerts.yaml`` as it is now, and its channels by name."""

    plan: AlertsFile
    channels: Mapping[str, Channel]


class FaultRecord(Protocol):
    """The faults that alerts are of; an alert may also be of none of them."""

    def takers(self, faults: Sequence[str]) -> Mapping[str, str]:
        """Return who sees to those of some faults that somebody sees to."""

    def take(self, fault: str, by: str) -> None:
        """Note that somebody sees to a fault."""

    def told(self, fault: str, words: Words) -> None:
        """Note who was told of a fault, and how."""
