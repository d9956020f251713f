"""What is said when a receiving unit may not have some information: sentence, place, remedy."""

from dataclasses import dataclass
from datetime import date

from kumobashi.policy.flow_rows import LegalBasisRow
from kumobashi.policy.levels import LevelMask
from kumobashi.policy.questions import AskedItem, Question, Reason, Source
from kumobashi.policy.reading import FORMS_JA
from kumobashi.policy.rulebook import Tables
from kumobashi.policy.units import LEVELS_JA, BusinessUnit, InformationKind
from kumobashi.policy.who_may import Ask, MayRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """A kind of information on its way from the unit in charge to another."""

    source: Source
    kind: InformationKind
    giver: BusinessUnit
    taker: BusinessUnit

    @property
    def ja(self) -> str:
        """The transfer in words."""
        return f"「{self.kind.ja}」（{self.giver.ja}）を「{self.taker.ja}」へ"

    @property
    def en(self) -> str:
        """The transfer in English."""
        return f"{self.kind.kind} of {self.giver.unit} to {self.taker.unit}"


def not_listed(q: Question, transfer: Transfer, ask: Ask, on: date, forms: str) -> Reason:
    """Say that no row permits it; the example would permit no more forms than the link uses."""
    return Reason(
        code="policy.not_listed",
        ja=f"{transfer.ja}、目的「{q.purpose}」で{q.from_zone.ja}から{q.to_zone.ja}へ渡してよいという"
        f"行が、{on.isoformat()} に有効な規則の表にありません",
        en=f"No row that holds on {on.isoformat()} permits {transfer.en} for {q.purpose!r} from"
        f" {q.from_zone.value} to {q.to_zone.value}",
        where=transfer.source.where,
        remedy_ja="書かれていないものは渡せません。担当課と総務課で決めた行を policy/who_may.csv に"
        "足してください（今ある行: kumobashi policy rows）。",
        remedy_en="What no row permits is denied. Have it decided, then add the row to"
        " policy/who_may.csv (kumobashi policy rows shows those there are).",
        example=",".join((*ask, "yes", forms, q.basis.code if q.basis else "")) + ",...",
    )


def forbidden(transfer: Transfer, row: MayRow) -> Reason:
    """Say that a row forbids it."""
    return Reason(
        code="policy.forbidden",
        ja=f"{transfer.ja}渡すことは、規則の表で禁じられています",
        en=f"The rules forbid {transfer.en}",
        where=transfer.source.where,
        article_ja=row.article_ja,
        article_en=row.article_en,
        remedy_ja=row.remedy_ja,
        remedy_en=row.remedy_en,
        origin=row.origin,
    )


def other_basis(q: Question, transfer: Transfer, stated: str, rows: tuple[MayRow, ...]) -> Reason:
    """Say that the row that permits it rests on another basis."""
    row = next(row for row in rows if row.bases and stated not in row.bases)
    return Reason(
        code="policy.other_basis",
        ja=f"{transfer.ja}渡してよいという行は、根拠「{stated}」によるものではありません",
        en=f"The row on {transfer.en} does not rest on {stated!r}",
        where=q.at_basis,
        article_ja=row.article_ja,
        article_en=row.article_en,
        remedy_ja=f"行が認める根拠: {'、'.join(row.bases)}。{row.remedy_ja}",
        remedy_en=f"The row accepts: {', '.join(row.bases)}. {row.remedy_en}".rstrip(),
        example=f'legal_basis: {{code: "{row.bases[0]}", …}}',
        origin=row.origin,
    )


def wrong_form(
    transfer: Transfer,
    item: AskedItem | None,
    form: str,
    row: MayRow | LevelMask,
    levels: tuple[str, str] | None = None,
) -> Reason:
    """Say that a form is not permitted: by the row on the units, or between protection levels."""
    what_ja = f"項目「{item.ja}」を" if item else "対象者を選ぶことで"
    what_en = f"item {item.name!r}" if item else "who is selected"
    way_ja = f"（{LEVELS_JA[levels[0]]} → {LEVELS_JA[levels[1]]}）" if levels else ""
    way_en = f" ({levels[0]} to {levels[1]})" if levels else ""
    said = FORMS_JA.get(form, form)
    return Reason(
        code="policy.level_mask" if levels else "policy.form_not_permitted",
        ja=f"{transfer.ja}渡すとき{way_ja}、{what_ja}{said}出すことは許されていません",
        en=f"{transfer.en}{way_en}: {what_en} may not leave as {form}",
        where=item.where if item else transfer.source.where,
        article_ja=row.article_ja,
        article_en=row.article_en,
        remedy_ja=row.remedy_ja,
        remedy_en=row.remedy_en,
        origin=row.origin,
    )


def unknown_levels(q: Question, transfer: Transfer, levels: tuple[str, str]) -> Reason:
    """Say that no row tells in which form the kind crosses."""
    return Reason(
        code="policy.unknown_levels",
        ja=f"{LEVELS_JA[levels[0]]}から{LEVELS_JA[levels[1]]}へ{transfer.ja}渡す形の規則がありません",
        en=f"No rule says in which form {transfer.en} crosses from {levels[0]} to {levels[1]}",
        where=q.link,
        remedy_ja="規則の表 level_masks.csv の期間を確かめてください。",
        remedy_en="Check the dates in the table level_masks.csv.",
    )


def specific(q: Question, transfer: Transfer, basis: LegalBasisRow) -> Reason:
    """Say that specific personal information needs a basis in the Number Act."""
    return Reason(
        code="policy.specific_needs_number_law",
        ja=f"「{transfer.kind.ja}」は特定個人情報です。{basis.article_ja}では提供できません",
        en=f"{transfer.kind.kind} is specific personal information; {basis.article_en} does not"
        " permit providing it",
        where=q.at_basis,
        article_ja="番号法 19条、個人情報保護法 69条2項の適用除外（未確認）",
        article_en="Number Act, art. 19; art. 69(2) does not apply (not yet compared)",
        remedy_ja="番号法か、番号法9条2項に基づく条例の根拠を書いてください。",
        remedy_en="State a basis in the Number Act, or an ordinance under its art. 9(2).",
        example="legal_basis: {code: ordinance-9-2, ordinance: 架空市個人番号の利用等に関する条例}",
        origin=basis.origin,
    )


def tax_secrecy(q: Question, transfer: Transfer, basis: LegalBasisRow) -> Reason:
    """Say that the basis does not lift the secrecy of tax information."""
    return Reason(
        code="policy.tax_secrecy",
        ja=f"「{transfer.kind.ja}」には地方税法の守秘義務があります。{basis.article_ja}では"
        f"「{transfer.taker.ja}」へ渡せません",
        en=f"{transfer.kind.kind} is under the secrecy of taxes; {basis.article_en} does not"
        f" lift it for {transfer.taker.unit}",
        where=q.at_basis,
        article_ja="地方税法 22条（未確認）",
        article_en="Local Tax Act, art. 22 (not yet compared)",
        remedy_ja="守秘義務が解かれる根拠（本人の同意 69-2-1、税の情報の提供を求める法令 69-1-tax）"
        "を書くか、税の項目を外してください。",
        remedy_en="State a basis that lifts it (consent 69-2-1, a law that asks for it"
        " 69-1-tax), or leave the tax items out.",
        example='legal_basis: {code: "69-1-tax", note: 児童手当法の定め}',
        origin=basis.origin,
    )


def no_unit(q: Question, tables: Tables, on: date) -> Reason:
    """Say that the receiver names no business unit, or one that is in no table."""
    said = q.receiver.unit
    listed = "、".join(row.unit for row in tables.units if row.origin.holds(on))
    return Reason(
        code="policy.unit_unknown" if said else "policy.no_unit",
        ja=f"業務「{said}」は {on.isoformat()} の業務の表（units.csv）にありません"
        if said
        else f"{q.receiver.ja}がどの業務のものか書いてありません",
        en=f"There is no business unit {said!r} on {on.isoformat()}"
        if said
        else f"The file of {q.receiver.en} does not say to which business unit it belongs",
        where=q.receiver.where,
        remedy_ja=f"unit に業務を書いてください。あるもの: {listed}。ほかは policy/units.csv に"
        "足します。",
        remedy_en=f"Write unit. There are: {listed}. Others are added in policy/units.csv.",
        example="unit: nhi",
    )


def no_kind(source: Source, on: date) -> Reason:
    """Say that no table tells what a layout holds."""
    return Reason(
        code="policy.no_kind",
        ja=f"{source.ja}（レイアウト {source.layout}）がどの情報の種類か、{on.isoformat()} の表に"
        "ありません",
        en=f"No table says which kind of information the layout {source.layout!r} holds on"
        f" {on.isoformat()}",
        where=source.where,
        remedy_ja="policy/information_kinds.csv に、レイアウト・所管・機密性の行を足してください。",
        remedy_en="Add a row with layout, unit, confidentiality to policy/information_kinds.csv.",
    )


def no_giver(source: Source, kind: InformationKind, on: date) -> Reason:
    """Say that the unit in charge of a kind is in no table of the day."""
    return Reason(
        code="policy.unit_unknown",
        ja=f"「{kind.ja}」の所管「{kind.unit}」は {on.isoformat()} の業務の表（units.csv）に"
        "ありません",
        en=f"There is no unit {kind.unit!r}, in charge of {kind.kind}, on {on.isoformat()}",
        where=source.where,
        remedy_ja="units.csv の期間を確かめてください。",
        remedy_en="Check the dates in units.csv.",
        origin=kind.origin,
    )
