r"""Read how the values of a column grow coarser: a line for each value, the finest first.

The form is that of ARX: ``value;level 1;level 2;…``, no header. Whatever could make two people
read a hierarchy differently is refused with its line.

>>> held = read_hierarchy("12;10代;*\n34;30代;*\n", file="age.csv")
>>> held.height, held.climb("34", 1), held.climb("34", 2)
(3, '30代', '*')
"""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kumobashi.risk.errors import (
    HierarchyEmpty,
    HierarchyForked,
    HierarchyShort,
    HierarchyTwice,
)

DELIMITERS = (";", ",", "\t", "|")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hierarchy:
    """The ladder of each value; ``ladders`` begin with the value itself and are equally long."""

    file: str
    ladders: Mapping[str, tuple[str, ...]]

    @property
    def height(self) -> int:
        """How many levels there are, with that of the values themselves."""
        return len(next(iter(self.ladders.values())))

    def climb(self, value: str, level: int) -> str:
        """Return what a value becomes at a level; 0 is the value."""
        return self.ladders[value][level]


def read_hierarchy(text: str, *, file: str, delimiter: str | None = None) -> Hierarchy:
    """Read a hierarchy; without a delimiter, that which parts the first line into most levels.

    Raises:
        HierarchyEmpty: there is no line.
        HierarchyShort: a line has another number of levels than the first.
        HierarchyTwice: a value stands on two lines that differ.
        HierarchyForked: equal values of one level climb to two values of the next.
    """
    lines = list(_lines(text, delimiter or _delimiter(text)))
    if not lines:
        raise HierarchyEmpty(file=file)
    height = len(lines[0][1])
    places: dict[str, tuple[int, tuple[str, ...]]] = {}
    parents: dict[tuple[int, str], tuple[int, str]] = {}
    for line, ladder in lines:
        if len(ladder) != height:
            raise HierarchyShort(file=file, line=line, got=len(ladder), expected=height)
        first, before = places.setdefault(ladder[0], (line, ladder))
        if before != ladder:
            raise HierarchyTwice(file=file, line=line, first=first)
        for level in range(1, height - 1):
            first, parent = parents.setdefault((level, ladder[level]), (line, ladder[level + 1]))
            if parent != ladder[level + 1]:
                raise HierarchyForked(file=file, line=line, first=first, level=level)
    return Hierarchy(file=file, ladders={value: ladder for value, (_, ladder) in places.items()})


def _lines(text: str, delimiter: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    begins = 1
    for ladder in reader:
        if ladder:  # an empty line is none
            yield begins, tuple(ladder)
        begins = reader.line_num + 1


def _delimiter(text: str) -> str:
    first = next((line for line in text.splitlines() if line.strip()), "")
    return max(DELIMITERS, key=lambda one: len(next(csv.reader([first], delimiter=one), [])))
