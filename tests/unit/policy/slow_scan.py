"""Decide by reading a table row by row, as a person would: the oracle of the fast index.

It shares no code with the program: cells are read by hand, dates are compared as text.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

TABLES = Path("src/kumobashi/policy/tables")
SAMPLE = Path("src/kumobashi/planning/sample/policy")


@dataclass(frozen=True)
class Line:
    """A row as text, with its place."""

    place: str
    is_own: bool
    cells: dict[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells[column]

    def holds(self, day: date) -> bool:
        """Whether it holds, by comparing days as text."""
        begins, ends, on = self["valid_from"], self["valid_to"], day.isoformat()
        return begins <= on and (not ends or on <= ends)


def lines(name: str, folder: Path = TABLES) -> list[Line]:
    """Return the rows of a file, none when it is not there."""
    path = folder / name
    if not path.exists():
        return []
    shown = "policy" if folder == SAMPLE else "policy/tables"
    with path.open(encoding="utf-8", newline="") as file:
        head, *body = list(csv.reader(file))
    return [
        Line(f"{shown}/{name}:{number}", folder == SAMPLE, dict(zip(head, cells, strict=True)))
        for number, cells in enumerate(body, 2)
    ]


def deciding(
    rows: Sequence[Line], columns: Sequence[str], asked: Mapping[str, str], day: date
) -> list[Line]:
    """Return the rows that decide: own before ours, then those with the fewest ``*``."""
    matching = [
        row
        for row in rows
        if row.holds(day) and all(row[c] == "*" or row[c] == asked[c] for c in columns)
    ]
    best = min(((not r.is_own, _stars(r, columns)) for r in matching), default=None)
    return [r for r in matching if (not r.is_own, _stars(r, columns)) == best]


def _stars(row: Line, columns: Sequence[str]) -> int:
    return sum(row[column] == "*" for column in columns)
