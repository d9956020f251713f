"""Metrics as Prometheus and OpenMetrics read them, from samples that were taken just now.

What is rendered is held to ``metric_families``: a sample of another name or with other labels is a
mistake of ours and raises. A label's value that could not be a name is never shown as it came.

>>> page = Page("hall-core")
>>> page.add("kumobashi_transfers", 3, "out", "applied")
>>> "applied" in page.text()[0].decode()
True
"""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from kumobashi.observe.metric_families import FAMILIES, Family, Kind
from kumobashi.observe.names import LEFT_OUT

OTHER: Final = "other"
MOST_SERIES: Final = 2_000
"""Of one family; beyond it nothing is added to that family."""
_LONGEST_ACCEPT: Final = 500
_VALUE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+:-]{0,126}")


@dataclass(slots=True)
class Tally:
    """How many seconds things took, by bucket; belongs to one thread.

    >>> tally = Tally((1.0, 10.0))
    >>> for seconds in (0.5, 10.0, 99.0):
    ...     tally.add(seconds)
    >>> tally.counts, tally.seconds
    ([1, 1, 1], 109.5)
    """

    bounds: tuple[float, ...]
    counts: list[int] = field(default_factory=list)
    seconds: float = 0.0

    def __post_init__(self) -> None:
        """Begin with nothing."""
        self.counts = self.counts or [0] * (len(self.bounds) + 1)

    def add(self, seconds: float) -> None:
        """Count one."""
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.seconds += seconds


Value = float | Tally


class Page:
    """The samples of one scrape."""

    def __init__(self, site: str) -> None:
        self._site = site
        self._samples: dict[str, dict[tuple[str, ...], Value]] = {}

    def add(self, name: str, value: Value, *labels: str) -> None:
        """Add a sample, its labels in the order of the family; equal ones are summed up."""
        family = FAMILIES[name]
        if len(labels) != len(family.labels):
            raise ValueError(f"{name} has the labels {family.labels}")
        held = self._samples.setdefault(name, {})
        key = tuple(safe(label) for label in labels)
        before = held.get(key)
        if before is None:
            if len(held) < MOST_SERIES:
                held[key] = value
        elif isinstance(value, Tally) and isinstance(before, Tally):
            counts = [a + b for a, b in zip(before.counts, value.counts, strict=True)]
            held[key] = Tally(before.bounds, counts, before.seconds + value.seconds)
        elif not isinstance(value, Tally) and not isinstance(before, Tally):
            held[key] = before + value

    def names(self) -> frozenset[str]:
        """Return which families have a sample."""
        return frozenset(self._samples)

    def text(self, accept: str = "") -> tuple[bytes, str]:
        """Return the page and its media type, as ``accept`` asks for it."""
        encode, media_type = choose_encoder(accept[:_LONGEST_ACCEPT])
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Samples(self._families))
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        return encode(registry), media_type

    def _families(self) -> Iterator[Metric]:
        for family in FAMILIES.values():
            if samples := self._samples.get(family.name):
                yield self._family(family, samples.items())

    def _family(self, family: Family, samples: Iterable[tuple[tuple[str, ...], Value]]) -> Metric:
        names = ("site", *family.labels)
        site = safe(self._site)
        made: CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily
        match family.kind:
            case Kind.COUNTER:
                made = CounterMetricFamily(family.name, family.help, labels=names)
            case Kind.GAUGE:
                made = GaugeMetricFamily(family.name, family.help, labels=names)
            case Kind.HISTOGRAM:
                made = HistogramMetricFamily(family.name, family.help, labels=names)
        for labels, value in samples:
            said = (site, *labels)
            if isinstance(made, HistogramMetricFamily):
                if isinstance(value, Tally):
                    made.add_metric(said, _buckets(value), value.seconds)
            elif not isinstance(value, Tally):
                made.add_metric(said, value)
        return made


class _Samples(Collector):
    def __init__(self, families: Callable[[], Iterator[Metric]]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        return self._families()


def safe(label: str) -> str:
    r"""Return a label's value if it could be a name, a code or a version, and ``other`` if not.

    >>> safe("hall-core"), safe('x"} 1\nforged{y="'), safe("山田太郎")
    ('hall-core', 'other', 'other')
    """
    if LEFT_OUT in label or not _VALUE.fullmatch(label):
        return OTHER
    return label


def _buckets(tally: Tally) -> Sequence[tuple[str, float]]:
    bounds = [*(str(one) for one in tally.bounds), "+Inf"]
    return list(zip(bounds, accumulate(tally.counts), strict=True))
