"""The dated tables as a whole: ours, with the rows that a municipality adds in a folder of its own.

A municipality's rows stand beside ours, under the same names of files, and every answer says from
which file it comes. They permit what ours do not mention and narrow what ours permit; they never
permit what ours deny. Two rows that answer the same question differently are refused at loading.

>>> from datetime import date
>>> tables = load_tables()
>>> tables.basis("69-2-1", on=date(2026, 11, 21)).ja
'本人の同意があるとき'
>>> tables.basis("69-2-1", on=date(2020, 1, 1)) is None
True
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from kumobashi.policy.consistency import inconsistencies
from kumobashi.policy.errors import PolicyFailed, PolicyTableUnknown
from kumobashi.policy.flow_rows import (
    FormRow,
    LegalBasisRow,
    RetentionRow,
    ZoneFlow,
    read_basis,
    read_flow,
    read_form,
    read_retention,
)
from kumobashi.policy.levels import read_certification, read_cloud, read_mask
from kumobashi.policy.reading import FORMS, OURS, SENSITIVITIES, Folder, Origin, Row, Shelf
from kumobashi.policy.rulebook import FILES, Tables
from kumobashi.policy.units import read_kind, read_unit
from kumobashi.policy.who_may import read_may

__all__ = [
    "FORMS",
    "OPEN_FILES",
    "OWN",
    "SENSITIVITIES",
    "FormRow",
    "LegalBasisRow",
    "Origin",
    "RetentionRow",
    "Tables",
    "ZoneFlow",
    "load_tables",
    "mistakes_in",
    "read_tables",
]

OWN = "policy"  # the folder of the workspace in which a municipality adds rows


@dataclass(frozen=True, slots=True)
class _Table:
    """How the rows of a file are read, and whether it may be missing or added to."""

    read: Callable[[Row], Any]
    is_newer: bool = False  # folders of before lack it: then ours counts
    is_open: bool = False  # a municipality may add rows


_TABLES = {
    "flows": _Table(read_flow),
    "bases": _Table(read_basis, is_open=True),
    "forms": _Table(read_form),
    "retentions": _Table(read_retention, is_open=True),
    "units": _Table(read_unit, is_newer=True, is_open=True),
    "kinds": _Table(read_kind, is_newer=True, is_open=True),
    "may": _Table(read_may, is_newer=True, is_open=True),
    "masks": _Table(read_mask, is_newer=True),
    "clouds": _Table(read_cloud, is_newer=True),
    "certifications": _Table(read_certification, is_newer=True, is_open=True),
}
OPEN_FILES = tuple(FILES[name] for name, table in _TABLES.items() if table.is_open)


def load_tables(folder: Path | None = None, *, own: Path | None = None) -> Tables:
    """Read the tables of ``folder``, or ours, with the rows of ``own``.

    Raises:
        PolicyUnreadable: a row makes no sense; then nothing may be sent.
        PolicyContradicts: two rows answer the same question on the same day.
        PolicyLoosened: a row of ``own`` permits what one of ours denies.
        PolicyUnknownName: a row names a unit, kind or basis that is in no table.
        PolicyTableUnknown: ``own`` holds a file that is no table one can add to.
    """
    base = _read(folder) if folder else _ours()
    return _with_own(base, own) if own is not None and own.is_dir() else base


def read_tables(
    folder: Path | None = None, *, own: Path | None = None
) -> tuple[Tables, list[PolicyFailed]]:
    """Return the tables and everything wrong with them, where ``load_tables`` raises the first.

    With a mistake the tables lack rows or contradict themselves: nothing may be decided by them.
    """
    found: list[PolicyFailed] = []
    tables = _read(folder, found) if folder else _ours()
    if own is not None and own.is_dir():
        tables = _with_own(tables, own, found)
    return tables, found


def mistakes_in(folder: Path | None = None, *, own: Path | None = None) -> list[PolicyFailed]:
    """Return everything that is wrong with the tables."""
    return read_tables(folder, own=own)[1]


@cache
def _ours() -> Tables:
    return _read(files("kumobashi.policy") / "tables")


def _read(folder: Folder, mistakes: list[PolicyFailed] | None = None) -> Tables:
    shelf = Shelf(folder, OURS, mistakes)
    read = {
        name: getattr(_ours(), name)
        if table.is_newer and not shelf.has(FILES[name])
        else shelf.rows(FILES[name], table.read)
        for name, table in _TABLES.items()
    }
    return _checked(Tables(**read), shelf)


def _with_own(base: Tables, folder: Path, mistakes: list[PolicyFailed] | None = None) -> Tables:
    shelf = Shelf(folder, OWN, mistakes)
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() == ".csv" and path.name not in OPEN_FILES:
            known = ", ".join(OPEN_FILES)
            shelf.note(PolicyTableUnknown(file=f"{OWN}/{path.name}", row=1, known=known))
    added = {
        name: shelf.rows(FILES[name], table.read)
        for name, table in _TABLES.items()
        if table.is_open and shelf.has(FILES[name])
    }
    if not any(added.values()):
        return base
    held = {field.name: getattr(base, field.name) for field in fields(base)}
    return _checked(Tables(**{n: (*rows, *added.get(n, ())) for n, rows in held.items()}), shelf)


def _checked(tables: Tables, shelf: Shelf) -> Tables:
    for mistake in inconsistencies(tables):
        shelf.note(mistake)
    return tables
