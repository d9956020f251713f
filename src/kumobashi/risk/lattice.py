"""The base of a search: rows counted once by their finest values, each value with its ladder.

Values and levels are small whole numbers here; ``counting`` makes them from a relation, and nothing
of a resident's data is needed after that.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from kumobashi.risk.distributions import Spread
from kumobashi.risk.grouping import Codes, Whole
from kumobashi.risk.hierarchies import Hierarchy


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """A column at several levels, each coarser than the one before.

    ``levels`` are SQL expressions over the relation (and over the population), the finest first.
    With a ``hierarchy`` there is one expression, whose text is looked up in the file. ``is_told``
    promises that the finest value tells all the others, which spares looking. ``leaves`` may then
    be a relation of ``v0``, ``v1``, …, one row for each finest value, where that is known already;
    ``levels`` is the finest alone.
    """

    column: str
    levels: tuple[str, ...]
    hierarchy: Hierarchy | None = None
    is_told: bool = False
    leaves: str | None = None
    height: int = 1  # of ``leaves``


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """A ladder in numbers: the leaves are its finest values.

    ``ids[level]`` has shape (leaves,) and says which value of that level a leaf becomes;
    ``sizes[level]`` how many there are. ``leaf_rows`` has shape (leaves,), 0 where a leaf is not
    in the rows. ``is_nested`` tells whether equal values of a level are equal at every coarser one.
    """

    column: str
    ids: tuple[Codes, ...]
    sizes: tuple[int, ...]
    leaf_rows: Whole
    is_nested: bool

    @property
    def height(self) -> int:
        """How many levels there are."""
        return len(self.ids)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """A sensitive column of the base: the rank of each cell's value, shape (cells,)."""

    ranks: Codes
    spread: Spread


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """Rows by their leaves and sensitive values: ``codes`` of each column have shape (cells,)."""

    steps: tuple[Steps, ...]
    codes: tuple[Codes, ...]
    rows: Whole
    sensitive: dict[str, Ranked] = field(default_factory=dict)
    people_codes: tuple[Codes, ...] = ()
    people: Whole | None = None

    @property
    def total(self) -> int:
        """All rows."""
        return int(self.rows.sum())

    @property
    def shape(self) -> tuple[int, ...]:
        """The levels of each column: the lattice's shape."""
        return tuple(one.height for one in self.steps)

    def sizes_at(self, levels: Sequence[int]) -> list[int]:
        """Return how many values each column has at these levels."""
        return [one.sizes[level] for one, level in zip(self.steps, levels, strict=True)]

    @property
    def is_nested(self) -> bool:
        """Whether every ladder is, so that coarser classes are unions of finer ones."""
        return all(one.is_nested for one in self.steps)
