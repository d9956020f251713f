"""The dated tables: which flows between zones, which legal bases, which forms of which items.

Every row has the time it holds for (``valid_from``, ``valid_to``), a source, and whether we
compared it with the text of that source (確認済) or not yet (未確認). A municipality may load its
own folder.

>>> tables = load_tables()
>>> tables.basis("69-2-1", on=date(2026, 11, 21)).ja
'本人の同意があるとき'
>>> tables.basis("69-2-1", on=date(2020, 1, 1)) is None
True
"""

import csv
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Protocol, TypeVar

from kumobashi.kernel import Zone
from kumobashi.policy.errors import PolicyUnreadable

SENSITIVITIES = ("public", "attribute", "personal", "identifier", "special")
FORMS = ("kept", "coarsened", "flag", "token", "derived")
CONDITIONS = ("coarsened", "consent", "certified")


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneFlow:
    """Whether a connection may carry data from one zone to another."""

    model: str
    from_zone: Zone
    to_zone: Zone
    by: str  # "*": whatever no other row names
    is_permitted: bool
    conditions: tuple[str, ...]
    article_ja: str
    article_en: str
    remedy_ja: str
    remedy_en: str
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class LegalBasisRow:
    """What permits a use or a provision of residents' data."""

    code: str
    ja: str
    en: str
    article_ja: str
    article_en: str
    needs_consent: bool
    needs_note: bool
    needs_ordinance: bool
    is_in_hall_only: bool
    is_beyond_purpose: bool
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class FormRow:
    """Whether an item of a sensitivity may enter a zone in a form."""

    sensitivity: str
    zone: Zone
    form: str
    is_permitted: bool
    needs_consent: bool
    article_ja: str
    article_en: str
    remedy_ja: str
    remedy_en: str
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionRow:
    """How long a receiver may keep what it was given (保持区分)."""

    code: str
    ja: str
    en: str
    days: int  # unless the link says another number; where a law asks, the least
    is_by_law: bool
    article_ja: str
    article_en: str
    origin: Origin


class _Dated(Protocol):
    @property
    def origin(self) -> Origin: ...


R = TypeVar("R", bound=_Dated)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """All tables; asking gives the row that holds on a day, or none."""

    flows: tuple[ZoneFlow, ...]
    bases: tuple[LegalBasisRow, ...]
    forms: tuple[FormRow, ...]
    retentions: tuple[RetentionRow, ...] = ()

    def flow(
        self, model: str, from_zone: Zone, to_zone: Zone, by: str, *, on: date
    ) -> ZoneFlow | None:
        """Return the row for a connection; one that names ``by`` goes before ``*``."""
        rows = [
            row
            for row in self.flows
            if (row.model, row.from_zone, row.to_zone) == (model, from_zone, to_zone)
            and row.by in (by, "*")
        ]
        return _newest(sorted(rows, key=lambda row: row.by == "*"), on)

    def basis(self, code: str, *, on: date) -> LegalBasisRow | None:
        """Return the row of a legal basis."""
        return _newest([row for row in self.bases if row.code == code], on)

    def retention(self, code: str, *, on: date) -> RetentionRow | None:
        """Return the row of a class of retention."""
        return _newest([row for row in self.retentions if row.code == code], on)

    def retentions_on(self, on: date) -> list[RetentionRow]:
        """Return all classes of retention that hold on a day."""
        return [row for row in self.retentions if row.origin.holds(on)]

    def bases_on(self, on: date) -> list[LegalBasisRow]:
        """Return all bases that hold on a day."""
        return [row for row in self.bases if row.origin.holds(on)]

    def form(self, sensitivity: str, zone: Zone, form: str, *, on: date) -> FormRow | None:
        """Return the row for an item."""
        key = (sensitivity, zone, form)
        return _newest([r for r in self.forms if (r.sensitivity, r.zone, r.form) == key], on)


def _newest(rows: Iterable[R], on: date) -> R | None:
    return next((row for row in rows if row.origin.holds(on)), None)


def load_tables(folder: Path | None = None) -> Tables:
    """Read the tables of ``folder``, or those that come with this program.

    Raises:
        PolicyUnreadable: a row makes no sense; then nothing may be sent.
    """
    return _read(folder) if folder else _own()


@cache
def _own() -> Tables:
    return _read(files("kumobashi.policy") / "tables")


def _read(folder: Path | Traversable) -> Tables:
    return Tables(
        flows=_rows(folder, "zone_flows.csv", _flow),
        bases=_rows(folder, "legal_bases.csv", _basis),
        forms=_rows(folder, "forms.csv", _form),
        retentions=_rows(folder, "retention_classes.csv", _retention),
    )


T = TypeVar("T")


def _rows(folder: Path | Traversable, name: str, make: Callable[["_Row"], T]) -> tuple[T, ...]:
    try:
        text = (folder / name).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise PolicyUnreadable(file=name, row=1, column="", got="ファイルがありません") from None
    reader = csv.DictReader(text.splitlines())
    return tuple(make(_Row(name, reader.line_num, cells)) for cells in reader)


@dataclass(frozen=True, slots=True)
class _Row:
    """One line of a table; a cell that is not what it should be stops everything."""

    file: str
    number: int
    cells: Mapping[str, str | None]

    def text(self, column: str, among: tuple[str, ...] = ()) -> str:
        value = self.cells.get(column)
        if value is None or (among and value not in among):
            raise PolicyUnreadable(file=self.file, row=self.number, column=column, got=value)
        return value

    def says_yes(self, column: str) -> bool:
        return self.text(column, ("yes", "no")) == "yes"

    def count(self, column: str) -> int:
        text = self.text(column)
        if not (text.isascii() and text.isdigit() and int(text)):
            raise PolicyUnreadable(file=self.file, row=self.number, column=column, got=text)
        return int(text)

    def zone(self, column: str) -> Zone:
        return Zone(self.text(column, tuple(Zone)))

    def conditions(self) -> tuple[str, ...]:
        found = tuple(filter(None, self.text("conditions").split("+")))
        if set(found) - set(CONDITIONS):
            raise PolicyUnreadable(
                file=self.file, row=self.number, column="conditions", got="+".join(found)
            )
        return found

    def day(self, column: str) -> date | None:
        text = self.text(column)
        try:
            return date.fromisoformat(text) if text else None
        except ValueError:
            raise PolicyUnreadable(
                file=self.file, row=self.number, column=column, got=text
            ) from None

    def origin(self) -> Origin:
        valid_from = self.day("valid_from")
        if valid_from is None or not self.text("source"):
            raise PolicyUnreadable(
                file=self.file, row=self.number, column="valid_from, source", got=""
            )
        return Origin(
            file=f"policy/tables/{self.file}",
            row=self.number,
            valid_from=valid_from,
            valid_to=self.day("valid_to"),
            source=self.text("source"),
            is_verified=self.text("verified", ("確認済", "未確認")) == "確認済",
        )


def _flow(row: _Row) -> ZoneFlow:
    return ZoneFlow(
        model=row.text("model"),
        from_zone=row.zone("from_zone"),
        to_zone=row.zone("to_zone"),
        by=row.text("by"),
        is_permitted=row.says_yes("permit"),
        conditions=row.conditions(),
        article_ja=row.text("article_ja"),
        article_en=row.text("article_en"),
        remedy_ja=row.text("remedy_ja"),
        remedy_en=row.text("remedy_en"),
        origin=row.origin(),
    )


def _basis(row: _Row) -> LegalBasisRow:
    return LegalBasisRow(
        code=row.text("code"),
        ja=row.text("ja"),
        en=row.text("en"),
        article_ja=row.text("article_ja"),
        article_en=row.text("article_en"),
        needs_consent=row.says_yes("needs_consent"),
        needs_note=row.says_yes("needs_note"),
        needs_ordinance=row.says_yes("needs_ordinance"),
        is_in_hall_only=row.says_yes("in_hall_only"),
        is_beyond_purpose=row.says_yes("beyond_purpose"),
        origin=row.origin(),
    )


def _form(row: _Row) -> FormRow:
    return FormRow(
        sensitivity=row.text("sensitivity", SENSITIVITIES),
        zone=row.zone("zone"),
        form=row.text("form", FORMS),
        is_permitted=row.says_yes("permit"),
        needs_consent=row.says_yes("needs_consent"),
        article_ja=row.text("article_ja"),
        article_en=row.text("article_en"),
        remedy_ja=row.text("remedy_ja"),
        remedy_en=row.text("remedy_en"),
        origin=row.origin(),
    )


def _retention(row: _Row) -> RetentionRow:
    return RetentionRow(
        code=row.text("code"),
        ja=row.text("ja"),
        en=row.text("en"),
        days=row.count("days"),
        is_by_law=row.says_yes("by_law"),
        article_ja=row.text("article_ja"),
        article_en=row.text("article_en"),
        origin=row.origin(),
    )
