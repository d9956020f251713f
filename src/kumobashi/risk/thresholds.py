"""Limits that rows must keep before they may leave, and which of them some measures break.

>>> from kumobashi.risk.measures import Sizes, tell
>>> [
...     broken.name
...     for broken in Thresholds(k=5).broken(tell([Sizes(rows=3, population=None, classes=2)]))
... ]
['k']
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import isfinite

from kumobashi.risk.errors import PopulationMissing, ThresholdUnclear
from kumobashi.risk.measures import Measures


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """One limit that is not kept."""

    name: str  # as in Thresholds; for a sensitive column "l: column"
    limit: float
    got: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Limits; None sets none. Shares and risks are between 0 and 1.

    ``k``, ``k_map``, ``l``, ``entropy_l``, ``t``, ``max_prosecutor`` and ``max_journalist`` are of
    each class: rows of a class that breaks one are suppressed. ``max_unique_share`` suppresses all
    rows that are alone where they are too many. ``max_marketer`` is of all rows together.

    Raises:
        ThresholdUnclear: a limit is out of its bounds.
    """

    k: int | None = None
    k_map: int | None = None
    l: Mapping[str, int] = field(default_factory=dict)  # noqa: E741 - its name everywhere
    entropy_l: Mapping[str, float] = field(default_factory=dict)
    t: Mapping[str, float] = field(default_factory=dict)
    max_prosecutor: float | None = None
    max_journalist: float | None = None
    max_marketer: float | None = None
    max_unique_share: float | None = None
    max_suppressed: float = 0.0  # share of all rows

    def __post_init__(self) -> None:
        for name, value in self._counts():
            if value < 1 or not isfinite(value):
                raise ThresholdUnclear(
                    threshold=name, value=value, expected="1 以上", expected_en="at least 1"
                )
        for name, value in self._shares():
            if not 0 <= value <= 1:
                raise ThresholdUnclear(
                    threshold=name, value=value, expected="0 から 1", expected_en="between 0 and 1"
                )

    def _counts(self) -> Iterator[tuple[str, float]]:
        yield from ((name, v) for name in ("k", "k_map") if (v := getattr(self, name)) is not None)
        yield from ((f"l: {column}", v) for column, v in self.l.items())
        yield from ((f"entropy_l: {column}", v) for column, v in self.entropy_l.items())

    def _shares(self) -> Iterator[tuple[str, float]]:
        names = ("max_prosecutor", "max_journalist", "max_marketer", "max_unique_share")
        yield from ((name, v) for name in names if (v := getattr(self, name)) is not None)
        yield ("max_suppressed", self.max_suppressed)
        yield from ((f"t: {column}", v) for column, v in self.t.items())

    @property
    def columns(self) -> frozenset[str]:
        """The sensitive columns that limits speak of."""
        return frozenset({*self.l, *self.entropy_l, *self.t})

    @property
    def needs_population(self) -> bool:
        """Whether a limit speaks of the population."""
        return self.k_map is not None or self.max_journalist is not None

    @property
    def grows_with_coarseness(self) -> bool:
        """Whether coarser levels never suppress more, so that what fails fails at finer ones too.

        A coarser class is a union of finer ones. Its size, its people and its distinct values only
        grow. Its entropy is no less than the least of its parts' and its t no greater than the
        greatest: while no row may be suppressed that is enough. Where some may, the union of a good
        and a bad class can be bad, and suppress more; and suppression changes what shares are of.
        """
        has_shares = self.max_unique_share is not None or self.max_marketer is not None
        return self.max_suppressed == 0 or not (self.entropy_l or self.t or has_shares)

    def require(self, sensitive: frozenset[str], *, has_population: bool) -> None:
        """Raise unless there is all that the limits speak of.

        Raises:
            PopulationMissing, ThresholdUnclear
        """
        for column in sorted(self.columns - sensitive):
            raise ThresholdUnclear(
                threshold="l / t",
                value=column,
                expected="機微な列の名前",
                expected_en="the name of a sensitive column",
            )
        if self.needs_population and not has_population:
            name = "k_map" if self.k_map is not None else "max_journalist"
            raise PopulationMissing(threshold=name)

    def broken(self, measures: Measures) -> tuple[Broken, ...]:
        """Return every limit that the measures break, in the order of the fields.

        Raises:
            PopulationMissing, ThresholdUnclear: a limit speaks of what was not measured.
        """
        return tuple(
            Broken(name=one.name, limit=one.limit, got=one.got)
            for one in self.held(measures)
            if not one.is_kept
        )

    def held(self, measures: Measures) -> tuple["Held", ...]:
        """Return every limit with what was measured, kept or not, in the order of the fields.

        Raises:
            PopulationMissing, ThresholdUnclear: a limit speaks of what was not measured.
        """
        has_population = measures.population is not None or measures.k_map is not None
        self.require(frozenset(measures.sensitive), has_population=has_population)
        return tuple(self._held(measures))

    def _held(self, found: Measures) -> Iterator["Held"]:
        yield from _least("k", self.k, found.k)
        yield from _least("k_map", self.k_map, found.k_map)
        for column, least in self.l.items():
            yield from _least(f"l: {column}", least, found.sensitive[column].l)
        for column, limit in self.entropy_l.items():
            yield from _least(f"entropy_l: {column}", limit, found.sensitive[column].entropy_l)
        for column, limit in self.t.items():
            yield from _most(f"t: {column}", limit, found.sensitive[column].t)
        yield from _most("max_prosecutor", self.max_prosecutor, found.prosecutor_max)
        yield from _most("max_journalist", self.max_journalist, found.journalist_max)
        yield from _most("max_marketer", self.max_marketer, found.marketer)
        yield from _most("max_unique_share", self.max_unique_share, found.unique_share)
        all_rows = found.rows + found.suppressed
        yield from _most("max_suppressed", self.max_suppressed, found.suppressed / all_rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One limit beside what was measured."""

    name: str  # as in :class:`Broken`
    limit: float
    got: float
    is_kept: bool


def _least(name: str, limit: float | None, got: float | None) -> Iterator[Held]:
    if limit is not None and got is not None:
        yield Held(name=name, limit=limit, got=got, is_kept=got >= limit)


def _most(name: str, limit: float | None, got: float | None) -> Iterator[Held]:
    if limit is not None and got is not None:
        yield Held(name=name, limit=limit, got=got, is_kept=got <= limit)
