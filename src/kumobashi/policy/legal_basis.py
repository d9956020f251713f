"""Whether the legal basis that a link states permits it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from kumobashi.kernel import Zone
from kumobashi.policy.flow_rows import LegalBasisRow
from kumobashi.policy.questions import Basis, Question, Reason
from kumobashi.policy.reading import Origin
from kumobashi.policy.rulebook import Tables


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lack:
    """Something that a basis asks for and that is not there."""

    code: str
    ja: str
    en: str
    remedy_ja: str
    remedy_en: str
    example: str


def against_basis(
    question: Question, tables: Tables, on: date, noted: list[Origin]
) -> Iterator[Reason]:
    """Give every reason against the basis; a link without one is refused."""
    stated = question.basis
    if stated is None:
        yield _no_basis(question)
        return
    row = tables.basis(stated.code, on=on)
    if row is None:
        yield _unknown_basis(question, stated, tables, on)
        return
    noted.append(row.origin)
    for lack in _lacks(question, stated, row, on):
        yield Reason(
            code=f"policy.{lack.code}",
            ja=lack.ja,
            en=lack.en,
            where=question.at_basis,
            article_ja=row.article_ja,
            article_en=row.article_en,
            remedy_ja=lack.remedy_ja,
            remedy_en=lack.remedy_en,
            example=lack.example,
            origin=row.origin,
        )


def basis_cautions(q: Question, tables: Tables, on: date) -> Iterator[Reason]:
    """Give what to mind about the basis; it does not stop the link."""
    row = tables.basis(q.basis.code, on=on) if q.basis else None
    if q.basis and row and row.is_beyond_purpose and q.is_scheduled and q.basis.until is None:
        # 事務対応ガイド 4-2-1(3): what is done again and again is a change of purpose.
        yield Reason(
            code="policy.continual",
            ja="毎日の利用目的外の提供です。恒常的に行うなら利用目的の変更を検討してください",
            en="A scheduled use beyond purpose; consider changing the purpose of use",
            where=q.at_basis,
            article_ja="個人情報保護委員会 事務対応ガイド 4-2-1(3)（未確認）",
            article_en="guide of the Personal Information Protection Commission, 4-2-1(3)"
            " (not yet compared)",
            remedy_ja="終わりの日を until に書いてください。",
            remedy_en="Write its last day as until.",
            example=f'legal_basis: {{code: "{row.code}", until: "{on.year + 1}-03-31"}}',
            origin=row.origin,
        )
    if q.basis and row and row.proviso == "caution" and not q.basis.proviso:
        yield Reason(
            code="policy.proviso_unstated",
            ja=f"{row.article_ja}のただし書（本人や第三者の権利利益を不当に侵害するおそれがないか）を"
            "確かめたと書いてありません",
            en=f"{row.article_en}: the proviso (unjust harm to rights) is not stated as checked",
            where=q.at_basis,
            article_ja="個人情報保護法 69条2項ただし書（未確認）",
            article_en="Act on the Protection of Personal Information, art. 69(2), proviso"
            " (not yet compared)",
            remedy_ja="確かめた人と内容を proviso に書いてください。",
            remedy_en="State in proviso who checked it and how.",
            example=f'legal_basis: {{code: "{row.code}", proviso: 総務課が確認}}',
            origin=row.origin,
        )


def _no_basis(q: Question) -> Reason:
    return Reason(
        code="policy.no_basis",
        ja="法的根拠がありません",
        en="There is no legal basis",
        where=q.at_basis,
        article_ja="個人情報保護法 69条",
        article_en="Act on the Protection of Personal Information, art. 69",
        remedy_ja=f"{q.from_ja}から{q.to_ja}への提供は、利用目的の範囲内（61条）か、"
        "69条2項のいずれかと理由が必要です。団体の様式（目的外利用・提供の申請書）に "
        "kumobashi plan --html の1枚を添えて、担当課から総務課へ合議し、"
        "決まった根拠を書いてください。",
        remedy_en="State that it is within the purpose of use (art. 61), or one of art. 69(2)"
        " with its reason. Apply on your municipality's form for other use and provision, with"
        " the sheet of kumobashi plan --html attached; the offices in charge decide.",
        example=f'legal_basis: {{code: "69-2-1", consent: {q.purpose or "child-notices"}}}',
    )


def _unknown_basis(q: Question, stated: Basis, tables: Tables, on: date) -> Reason:
    known = [row.code for row in tables.bases_on(on)]
    day = on.isoformat()
    return Reason(
        code="policy.unknown_basis",
        ja=f"法的根拠「{stated.code}」は {day} に有効な規則の表にありません",
        en=f"The legal basis {stated.code!r} is not in the tables that hold on {day}",
        where=q.at_basis,
        remedy_ja=f"次のどれかを書いてください: {'、'.join(known)}",
        remedy_en=f"Write one of: {', '.join(known)}",
        example='legal_basis: {code: "69-2-1", consent: child-notices}',
    )


def _lacks(q: Question, stated: Basis, row: LegalBasisRow, on: date) -> Iterator[_Lack]:
    """Give what the row asks for and the link does not say."""
    right = f'legal_basis: {{code: "{row.code}", '
    if row.needs_consent:
        yield from _consent_lacks(q, stated, right)
    if row.needs_note and not stated.note:
        yield _Lack(
            code="no_note",
            ja=f"{row.article_ja}（{row.ja}）には理由が必要です",
            en=f"{row.article_en} needs its reason stated",
            remedy_ja="どの法令・どの理由によるかを note に書いてください。",
            remedy_en="State the law or the reason in note.",
            example=f"{right}note: 予防接種法による勧奨}}",
        )
    if row.needs_ordinance and not stated.ordinance:
        yield _Lack(
            code="no_ordinance",
            ja="条例の名前がありません",
            en="The ordinance is not named",
            remedy_ja="根拠の条例と条を ordinance に書いてください。",
            remedy_en="Name ordinance and article in ordinance.",
            example=f"{right}ordinance: 架空市個人番号の利用等に関する条例 第4条}}",
        )
    if row.proviso == "refuse" and not stated.proviso:
        yield _Lack(
            code="no_proviso",
            ja=f"{row.article_ja}のただし書（本人や第三者の権利利益を不当に侵害するおそれがないか）を"
            "確かめたと書いてありません",
            en=f"{row.article_en}: that nobody's rights are unjustly harmed (proviso) is not stated"
            " as checked",
            remedy_ja="だれが、どう確かめたかを proviso に書いてください。",
            remedy_en="State in proviso who checked it and how.",
            example=f"{right}proviso: 総務課が確認。送る項目は有無だけで不利益を生じない}}",
        )
    if row.is_in_hall_only and q.to_zone is Zone.INTERNET:
        yield _Lack(
            code="in_hall_only",
            ja=f"{row.article_ja}は庁内の利用だけの根拠です。{q.to_ja}は庁外にあります",
            en=f"{row.article_en} covers use inside the hall; {q.to_en} is outside",
            remedy_ja="庁外へ出すには別の根拠（例: 69条2項1号 本人の同意）が必要です。",
            remedy_en="Another basis is needed to leave the hall, such as consent, art. 69(2)(i).",
            example=f'legal_basis: {{code: "69-2-1", consent: {q.purpose or "child-notices"}}}',
        )
    if stated.until and stated.until < on:
        yield _Lack(
            code="basis_ended",
            ja=f"この根拠は {stated.until.isoformat()} で終わりました",
            en=f"This basis ended on {stated.until.isoformat()}",
            remedy_ja="続けるには改めて決定を受け、until を書き直してください。",
            remedy_en="Have it decided anew, then correct until.",
            example=f'{right}until: "{on.year + 1}-03-31"}}',
        )


def _consent_lacks(q: Question, stated: Basis, right: str) -> Iterator[_Lack]:
    if not stated.consent:
        yield _Lack(
            code="no_consent",
            ja="本人同意を根拠にしていますが、どの目的の同意かがありません",
            en="Consent is the basis, but the link does not say to what",
            remedy_ja="同意を得た目的を legal_basis の consent に書いてください。",
            remedy_en="Name the purpose that was consented to as consent.",
            example=f"{right}consent: {q.purpose or 'child-notices'}}}",
        )
    elif q.purpose and stated.consent != q.purpose:
        yield _Lack(
            code="other_purpose",
            ja=f"同意の目的「{stated.consent}」と連携の目的「{q.purpose}」が違います",
            en=f"The consent is for {stated.consent!r}, the link for {q.purpose!r}",
            remedy_ja="同意を得た目的と同じ目的を書いてください。",
            remedy_en="State the purpose that was consented to.",
            example=f"purpose: {stated.consent}",
        )
    if not q.has_consent:
        yield _Lack(
            code="consent_not_asked",
            ja="本人同意を根拠にしていますが、提供ルールが同意のある人に絞っていません",
            en="Consent is the basis, but the release rule does not keep who consented",
            remedy_ja="提供ルールに consent を書いてください。",
            remedy_en="Write consent in the release rule.",
            example="consent: {dataset: consents, by: subject}",
        )
