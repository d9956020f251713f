"""What people see of holdings: who has what until when, and how late the proof of its end is."""

from collections.abc import Mapping
from datetime import datetime

from kumobashi.exchange.holdings import OVER, Holding, Keeping, Level, escalation_of
from kumobashi.exchange.views import ContactView, HoldingView, Words
from kumobashi.kernel import from_micros

KEEPING_JA: Mapping[Keeping, str] = {
    Keeping.HELD: "保持中",
    Keeping.WAITING: "承認待ち",
    Keeping.ASKED: "消去依頼済",
    Keeping.DELETING: "消去中",
    Keeping.DELETED: "消去済",
    Keeping.LOST: "復元で消失（再送済）",
}
LEVELS: Mapping[Level, Words] = {
    Level.NONE: Words(ja="", en=""),
    Level.DUE: Words(ja="期限到来（受領待ち）", en="due, waiting for the proof"),
    Level.OVERDUE: Words(
        ja="段階1 期限超過: 受け取り側の窓口に連絡", en="level 1, overdue: call the receiving site"
    ),
    Level.LATE: Words(
        ja="段階2 三日超過: 連携の連絡先にも連絡", en="level 2, 3 days: tell the link's contact too"
    ),
    Level.SERIOUS: Words(
        ja="段階3 七日超過: 個人情報保護・監査の担当に報告",
        en="level 3, 7 days: report to the office of personal information and audit",
    ),
}


def holding_view(
    held: Holding,
    *,
    now: datetime,
    to_site_name: str,
    basis: str | None,
    contact: ContactView | None,
    link_contact: ContactView | None,
    relays: tuple[str, ...],
) -> HoldingView:
    """Return a holding as people see it."""
    due = _at(held.due_at)
    is_open = held.state not in OVER
    level = escalation_of(held, now)
    said, cause = held.facts, held.cause if is_open else None
    rows = said.get("rows")
    return HoldingView(
        side=held.side,
        transfer=held.transfer,
        attempt=held.attempt,
        link=held.link,
        business_date=held.business_date,
        from_site=held.from_site,
        to_site=held.to_site,
        to_site_name=to_site_name,
        rows=held.rows,
        state=held.state.value,
        state_ja=KEEPING_JA[held.state],
        retention_class=held.retention_class,
        retention_days=held.retention_days,
        by_law=held.by_law,
        basis=basis,
        plan_hash=held.plan_hash,
        applied=from_micros(held.applied_at),
        due=due,
        level=int(level),
        level_words=LEVELS[level],
        contact=contact,
        link_contact=link_contact,
        key=held.key,
        asked=_at(held.asked_at),
        asked_by=held.asked_by,
        approved_by=held.approved_by,
        deleted=_at(held.deleted_at),
        rows_deleted=rows if isinstance(rows, int) else None,
        taken_over_by=_text(said.get("taken_over_by")),
        key_backups_until=_text(said.get("key_backups_until")),
        receipt=_text(said.get("digest")),
        relays=relays,
        cause=Words(ja=str(cause["ja"]), en=str(cause["en"])) if cause else None,
        remedy=Words(ja=str(cause["remedy_ja"]), en=str(cause["remedy_en"])) if cause else None,
    )


def _at(micros: int | None) -> datetime | None:
    return from_micros(micros) if micros is not None else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
