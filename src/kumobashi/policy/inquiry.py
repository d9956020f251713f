"""A question put at the terminal: whether a unit may have a kind, in a form, on a basis.

>>> from kumobashi.policy.tables import load_tables
>>> ask = Ask(
...     "resident-tax", "nhi", "local-tax", "national-health-insurance", "mynumber", "mynumber"
... )
>>> inquiry = Inquiry(ask=ask, form="kept", basis="69-1")
>>> [said.code for said in answer(load_tables(), inquiry, on=date(2026, 11, 22)).said]
['policy.permitted', 'policy.other_basis', 'policy.tax_secrecy']
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from kumobashi.kernel import Zone
from kumobashi.policy.linkage import answers, load_linkage
from kumobashi.policy.reading import FORMS_JA, Origin
from kumobashi.policy.rulebook import Tables
from kumobashi.policy.units import LEVELS_JA, BusinessUnit, InformationKind
from kumobashi.policy.who_may import Ask, Ruling, WhoMay


@dataclass(frozen=True, slots=True, kw_only=True)
class Inquiry:
    """What is asked; form and basis may be left open."""

    ask: Ask
    form: str | None = None
    basis: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One thing that a row, or the lack of one, says."""

    code: str
    is_against: bool
    ja: str
    en: str
    origins: tuple[Origin, ...] = ()
    remedy_ja: str = ""
    remedy_en: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Permitted when nothing speaks against it."""

    ruling: Ruling
    said: tuple[Said, ...]

    @property
    def is_permitted(self) -> bool:
        """Whether it may be done."""
        return not any(one.is_against for one in self.said)

    @property
    def forms(self) -> tuple[str, ...]:
        """The forms that the row on the units permits."""
        return self.ruling.forms


def answer(tables: Tables, inquiry: Inquiry, *, on: date) -> Answer:
    """Return the ruling, and what form, protection levels and basis add to it."""
    ruling = tables.who_may.on(on).decide(inquiry.ask)
    return Answer(ruling=ruling, said=tuple(_said(tables, inquiry, ruling, on)))


def answer_of_linkage(ask: Ask, *, on: date) -> Answer:
    """Return what the fictional linkage table says; the same evaluator decides."""
    ruling = WhoMay(answers(load_linkage())).on(on).decide(ask)
    articles = "、".join(row.article_ja for row in ruling.rows)
    may = f"渡してよい（{articles}）" if ruling.rows else "渡してよいという行がない"
    said = Said(
        code=ruling.code,
        is_against=not ruling.is_permitted,
        ja=f"{ask.from_unit} は {ask.kind} を、{ask.purpose} のために {ask.to_unit} へ{may}",
        en=ruling.en,
        origins=tuple(row.origin for row in ruling.rows),
    )
    return Answer(ruling=ruling, said=(said,))


def _said(tables: Tables, inquiry: Inquiry, ruling: Ruling, on: date) -> Iterator[Said]:
    row = ruling.rows[0] if ruling.rows else None
    yield Said(
        code=ruling.code,
        is_against=not ruling.is_permitted,
        ja=_in_words(tables, ruling, on),
        en=ruling.en,
        origins=tuple(row.origin for row in ruling.rows),
        remedy_ja=row.remedy_ja if row else "決まった行を policy/who_may.csv に足してください。",
        remedy_en=row.remedy_en if row else "Add the row that was decided to policy/who_may.csv.",
    )
    form, rows = inquiry.form, tuple(row.origin for row in ruling.rows)
    if form and ruling.is_permitted and form not in ruling.forms:
        ja = f"{FORMS_JA[form]}は渡せない"
        en = f"not as {form}"
        yield Said(code="policy.form_not_permitted", is_against=True, ja=ja, en=en, origins=rows)
    kind = tables.kind(inquiry.ask.kind, on=on)
    taker = tables.unit(inquiry.ask.to_unit, on=on)
    if kind and taker and form:
        yield from _by_level(tables, kind, taker, form, on)
    if inquiry.basis:
        yield from _by_basis(tables, inquiry.basis, ruling, kind, taker, on)


def _in_words(tables: Tables, ruling: Ruling, on: date) -> str:
    """Return the ruling with the names that people know."""
    ask = ruling.ask
    held = tables.kind(ask.kind, on=on)
    units = [tables.unit(name, on=on) for name in (ask.from_unit, ask.to_unit)]
    kind, giver, taker = (
        row.ja if row else name
        for row, name in zip((held, *units), (ask.kind, ask.from_unit, ask.to_unit), strict=True)
    )
    zones = f"{Zone(ask.from_zone).ja}から{Zone(ask.to_zone).ja}へ"
    what = f"「{giver}」の「{kind}」を、{ask.purpose} のために「{taker}」へ（{zones}）"
    if not ruling.rows:
        return f"{what}渡してよいという行がない。書かれていないものは渡せない"
    articles = "、".join(dict.fromkeys(row.article_ja for row in ruling.rows))
    return f"{what}渡して{'よい' if ruling.is_permitted else 'はならない'}（{articles}）"


def _by_level(
    tables: Tables, kind: InformationKind, taker: BusinessUnit, form: str, on: date
) -> Iterator[Said]:
    levels = kind.protection_level, taker.protection_level
    row = tables.mask(*levels, kind.kind, on=on)
    if row is None or form not in row.forms:
        yield Said(
            code="policy.level_mask" if row else "policy.unknown_levels",
            is_against=True,
            ja=f"{LEVELS_JA[levels[0]]}から{LEVELS_JA[levels[1]]}へ、{FORMS_JA[form]}は渡せない",
            en=f"from {levels[0]} to {levels[1]} not as {form}",
            origins=(row.origin,) if row else (),
            remedy_ja=row.remedy_ja if row else "",
            remedy_en=row.remedy_en if row else "",
        )


def _by_basis(  # noqa: PLR0917 - a question has these parts
    tables: Tables,
    code: str,
    ruling: Ruling,
    kind: InformationKind | None,
    taker: BusinessUnit | None,
    on: date,
) -> Iterator[Said]:
    basis = tables.basis(code, on=on)
    if basis is None:
        ja, en = f"根拠 {code} はその日の表にない", f"the basis {code} is in no table of that day"
        yield Said(code="policy.unknown_basis", is_against=True, ja=ja, en=en)
        return
    origins = (basis.origin,)
    if ruling.is_permitted and not ruling.rests_on(code):
        listed = "・".join(ruling.rows[0].bases)
        ja, en = f"行が認める根拠は {listed}", f"the row rests on {listed}"
        rows = tuple(row.origin for row in ruling.rows)
        yield Said(code="policy.other_basis", is_against=True, ja=ja, en=en, origins=rows)
    if kind and kind.is_specific and not basis.carries_specific:
        ja = f"特定個人情報は{basis.article_ja}では渡せない"
        en = f"specific personal information does not rest on {basis.article_en}"
        yield Said(
            code="policy.specific_needs_number_law",
            is_against=True,
            ja=ja,
            en=en,
            origins=origins,
        )
    if kind and kind.is_tax and not (taker and taker.keeps_tax_secrecy):
        if basis.lifts_tax_secrecy:
            return
        ja = f"{basis.article_ja}では地方税法の守秘義務は解かれない"
        en = f"{basis.article_en} does not lift the secrecy of taxes"
        yield Said(code="policy.tax_secrecy", is_against=True, ja=ja, en=en, origins=origins)
