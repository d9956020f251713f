"""Business units and kinds of information: who holds what, and how strictly it is guarded.

A unit's ``protection_level`` is not its zone: a level says how strict the duty is (基幹系,
内部情報系, 庁外; APPLIC 2016, 3.3.2 ②), a zone where the machine stands. A kind of information
belongs to the unit in charge of it, whatever database it has passed through since.
"""

from dataclasses import dataclass

from kumobashi.policy.reading import CONFIDENTIALITY, PROTECTION_LEVELS, Origin, Row

LEVELS_JA = {"core": "基幹系", "internal": "内部情報系", "outside": "庁外"}


@dataclass(frozen=True, slots=True, kw_only=True)
class BusinessUnit:
    """A business unit (業務ユニット): a section's business that asks for or gives information."""

    unit: str
    ja: str
    en: str
    business: str  # three digits, as system files say; may be empty
    protection_level: str
    keeps_tax_secrecy: bool  # a tax unit: its staff are bound by the Local Tax Act, art. 22
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class InformationKind:
    """A kind of information (情報の種類), with the layouts that hold it."""

    kind: str
    ja: str
    en: str
    unit: str  # the unit in charge of it (所管)
    layouts: tuple[str, ...]
    confidentiality: str  # 自治体機密性 3A, 3B, 3C, 2, 1
    protection_level: str
    is_tax: bool
    is_specific: bool  # 特定個人情報: information that goes with an individual number
    origin: Origin


def read_unit(row: Row) -> BusinessUnit:
    """Read a row of ``units.csv``."""
    return BusinessUnit(
        unit=row.ident("unit"),
        ja=row.name("ja"),
        en=row.name("en"),
        business=row.business("business"),
        protection_level=row.text("protection_level", PROTECTION_LEVELS),
        keeps_tax_secrecy=row.says_yes("tax_secrecy"),
        origin=row.origin(),
    )


def read_kind(row: Row) -> InformationKind:
    """Read a row of ``information_kinds.csv``."""
    return InformationKind(
        kind=row.ident("kind"),
        ja=row.name("ja"),
        en=row.name("en"),
        unit=row.name("unit"),
        layouts=row.listed("layouts"),
        confidentiality=row.text("confidentiality", CONFIDENTIALITY),
        protection_level=row.text("protection_level", PROTECTION_LEVELS),
        is_tax=row.says_yes("tax"),
        is_specific=row.says_yes("specific"),
        origin=row.origin(),
    )
