"""Metrics as Prometheus reads them; rendered from the state, so they are right after a restart."""

from collections import Counter
from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, Gauge, generate_latest


class Metrics:
    """The numbers of one site."""

    def __init__(self, site: str) -> None:
        self._site = site

    def text(
        self, *, outgoing: Iterable[str], incoming: Iterable[str], overdue: Mapping[int, int]
    ) -> str:
        """Return the transfers by state, sent and received, and overdue deletions by level."""
        registry = CollectorRegistry()
        gauge = Gauge(
            "kumobashi_transfers",
            "Transfers by side and state",
            ("site", "side", "state"),
            registry=registry,
        )
        for side, states in (("out", outgoing), ("in", incoming)):
            for state, count in Counter(states).items():
                gauge.labels(self._site, side, state).set(count)
        late = Gauge(
            "kumobashi_deletions_overdue",
            "Deletions that no receiver has proved in time, by level of lateness",
            ("site", "level"),
            registry=registry,
        )
        for level, count in overdue.items():
            late.labels(self._site, str(level)).set(count)
        return generate_latest(registry).decode()
