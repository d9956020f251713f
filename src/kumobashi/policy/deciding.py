"""Decide whether a flow may run: the way, the legal basis, and every item in its form.

>>> from kumobashi.policy.tables import load_tables
>>> from kumobashi.kernel import Zone
>>> at = Where("systems/citizen-app.yaml", 4, "system")
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
...     sources=(),
...     receiver=Receiver(
...         unit="notice-service",
...         business=None,
...         is_outside=True,
...         jurisdiction="JP",
...         certifications=(),
...         ja="市民アプリ",
...         en="citizen-app",
...         where=at,
...         at_site=at,
...     ),
...     from_zone=Zone.MYNUMBER,
...     to_zone=Zone.INTERNET,
...     link=Where("links/welfare.yaml", 2, "link"),
...     at_basis=Where("links/welfare.yaml", 12, "legal_basis"),
... )
>>> decision = decide(question, load_tables(), on=date(2026, 11, 21))
>>> decision.is_permitted, decision.reasons[0].code
(False, 'policy.no_basis')
"""

from collections.abc import Iterator
from datetime import date, timedelta

from kumobashi.policy.clouds import against_cloud, certification_cautions
from kumobashi.policy.legal_basis import against_basis, basis_cautions
from kumobashi.policy.levels import SOON, reliability
from kumobashi.policy.permission import against_permission
from kumobashi.policy.questions import (
    AskedItem,
    Basis,
    Crossing,
    Decision,
    Question,
    Reason,
    Receiver,
    Source,
    Where,
)
from kumobashi.policy.reading import FORMS_JA, Origin
from kumobashi.policy.rulebook import Tables

__all__ = [
    "AskedItem",
    "Basis",
    "Crossing",
    "Decision",
    "Question",
    "Reason",
    "Receiver",
    "Source",
    "Where",
    "decide",
]


_ONE_DAY = timedelta(days=1)


def decide(question: Question, tables: Tables, *, on: date) -> Decision:
    """Return the decision on a flow on a day; what no row permits is refused."""
    noted: list[Origin] = []
    items = tuple(_against_items(question, tables, on, noted))
    refused = frozenset(reason.where for reason in items)
    way = tuple(_against_way(question, tables, on, noted, is_told_by_item=bool(items)))
    return Decision(
        reasons=(
            *against_basis(question, tables, on, noted),
            *way,
            *items,
            *against_permission(question, tables, on, noted, refused),
            *against_cloud(question, tables, on, noted, refused),
        ),
        cautions=(
            *basis_cautions(question, tables, on),
            *certification_cautions(question, tables, on),
            *_ending(question, noted, on),
        ),
        rows=tuple(dict.fromkeys(noted)),
    )


def _ending(q: Question, noted: list[Origin], on: date) -> Iterator[Reason]:
    """Say which of the rows that decided end within 90 days; what follows them may differ."""
    for origin in dict.fromkeys(noted):
        if origin.valid_to is not None and origin.valid_to - on <= SOON:
            until = origin.valid_to.isoformat()
            check = f"kumobashi policy check --on {(origin.valid_to + _ONE_DAY).isoformat()}"
            yield Reason(
                code="policy.row_ends",
                ja=f"この判断の根拠になった規則の行（{origin.place}）は {until} で終わります",
                en=f"A row that this rests on ({origin.place}) ends on {until}",
                where=q.link,
                remedy_ja=f"その翌日に何が変わるかを調べてください: {check}",
                remedy_en=f"See what changes on the day after: {check}",
                origin=origin,
            )


def _against_way(
    q: Question, tables: Tables, on: date, noted: list[Origin], *, is_told_by_item: bool
) -> Iterator[Reason]:
    """Check every connection; what each item is told for itself is not said again for the way."""
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
        noted.append(flow.origin)
        missing = [
            condition
            for condition in flow.conditions
            if not _is_met(condition, q, tables, on)
            and not (condition == "coarsened" and is_told_by_item)
        ]
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


def _is_met(condition: str, q: Question, tables: Tables, on: date) -> bool:
    match condition:
        case "coarsened":
            sensitive = ("personal", "identifier", "special")
            return not any(i.form == "kept" and i.sensitivity in sensitive for i in q.items)
        case "consent":
            return q.has_consent
        case "certified":
            held = q.receiver.certifications
            return reliability(held, tables.certifications, on=on).level != "0"
        case _:
            return False


def _against_items(q: Question, tables: Tables, on: date, noted: list[Origin]) -> Iterator[Reason]:
    for item in q.items:
        row = tables.form(item.sensitivity, q.to_zone, item.form, on=on)
        if row is not None:
            noted.append(row.origin)
        form_ja = FORMS_JA.get(item.form, item.form)
        if row is None:
            yield Reason(
                code="policy.unknown_form",
                ja=f"「{item.ja}」（区分 {item.sensitivity}）を{form_ja}出してよいという規則が"
                "ありません",
                en=f"No rule covers {item.name!r} ({item.sensitivity}) as {item.form}",
                where=item.where,
                remedy_ja="項目の区分（sensitivity）と操作（op）を確かめてください。",
                remedy_en="Check the sensitivity of the item and its operation.",
            )
        elif not row.is_permitted:
            yield Reason(
                code="policy.item_forbidden",
                ja=f"{q.to_zone.ja}へ「{item.ja}」を{form_ja}出せません",
                en=f"{item.name!r} ({item.sensitivity}) may not enter {q.to_zone.value}"
                f" as {item.form}",
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
                ja=f"{q.to_zone.ja}へ「{item.ja}」を出すには、提供ルールで本人の同意を"
                "確かめる必要があります",
                en=f"{item.name!r} may enter {q.to_zone.value} only for residents who consented",
                where=item.where,
                article_ja=row.article_ja,
                article_en=row.article_en,
                remedy_ja=row.remedy_ja,
                remedy_en=row.remedy_en,
                example="consent: {dataset: consents, by: subject}",
                origin=row.origin,
            )
