"""What the picture of a workspace consists of, in pixels from its upper left corner."""

from dataclasses import dataclass

from kumobashi.directory.models import By


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A rectangle with its words."""

    name: str
    title: str
    note: str
    x: int
    y: int
    width: int
    height: int
    is_relay: bool = False

    @property
    def right(self) -> int:
        """Its right edge."""
        return self.x + self.width

    @property
    def bottom(self) -> int:
        """Its lower edge."""
        return self.y + self.height


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorArrow:
    """A connection that one site opens to another."""

    from_site: str
    to_site: str
    by: By
    points: tuple[tuple[int, int], ...]
    label: tuple[int, int]  # middle of its words


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """A link from its source to its receiver; ``stop`` is where a refused one ends."""

    number: int
    link: str
    name: str
    note: str
    y: int
    start: tuple[int, int]  # its number and name stand behind it
    points: tuple[tuple[int, int], ...]
    label_width: int
    sealed: tuple[tuple[int, int], ...]  # from x to x: inside relays, which cannot read it
    is_refused: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """The whole picture, in pixels from the upper left corner."""

    title: str
    width: int
    height: int
    bands: tuple[Box, ...]
    sites: tuple[Box, ...]
    systems: tuple[Box, ...]
    doors: tuple[DoorArrow, ...]
    lanes: tuple[Lane, ...]
    reads: tuple[tuple[tuple[int, int], ...], ...]  # from a system that a rule joins to its source
