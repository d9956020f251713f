"""Decide whether a flow may run: the way, the legal basis, and every item in its form.

>>> from kumobashi.policy.tables import load_tables
>>> question = Question(
...     model="alpha",
...     from_ja="福祉システム",
...     to_ja="市民アプリ",
...     from_en="welfare",
...     to_en="citizen-app",
...     hops=(),
...     basis=None,
...     has_consent=False,
...     is_scheduled=True,
...     items=(),
...     to_zone=Zone.INTERNET,
...     certified_until=None,
...     link=Where("links/welfare.yaml", 2, "link"),
...     at_basis=Where("links/welfare.yaml", 12, "legal_basis"),
... )
>>> decision = decide(question, load_tables(), on=date(2026, 11, 21))
>>> decision.is_permitted, decision.reasons[0].code
(False, 'policy.no_basis')
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from kumobashi.kernel import Zone
from kumobashi.policy.tables import LegalBasisRow, Origin, Tables

_KIND_JA = {"kept": "そのまま", "coarsened": "粗くして", "flag": "有無で", "token": "符号で"}
_KIND_JA["derived"] = "計算した値で"


@dataclass(frozen=True, slots=True)
class Where:
    """A key in a file that people write."""

    file: str
    line: int
    key: str = ""

    def ja(self) -> str:
        """Return the place as people say it."""
        return f"{self.file} {self.line}行目" + (f" {self.key}" if self.key else "")

    def en(self) -> str:
        """Return the place in English."""
        return f"{self.file}, line {self.line}" + (f", {self.key}" if self.key else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """One connection on the way."""

    from_zone: Zone
    to_zone: Zone
    by: str
    by_ja: str
    from_ja: str  # names of the sites
    to_ja: str
    where: Where


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """The legal basis that a link states."""

    code: str
    consent: str | None
    ordinance: str | None
    note: str | None
    until: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedItem:
    """One released item: how sensitive its source is, and in which form it leaves."""

    name: str
    ja: str
    sensitivity: str
    form: str
    where: Where


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Everything a decision rests on."""

    model: str
    from_ja: str
    to_ja: str
    from_en: str
    to_en: str
    hops: tuple[Crossing, ...]
    to_zone: Zone  # where the items become readable; relays carry them sealed
    certified_until: date | None  # the latest certification of the receiving site
    basis: Basis | None
    has_consent: bool  # the release rule asks for each resident's consent
    is_scheduled: bool
    items: tuple[AskedItem, ...]
    link: Where
    at_basis: Where
    purpose: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why not, or what to mind: sentence, place, article, remedy, a line that would be right."""

    code: str
    ja: str
    en: str
    where: Where
    remedy_ja: str = ""
    remedy_en: str = ""
    article_ja: str = ""
    article_en: str = ""
    example: str = ""
    origin: Origin | None = None  # the row of the table that says so


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Permitted when there is no reason against it; cautions do not stop."""

    reasons: tuple[Reason, ...]
    cautions: tuple[Reason, ...]

    @property
    def is_permitted(self) -> bool:
        """Whether the flow may run."""
        return not self.reasons


def decide(question: Question, tables: Tables, *, on: date) -> Decision:
    """Return the decision on a flow on a day; what no row permits is refused."""
    return Decision(
        reasons=(
            *_against_basis(question, tables, on),
            *_against_way(question, tables, on),
            *_against_items(question, tables, on),
        ),
        cautions=tuple(_cautions(question, tables, on)),
    )


def _against_basis(q: Question, tables: Tables, on: date) -> Iterator[Reason]:
    if q.basis is None:
        yield Reason(
            code="policy.no_basis",
            ja="法的根拠がありません",
            en="There is no legal basis",
            where=q.at_basis,
            article_ja="個人情報保護法 69条",
            article_en="Act on the Protection of Personal Information, art. 69",
            remedy_ja=f"{q.from_ja}から{q.to_ja}への提供は、利用目的の範囲内（61条）か、"
            "個人情報保護法 69条2項のいずれかと理由が必要です。担当課と総務課で決めてから書いてください。",
            remedy_en="State that it is within the purpose of use (art. 61), or one of art. 69(2)"
            " with its reason, as decided by the offices in charge.",
            example=f'legal_basis: {{code: "69-2-1", consent: {q.purpose or "child-notices"}}}',
        )
        return
    row = tables.basis(q.basis.code, on=on)
    if row is None:
        known = "、".join(r.code for r in tables.bases_on(on))
        yield Reason(
            code="policy.unknown_basis",
            ja=f"法的根拠「{q.basis.code}」は {on.isoformat()} に有効な規則の表にありません",
            en=f"The legal basis {q.basis.code!r} is not in the tables that hold on {on.isoformat()}",
            where=q.at_basis,
            remedy_ja=f"次のどれかを書いてください: {known}",
            remedy_en=f"Write one of: {known.replace('、', ', ')}",
            example='legal_basis: {code: "69-2-1", consent: child-notices}',
        )
        return
    yield from _against_row(q, q.basis, row, on)


def _against_row(q: Question, basis: Basis, row: LegalBasisRow, on: date) -> Iterator[Reason]:
    """Check what the stated basis itself asks for."""

    def reason(code: str, said: tuple[str, str], remedy: tuple[str, str], example: str) -> Reason:
        return Reason(
            code=f"policy.{code}",
            ja=said[0],
            en=said[1],
            where=q.at_basis,
            article_ja=row.article_ja,
            article_en=row.article_en,
            remedy_ja=remedy[0],
            remedy_en=remedy[1],
            example=example,
            origin=row.origin,
        )

    purpose = q.purpose or "child-notices"
    if row.needs_consent and not (basis.consent and q.has_consent):
        missing = "legal_basis の consent" if not basis.consent else "提供ルールの consent"
        yield reason(
            "no_consent",
            (f"本人同意を根拠にしていますが、{missing} がありません",
             "Consent is the basis, but the link or its release rule does not ask for it"),
            ("同意の目的を書き、提供ルールで同意のある人だけにしてください。",
             "Name the purpose of the consent and let the release rule keep who consented."),
            f'legal_basis: {{code: "{row.code}", consent: {purpose}}} / consent: {{dataset: consents}}',
        )  # fmt: skip
    if row.needs_consent and basis.consent and q.purpose and basis.consent != q.purpose:
        yield reason(
            "other_purpose",
            (f"同意の目的「{basis.consent}」と連携の目的「{q.purpose}」が違います",
             f"The consent is for {basis.consent!r}, the link for {q.purpose!r}"),
            ("同意を得た目的と同じ目的を書いてください。", "State the purpose that was consented to."),
            f"purpose: {basis.consent}",
        )  # fmt: skip
    if row.needs_note and not basis.note:
        yield reason(
            "no_note",
            (f"{row.article_ja}（{row.ja}）には理由が必要です", f"{row.article_en} needs its reason stated"),
            ("どの法令・どの理由によるかを note に書いてください。", "State the law or the reason in note."),
            f'legal_basis: {{code: "{row.code}", note: 予防接種法による勧奨}}',
        )  # fmt: skip
    if row.needs_ordinance and not basis.ordinance:
        yield reason(
            "no_ordinance",
            ("条例の名前がありません", "The ordinance is not named"),
            ("根拠の条例と条を ordinance に書いてください。", "Name ordinance and article in ordinance."),
            f'legal_basis: {{code: "{row.code}", ordinance: 架空市個人番号の利用に関する条例 第4条}}',
        )  # fmt: skip
    if row.is_in_hall_only and q.to_zone is Zone.INTERNET:
        yield reason(
            "in_hall_only",
            (f"{row.article_ja}は庁内の利用だけの根拠です。{q.to_ja}は庁外にあります",
             f"{row.article_en} covers use inside the hall; {q.to_en} is outside"),
            ("庁外へ出すには別の根拠（例: 69条2項1号 本人の同意）が必要です。",
             "Another basis is needed to leave the hall, such as consent, art. 69(2)(i)."),
            f'legal_basis: {{code: "69-2-1", consent: {purpose}}}',
        )  # fmt: skip
    if basis.until and basis.until < on:
        yield reason(
            "basis_ended",
            (f"この根拠は {basis.until.isoformat()} で終わりました", f"This basis ended on {basis.until.isoformat()}"),
            ("続けるには改めて決定を受け、until を書き直してください。", "Have it decided anew, then correct until."),
            f'legal_basis: {{code: "{row.code}", until: "{on.year + 1}-03-31"}}',
        )  # fmt: skip


def _against_way(q: Question, tables: Tables, on: date) -> Iterator[Reason]:
    for hop in q.hops:
        flow = tables.flow(q.model, hop.from_zone, hop.to_zone, hop.by, on=on)
        between_ja = f"{hop.from_zone.ja}（{hop.from_ja}）→ {hop.to_zone.ja}（{hop.to_ja}）"
        between_en = f"{hop.from_zone.value} → {hop.to_zone.value} by {hop.by}"
        if flow is None:
            yield Reason(
                code="policy.unknown_flow",
                ja=f"{between_ja}を{hop.by_ja}でつなぐ規則がありません",
                en=f"No rule that holds on {on.isoformat()} covers {between_en}",
                where=hop.where,
                remedy_ja="許す規則のない経路は使えません。経路か、つなぎ方（by）を変えてください。",
                remedy_en="What no rule permits is refused; change the way or the connection (by).",
            )
            continue
        missing = [c for c in flow.conditions if not _is_met(c, q, on)]
        if flow.is_permitted and not missing:
            continue
        said = {
            "coarsened": ("抽象化していない項目がある", "items are not coarsened"),
            "consent": ("本人の同意を確かめない", "consent is not asked for"),
            "certified": ("送り先に有効な認証がない", "the receiver holds no valid certification"),
        }
        why_ja = f"（{'、'.join(said[c][0] for c in missing)}）" if missing else ""
        why_en = f" ({', '.join(said[c][1] for c in missing)})" if missing else ""
        yield Reason(
            code="policy.flow_conditions" if flow.is_permitted else "policy.flow_forbidden",
            ja=f"{between_ja}を{hop.by_ja}で渡せません{why_ja}",
            en=f"{between_en} is not permitted{why_en}",
            where=hop.where,
            article_ja=flow.article_ja,
            article_en=flow.article_en,
            remedy_ja=flow.remedy_ja,
            remedy_en=flow.remedy_en,
            origin=flow.origin,
        )


def _is_met(condition: str, q: Question, on: date) -> bool:
    match condition:
        case "coarsened":
            sensitive = ("personal", "identifier", "special")
            return not any(i.form == "kept" and i.sensitivity in sensitive for i in q.items)
        case "consent":
            return q.has_consent
        case "certified":
            return q.certified_until is not None and q.certified_until >= on
        case _:
            return False


def _against_items(q: Question, tables: Tables, on: date) -> Iterator[Reason]:
    for item in q.items:
        row = tables.form(item.sensitivity, q.to_zone, item.form, on=on)
        form_ja = _KIND_JA.get(item.form, item.form)
        if row is None:
            yield Reason(
                code="policy.unknown_form",
                ja=f"「{item.ja}」（区分 {item.sensitivity}）を{form_ja}出してよいという規則がありません",
                en=f"No rule covers {item.name!r} ({item.sensitivity}) as {item.form}",
                where=item.where,
                remedy_ja="項目の区分（sensitivity）と操作（op）を確かめてください。",
                remedy_en="Check the sensitivity of the item and its operation.",
            )
        elif not row.is_permitted:
            yield Reason(
                code="policy.item_forbidden",
                ja=f"{q.to_zone.ja}へ「{item.ja}」を{form_ja}出せません",
                en=f"{item.name!r} ({item.sensitivity}) may not enter {q.to_zone.value} as {item.form}",
                where=item.where,
                article_ja=row.article_ja,
                article_en=row.article_en,
                remedy_ja=row.remedy_ja,
                remedy_en=row.remedy_en,
                origin=row.origin,
            )
        elif row.needs_consent and not q.has_consent:
            yield Reason(
                code="policy.item_needs_consent",
                ja=f"{q.to_zone.ja}へ「{item.ja}」を出すには、提供ルールで本人の同意を確かめる必要があります",
                en=f"{item.name!r} may enter {q.to_zone.value} only for residents who consented",
                where=item.where,
                article_ja=row.article_ja,
                article_en=row.article_en,
                remedy_ja=row.remedy_ja,
                remedy_en=row.remedy_en,
                example="consent: {dataset: consents, by: subject}",
                origin=row.origin,
            )


def _cautions(q: Question, tables: Tables, on: date) -> Iterator[Reason]:
    row = tables.basis(q.basis.code, on=on) if q.basis else None
    if q.basis and row and row.is_beyond_purpose and q.is_scheduled and q.basis.until is None:
        # 事務対応ガイド 4-2-1(3): what is done again and again is a change of purpose.
        yield Reason(
            code="policy.continual",
            ja="毎日の利用目的外の提供です。恒常的に行うなら利用目的の変更を検討してください",
            en="A scheduled use beyond purpose; consider changing the purpose of use",
            where=q.at_basis,
            article_ja="個人情報保護委員会 事務対応ガイド 4-2-1(3)（未確認）",
            article_en="guide of the Personal Information Protection Commission, 4-2-1(3) (not compared)",
            remedy_ja="終わりの日を until に書いてください。",
            remedy_en="Write its last day as until.",
            example=f'legal_basis: {{code: "{row.code}", until: "{on.year + 1}-03-31"}}',
            origin=row.origin,
        )
