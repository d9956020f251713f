"""What is told of some rows, from how large their classes are: pure arithmetic, no database.

A class (同値類) is all rows that share every quasi-identifier. Sources of the definitions:

- k-anonymity: L. Sweeney, 2002. k-map: L. Sweeney, 2001; K. El Emam and F. Dankar, 2008.
- prosecutor, journalist and marketer risk: K. El Emam, Guide to the De-Identification of Personal
  Health Information, 2013, chapters 16 and 17.
- l-diversity, distinct and entropy: A. Machanavajjhala et al., 2007.
- t-closeness with the earth mover's distance: N. Li, T. Li and S. Venkatasubramanian, 2007.
- δ-disclosure privacy: J. Brickell and V. Shmatikov, 2008.

>>> found = tell([Sizes(rows=1, population=4, classes=2), Sizes(rows=3, population=3, classes=1)])
>>> found.k, found.k_map, found.prosecutor_average, found.journalist_average
(1, 3, 0.6, 0.3)
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

BUCKETS = (1, 2, 3, 5, 10, 20, 50, 100, 1000)  # where the bars of the histogram begin
NEAR = (2, 3, 5, 10, 20)  # "rows in classes below": what reports ask for


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How many classes have so many rows, and so many people in the population."""

    rows: int  # of each of these classes
    population: int | None  # the same; None where there is no population
    classes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SensitiveMeasures:
    """What the classes tell of one sensitive column.

    ``l`` is the least number of distinct values in a class, ``entropy_l`` e to the power of the
    least entropy, ``t`` the greatest distance between a class's distribution and that of all rows
    (0 to 1), ``delta`` the greatest absolute natural logarithm of the ratio of the two shares of a
    value that the class holds. A value that a class lacks has no such logarithm and is left out, as
    in pyCANON; strictly, δ would then be infinite.
    """

    l: int  # noqa: E741 - its name in every publication
    entropy_l: float
    t: float
    delta: float
    is_ordered: bool  # whether t is the ordered distance
    values: int  # distinct ones in all rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """One bar of the histogram: classes of ``least`` to ``most`` rows."""

    least: int
    most: int | None
    classes: int
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """Everything that is measured of some rows.

    Shares and risks are between 0 and 1. What needs a population is None without one.
    """

    rows: int  # in classes; suppressed rows are in none
    classes: int
    k: int
    k_map: int | None
    unique_share: float  # rows alone in their class
    population_unique_share: float | None  # rows alone in their class in the population
    prosecutor_max: float
    prosecutor_average: float
    journalist_max: float | None
    journalist_average: float | None
    marketer: float
    population: int | None = None
    suppressed: int = 0
    rows_with_null: int | None = None  # in a quasi-identifier; None: nobody has counted them
    rows_with_empty: int | None = None  # the same for the empty text, which is not NULL
    sensitive: Mapping[str, SensitiveMeasures] = field(default_factory=dict)
    sizes: tuple[Sizes, ...] = ()

    @property
    def l(self) -> int | None:  # noqa: E743 - its name in every publication
        """The least ``l`` of all sensitive columns."""
        return min((one.l for one in self.sensitive.values()), default=None)

    @property
    def entropy_l(self) -> float | None:
        """The least entropy l of all sensitive columns."""
        return min((one.entropy_l for one in self.sensitive.values()), default=None)

    @property
    def t(self) -> float | None:
        """The greatest t of all sensitive columns."""
        return max((one.t for one in self.sensitive.values()), default=None)

    @property
    def delta_disclosure(self) -> float | None:
        """The greatest δ of all sensitive columns."""
        return max((one.delta for one in self.sensitive.values()), default=None)

    def rows_below(self, size: int) -> int:
        """Return how many rows are in classes of fewer than ``size`` rows."""
        return sum(one.rows * one.classes for one in self.sizes if one.rows < size)

    def population_rows_below(self, size: int) -> int | None:
        """Return how many rows are in classes of fewer than ``size`` people, or None."""
        if self.population is None:
            return None
        return sum(
            one.rows * one.classes
            for one in self.sizes
            if one.population is not None and one.population < size
        )

    def histogram(self) -> tuple[Bucket, ...]:
        """Return how many classes there are of which size, in the buckets of :data:`BUCKETS`."""
        bounds = zip(BUCKETS, (*BUCKETS[1:], None), strict=True)
        return tuple(
            Bucket(
                least=least,
                most=None if above is None else above - 1,
                classes=sum(one.classes for one in self._between(least, above)),
                rows=sum(one.classes * one.rows for one in self._between(least, above)),
            )
            for least, above in bounds
        )

    def _between(self, least: int, above: int | None) -> Iterable[Sizes]:
        return (s for s in self.sizes if least <= s.rows and (above is None or s.rows < above))


def tell(sizes: Iterable[Sizes]) -> Measures:
    """Return all measures that depend on how large the classes are, and on nothing else.

    Every share is one exact fraction until it is given out, so that two runs give the same digits.

    - prosecutor (who knows that the person is among the rows): 1/rows of a class; the average over
      all rows is classes ÷ rows.
    - journalist (who does not know): 1/population of a class; the average is Σ rows/population of
      the classes ÷ all rows.
    - marketer (who matches as many as possible): the share expected to be matched rightly. With a
      population it equals the journalist's average, without one the prosecutor's.
    """
    held = tuple(sorted(sizes, key=lambda one: (one.rows, one.population or 0)))
    rows = sum(one.rows * one.classes for one in held)
    classes = sum(one.classes for one in held)
    k = min(one.rows for one in held)
    unique = sum(one.classes for one in held if one.rows == 1)
    prosecutor = Fraction(classes, rows)
    populations = [one.population for one in held if one.population is not None]
    k_map = min(populations, default=None)
    journalist = unique_there = None
    if k_map is not None:
        journalist = sum(
            (Fraction(s.rows * s.classes, s.population) for s in held if s.population),
            start=Fraction(0),
        )
        journalist /= rows
        alone = sum(s.classes for s in held if s.rows == 1 and s.population == 1)
        unique_there = float(Fraction(alone, rows))
    return Measures(
        rows=rows,
        classes=classes,
        k=k,
        k_map=k_map,
        unique_share=float(Fraction(unique, rows)),
        population_unique_share=unique_there,
        prosecutor_max=1 / k,
        prosecutor_average=float(prosecutor),
        journalist_max=1 / k_map if k_map else None,
        journalist_average=None if journalist is None else float(journalist),
        marketer=float(prosecutor if journalist is None else journalist),
        sizes=held,
    )
