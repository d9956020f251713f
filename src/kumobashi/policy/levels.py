"""What crosses between protection levels only masked, and which cloud may hold what.

Two kinds of level, kept apart: the protection level (保護レベル) of units and kinds of information,
and the reliability level (信頼性レベル) that its certifications give a cloud (APPLIC 2016, 3.3.2 ②
and 4.3.3 ③-2).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from kumobashi.policy.reading import (
    ANY,
    CONFIDENTIALITY,
    FORMS,
    PROTECTION_LEVELS,
    RELIABILITY,
    Origin,
    Row,
)
from kumobashi.policy.row_index import Key

SOON = timedelta(days=90)
MASK_COLUMNS = ("from_level", "to_level", "kind")
CLOUD_COLUMNS = ("confidentiality", "form", "level", "jurisdiction")


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelMask:
    """In which forms a kind of information may cross from one protection level to another."""

    key: Key  # MASK_COLUMNS
    forms: tuple[str, ...]  # none: it does not cross at all
    article_ja: str
    article_en: str
    remedy_ja: str
    remedy_en: str
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudRow:
    """Whether a cloud of a reliability level, under a jurisdiction, may hold such information."""

    key: Key  # CLOUD_COLUMNS
    is_permitted: bool
    article_ja: str
    article_en: str
    remedy_ja: str
    remedy_en: str
    origin: Origin

    @property
    def asks(self) -> bool:
        """What is decided."""
        return self.is_permitted


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificationRow:
    """What a certification is worth, and what must be stated for it to count."""

    name: str
    level: str  # "1" to "3"
    needs_number: bool
    needs_scope: bool
    needs_expiry: bool
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A certification that a site says it holds."""

    name: str
    number: str | None = None
    scope: str | None = None
    valid_from: date | None = None
    valid_to: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reliability:
    """The level of a site on a day, and what it rests on."""

    level: str
    by: Held | None = None
    row: CertificationRow | None = None
    ended: tuple[Held, ...] = ()  # would count, but their time is over, or has not come
    lacking: tuple[tuple[Held, tuple[str, ...]], ...] = ()  # would count, but lack these facts

    def ends_soon(self, on: date) -> bool:
        """Whether what it rests on ends within 90 days."""
        return bool(self.by and self.by.valid_to and self.by.valid_to - on <= SOON)


def reliability(held: Iterable[Held], rows: Iterable[CertificationRow], *, on: date) -> Reliability:
    """Return the level that certifications give on a day: the highest, and of those the longest.

    What no row names gives nothing, nor does one that is over or lacks what its row asks for.
    """
    worth = {row.name: row for row in rows if row.origin.holds(on)}
    best: tuple[str, date, Held, CertificationRow] | None = None
    ended: list[Held] = []
    lacking: list[tuple[Held, tuple[str, ...]]] = []
    for one in held:
        row = worth.get(one.name)
        if row is None:
            continue
        if missing := _missing(one, row):
            lacking.append((one, missing))
            continue
        if (one.valid_to and one.valid_to < on) or (one.valid_from and one.valid_from > on):
            ended.append(one)
            continue
        rank = (row.level, one.valid_to or date.max)
        if best is None or rank > best[:2]:
            best = (*rank, one, row)
    if best is None:
        return Reliability(level="0", ended=tuple(ended), lacking=tuple(lacking))
    return Reliability(
        level=best[0], by=best[2], row=best[3], ended=tuple(ended), lacking=tuple(lacking)
    )


def _missing(held: Held, row: CertificationRow) -> tuple[str, ...]:
    asked = (
        ("number", row.needs_number, held.number),
        ("scope", row.needs_scope, held.scope),
        ("valid_to", row.needs_expiry, held.valid_to),
    )
    return tuple(name for name, is_asked, said in asked if is_asked and not said)


def read_mask(row: Row) -> LevelMask:
    """Read a row of ``level_masks.csv``."""
    levels = [row.text(c, PROTECTION_LEVELS) for c in ("from_level", "to_level")]
    return LevelMask(
        key=(*levels, row.name("kind")),
        forms=row.listed("forms", FORMS),
        article_ja=row.name("article_ja"),
        article_en=row.name("article_en"),
        remedy_ja=row.text("remedy_ja"),
        remedy_en=row.text("remedy_en"),
        origin=row.origin(),
    )


def read_cloud(row: Row) -> CloudRow:
    """Read a row of ``cloud_levels.csv``."""
    return CloudRow(
        key=(
            row.text("confidentiality", CONFIDENTIALITY),
            row.text("form", (*FORMS, ANY)),
            row.text("level", RELIABILITY),
            row.name("jurisdiction"),
        ),
        is_permitted=row.says_yes("permit"),
        article_ja=row.name("article_ja"),
        article_en=row.name("article_en"),
        remedy_ja=row.text("remedy_ja"),
        remedy_en=row.text("remedy_en"),
        origin=row.origin(),
    )


def read_certification(row: Row) -> CertificationRow:
    """Read a row of ``certification_levels.csv``."""
    return CertificationRow(
        name=row.name("name"),
        level=row.text("level", RELIABILITY[1:]),
        needs_number=row.says_yes("needs_number"),
        needs_scope=row.says_yes("needs_scope"),
        needs_expiry=row.says_yes("needs_expiry"),
        origin=row.origin(),
    )
