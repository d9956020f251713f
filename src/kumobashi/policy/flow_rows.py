"""The rows on the way of a link: flows between zones, legal bases, forms of items, retention.

Every row has the time it holds for (``valid_from``, ``valid_to``), a source, and whether we
compared it with the text of that source (確認済) or not yet (未確認).
"""

from dataclasses import dataclass

from kumobashi.kernel import Zone
from kumobashi.policy.reading import CONDITIONS, FORMS, SENSITIVITIES, Origin, Row

_PROVISO = ("no", "caution", "refuse")


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
    proviso: (
        str  # ただし書: "refuse" or "caution" where it is not stated as checked; "no": has none
    )
    carries_specific: bool  # 特定個人情報 may rest on it
    lifts_tax_secrecy: bool  # 地方税法 22条
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


def read_flow(row: Row) -> ZoneFlow:
    """Read a row of ``zone_flows.csv``."""
    return ZoneFlow(
        model=row.text("model"),
        from_zone=row.zone("from_zone"),
        to_zone=row.zone("to_zone"),
        by=row.text("by"),
        is_permitted=row.says_yes("permit"),
        conditions=row.listed("conditions", CONDITIONS),
        article_ja=row.text("article_ja"),
        article_en=row.text("article_en"),
        remedy_ja=row.text("remedy_ja"),
        remedy_en=row.text("remedy_en"),
        origin=row.origin(),
    )


def read_basis(row: Row) -> LegalBasisRow:
    """Read a row of ``legal_bases.csv``; what older tables do not say is taken as the stricter."""
    is_beyond_purpose = row.says_yes("beyond_purpose")
    proviso = row.optional("proviso") or ("refuse" if is_beyond_purpose else "no")
    if proviso not in _PROVISO:
        raise row.wrong("proviso", proviso)
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
        is_beyond_purpose=is_beyond_purpose,
        proviso=proviso,
        carries_specific=row.may_say_yes("specific", otherwise=False),
        lifts_tax_secrecy=row.may_say_yes("lifts_tax_secrecy", otherwise=False),
        origin=row.origin(),
    )


def read_form(row: Row) -> FormRow:
    """Read a row of ``forms.csv``."""
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


def read_retention(row: Row) -> RetentionRow:
    """Read a row of ``retention_classes.csv``."""
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
