"""Whether the receiving cloud is reliable enough for what it would hold, today and soon."""

from collections.abc import Iterator
from datetime import date

from kumobashi.policy.levels import CloudRow, Reliability, reliability
from kumobashi.policy.questions import Question, Reason, Where
from kumobashi.policy.reading import FORMS_JA, Origin
from kumobashi.policy.rulebook import Tables
from kumobashi.policy.units import InformationKind

_LACKING_JA = {
    "number": "番号（number）",
    "scope": "対象範囲（scope）",
    "valid_to": "期限（valid_to）",
}


def against_cloud(
    q: Question, tables: Tables, on: date, noted: list[Origin], refused: frozenset[Where]
) -> Iterator[Reason]:
    """Give a reason for each kind of information and form that the receiving cloud may not hold."""
    if not q.receiver.is_outside:
        return
    found = reliability(q.receiver.certifications, tables.certifications, on=on)
    if found.row:
        noted.append(found.row.origin)
    denied: dict[str, list[tuple[InformationKind, str, CloudRow | None]]] = {}
    told: set[tuple[str, str]] = set()
    for kind, form in _held(q, tables, on, refused):
        if (kind.confidentiality, form) in told:
            continue
        told.add((kind.confidentiality, form))
        key = kind.confidentiality, form, found.level, q.receiver.jurisdiction
        row = tables.cloud(*key, on=on)
        if row is not None:
            noted.append(row.origin)
        if row is None or not row.is_permitted:
            denied.setdefault(kind.confidentiality, []).append((kind, form, row))
    for confidentiality, held in denied.items():
        yield _denied(q, found, confidentiality, held, on)


def _held(
    q: Question, tables: Tables, on: date, refused: frozenset[Where]
) -> Iterator[tuple[InformationKind, str]]:
    """Give what would lie in the cloud: each kind, in each form that no other rule has refused."""
    for source in q.sources:
        kind = tables.kind_of_layout(source.layout, on=on)
        if kind is None:
            continue  # told by the permission
        left = (
            form
            for form, item in source.forms(q.items)
            if item is None or item.where not in refused
        )
        for form in dict.fromkeys(left):
            yield kind, form


def _denied(
    q: Question,
    found: Reliability,
    confidentiality: str,
    held: list[tuple[InformationKind, str, CloudRow | None]],
    on: date,
) -> Reason:
    # The row that asks for the highest level speaks: who meets it meets the others.
    row = max((row for _, _, row in held if row), key=lambda r: r.remedy_ja, default=None)
    kinds = dict.fromkeys(kind.ja for kind, _, _ in held)
    forms = dict.fromkeys(form for _, form, _ in held)
    why_ja, why_en = _why(found, on)
    what = "・".join(FORMS_JA.get(form, form) for form in forms)
    return Reason(
        code="policy.cloud_level" if row else "policy.unknown_cloud_level",
        ja=f"機密性{confidentiality}の「{'」「'.join(kinds)}」を{what}、信頼性レベル{found.level}・"
        f"{q.receiver.jurisdiction} のクラウド（{q.receiver.ja}）へ置けません{why_ja}",
        en=f"{', '.join(dict.fromkeys(kind.kind for kind, _, _ in held))} (confidentiality"
        f" {confidentiality}) as {', '.join(forms)} may not lie in a cloud of reliability level"
        f" {found.level} under {q.receiver.jurisdiction}{why_en}",
        where=q.receiver.at_site,
        article_ja=row.article_ja if row else "",
        article_en=row.article_en if row else "",
        remedy_ja=(row.remedy_ja if row else "")
        or "サイトの certifications に、有効な認証の番号・対象範囲・期限を書いてください。",
        remedy_en=(row.remedy_en if row else "")
        or "Write valid certifications with number, scope and expiry into the site.",
        example="certifications: [{name: ISMAP, number: C00-0000-0, scope: …, valid_to:"
        f' "{on.year + 1}-03-31"}}]',
        origin=row.origin if row else None,
    )


def certification_cautions(q: Question, tables: Tables, on: date) -> Iterator[Reason]:
    """Say from 90 days ahead that what the cloud's level rests on is going to end."""
    if not q.receiver.is_outside:
        return
    found = reliability(q.receiver.certifications, tables.certifications, on=on)
    if found.by is None or found.by.valid_to is None or not found.ends_soon(on):
        return
    days = (found.by.valid_to - on).days
    yield Reason(
        code="policy.certification_ends",
        ja=f"{q.receiver.ja}の認証「{found.by.name}」は {found.by.valid_to.isoformat()} で"
        f"終わります（あと {days} 日）。更新されなければ、翌日から送れません",
        en=f"The certification {found.by.name} of {q.receiver.en} ends on"
        f" {found.by.valid_to.isoformat()} (in {days} days); unless renewed, nothing is sent after",
        where=q.receiver.at_site,
        remedy_ja="事業者に更新の予定を確かめ、新しい期限を certifications に書いてください。",
        remedy_en="Ask the provider about the renewal and write the new expiry into the site.",
        origin=found.row.origin if found.row else None,
    )


def _why(found: Reliability, on: date) -> tuple[str, str]:
    """Return why certifications that are named give no more than they do."""
    ja, en = [], []
    for held in found.ended:
        begins = held.valid_from and held.valid_from > on
        day = (held.valid_from if begins else held.valid_to) or on
        ja.append(f"{held.name} は {day.isoformat()} {'から' if begins else 'で終わりました'}")
        en.append(f"{held.name} {'begins' if begins else 'ended'} on {day.isoformat()}")
    for held, missing in found.lacking:
        ja.append(f"{held.name} に{'・'.join(_LACKING_JA[name] for name in missing)}がありません")
        en.append(f"{held.name} lacks {', '.join(missing)}")
    return (f"（{'、'.join(ja)}）", f" ({', '.join(en)})") if ja else ("", "")
