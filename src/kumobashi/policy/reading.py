"""Read the dated tables: CSV files whose every row says how long it holds and where it comes from.

A cell that is not what it should be stops everything: what cannot be read permits nothing. Our own
tables come with this program; a municipality's rows stand in a folder of its own, and each row
remembers which file it is from.
"""

import csv
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from importlib.resources.abc import Traversable
from io import StringIO
from pathlib import Path
from typing import Protocol, TypeVar

from kumobashi.kernel import Zone
from kumobashi.policy.errors import PolicyFailed, PolicyUnreadable

SENSITIVITIES = ("public", "attribute", "personal", "identifier", "special")
FORMS = ("kept", "coarsened", "flag", "token", "derived")
FORMS_JA = {
    "kept": "そのまま",
    "coarsened": "粗くして",
    "flag": "有無で",
    "token": "符号で",
    "derived": "計算した値で",
}
CONDITIONS = ("coarsened", "consent", "certified")
PROTECTION_LEVELS = ("core", "internal", "outside")  # 基幹系, 内部情報系, 庁外
CONFIDENTIALITY = ("3A", "3B", "3C", "2", "1")  # 自治体機密性
RELIABILITY = ("0", "1", "2", "3")  # 信頼性レベル; 0: nothing that counts
ANY = "*"
OURS = "policy/tables"
_IDENT = re.compile(r"[a-z0-9][a-z0-9-]*")
_BUSINESS = re.compile(r"(?:[0-9]{3})?")

Folder = Path | Traversable


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a row stands and how far it can be relied on."""

    file: str
    row: int  # line of the file, from 1
    valid_from: date
    valid_to: date | None
    source: str
    is_verified: bool

    def holds(self, on: date) -> bool:
        """Whether the row holds on a day; both ends are included."""
        return self.valid_from <= on and (self.valid_to is None or on <= self.valid_to)

    def meets(self, other: "Origin") -> bool:
        """Whether there is a day on which both rows hold."""
        begins = max(self.valid_from, other.valid_from)
        return self.holds(begins) and other.holds(begins)

    @property
    def is_ours(self) -> bool:
        """Whether the row comes with this program, not from the municipality."""
        return self.file.startswith(OURS)

    @property
    def place(self) -> str:
        """File and line, as ``policy/who_may.csv:12``."""
        return f"{self.file}:{self.row}"


class Dated(Protocol):
    """A row of any table."""

    @property
    def origin(self) -> Origin:
        """Where it stands and how long it holds."""
        ...


R = TypeVar("R", bound=Dated)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table; what cannot be right raises :class:`PolicyUnreadable`."""

    folder: str
    file: str
    number: int
    cells: Mapping[str, str | None]

    def wrong(self, column: str, got: str | None) -> PolicyUnreadable:
        """Return the error for a cell."""
        file = self.file if self.folder == OURS else f"{self.folder}/{self.file}"
        return PolicyUnreadable(file=file, row=self.number, column=column, got=got)

    def text(self, column: str, among: tuple[str, ...] = ()) -> str:
        """Return a cell, one of ``among`` if given."""
        value = self.cells.get(column)
        if value is None or (among and value not in among):
            raise self.wrong(column, value)
        return value

    def name(self, column: str, among: tuple[str, ...] = ()) -> str:
        """Return a cell that must not be empty; ``*`` stands for all where ``among`` says so."""
        value = self.text(column, among).strip()
        if not value:
            raise self.wrong(column, value)
        return value

    def ident(self, column: str) -> str:
        """Return a name of lower-case letters, digits and hyphens: never ``*``."""
        value = self.text(column)
        if not _IDENT.fullmatch(value):
            raise self.wrong(column, value)
        return value

    def optional(self, column: str) -> str:
        """Return a cell of a column that older tables lack, or nothing."""
        return self.cells.get(column) or ""

    def business(self, column: str) -> str:
        """Return a business number of three digits, or nothing."""
        value = self.text(column)
        if not _BUSINESS.fullmatch(value):
            raise self.wrong(column, value)
        return value

    def says_yes(self, column: str) -> bool:
        """Return a cell that says yes or no."""
        return self.text(column, ("yes", "no")) == "yes"

    def may_say_yes(self, column: str, *, otherwise: bool) -> bool:
        """Return a yes or no of a column that older tables lack."""
        return self.says_yes(column) if self.optional(column) else otherwise

    def count(self, column: str) -> int:
        """Return a cell with a number from 1."""
        text = self.text(column)
        if not (text.isascii() and text.isdigit() and int(text)):
            raise self.wrong(column, text)
        return int(text)

    def zone(self, column: str) -> Zone:
        """Return a cell with a zone."""
        return Zone(self.text(column, tuple(Zone)))

    def listed(self, column: str, among: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Return what a cell lists with ``+`` between; with ``among``, ``*`` means all of it."""
        text = self.text(column).strip()
        if among and text == ANY:
            return among
        found = tuple(filter(None, text.split("+")))
        if (among and set(found) - set(among)) or len(set(found)) < len(found):
            raise self.wrong(column, text)
        return found

    def bases(self, column: str) -> tuple[str, ...]:
        """Return codes of legal bases; empty where the cell is ``*`` or empty, which means any."""
        return () if self.text(column).strip() == ANY else self.listed(column)

    def day(self, column: str) -> date | None:
        """Return a cell with a date, or nothing."""
        text = self.text(column)
        try:
            return date.fromisoformat(text) if text else None
        except ValueError:
            raise self.wrong(column, text) from None

    def origin(self) -> Origin:
        """Return dates, source and place of the row."""
        valid_from, valid_to = self.day("valid_from"), self.day("valid_to")
        if valid_from is None or not self.text("source"):
            raise self.wrong("valid_from, source", "")
        if valid_to is not None and valid_to < valid_from:
            raise self.wrong("valid_to", valid_to.isoformat())
        return Origin(
            file=f"{self.folder}/{self.file}",
            row=self.number,
            valid_from=valid_from,
            valid_to=valid_to,
            source=self.text("source"),
            is_verified=self.text("verified", ("確認済", "未確認")) == "確認済",
        )


@dataclass(frozen=True, slots=True)
class Shelf:
    """A folder of tables: what its rows are called by, and the mistakes found on the way.

    With ``mistakes`` they are gathered there and rows that cannot be read are left out, which is
    for telling all of them; without, the first is raised.
    """

    folder: Folder
    name: str  # as people know the folder: "policy"
    mistakes: list[PolicyFailed] | None = None

    def has(self, file: str) -> bool:
        """Whether the folder has this table."""
        return (self.folder / file).is_file()

    def rows(self, file: str, make: Callable[[Row], T]) -> tuple[T, ...]:
        """Return the rows of a table.

        Raises:
            PolicyUnreadable: a row makes no sense.
        """
        found = []
        for number, cells in self._lines(file):
            try:
                found.append(make(Row(self.name, file, number, cells)))
            except PolicyFailed as mistake:
                self.note(mistake)
        return tuple(found)

    def note(self, mistake: PolicyFailed) -> None:
        """Gather a mistake, or raise it."""
        if self.mistakes is None:
            raise mistake
        self.mistakes.append(mistake)

    def _lines(self, file: str) -> Iterator[tuple[int, Mapping[str, str | None]]]:
        try:
            text = (self.folder / file).read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError):
            missing = Row(self.name, file, 1, {}).wrong("", "読めるファイルがありません")
            self.note(missing)
            return
        reader = csv.reader(StringIO(text, newline=""), strict=True)
        try:
            head = next(reader, [])
            for cells in reader:
                if not any(cells):
                    continue
                if len(cells) > len(head):
                    extra = ",".join(cells[len(head) :])
                    self.note(Row(self.name, file, reader.line_num, {}).wrong("+", extra))
                    continue
                yield reader.line_num, dict(zip(head, cells, strict=False))
        except csv.Error as broken:
            self.note(Row(self.name, file, reader.line_num, {}).wrong("", str(broken)))
