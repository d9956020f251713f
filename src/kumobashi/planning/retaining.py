"""What a link declares about how long the receiver may keep it, held against the policy's table."""

from datetime import date

from kumobashi.messages.retention import Retention
from kumobashi.planning.links import LinkFile
from kumobashi.policy.questions import Reason, Where
from kumobashi.policy.tables import RetentionRow, Tables


def retention_of(link: LinkFile, tables: Tables, *, on: date) -> Retention | None:
    """Return what the manifest says; nothing where the link declares nothing or is refused."""
    row = _row(link, tables, on)
    if link.retention is None or row is None:
        return None
    days = link.retention.days or row.days
    return Retention(name=row.code, days=days, is_kept_by_law=row.is_by_law)


def against_retention(
    link: LinkFile, tables: Tables, *, on: date, where: Where
) -> tuple[Reason, ...]:
    """Return the reasons why a link may not run with what it declares."""
    declared = link.retention
    if declared is None:
        return ()
    row = _row(link, tables, on)
    if row is None:
        known = "、".join(held.code for held in tables.retentions_on(on))
        return (
            Reason(
                code="planning.retention_unknown",
                ja=f"保持区分「{declared.class_}」は {on.isoformat()} の表にありません",
                en=f"There is no class of retention {declared.class_!r} on {on.isoformat()}",
                where=where,
                remedy_ja=f"あるのは次の区分です: {known}",
                remedy_en=f"There are: {known}",
                example="retention: {class: service, days: 30}",
            ),
        )
    if row.is_by_law and declared.days is not None and declared.days < row.days:
        return (
            Reason(
                code="planning.retention_too_short",
                ja=f"保持区分「{row.ja}」は {row.days} 日の保存が求められています"
                f"（{row.article_ja}）。{declared.days} 日では足りません",
                en=f"{row.en.capitalize()} must be kept for {row.days} days ({row.article_en});"
                f" {declared.days} are too few",
                where=where,
                remedy_ja="days を省くか、それ以上の日数を書いてください。",
                remedy_en="Leave days out, or write at least so many.",
                example=f"retention: {{class: {row.code}}}",
            ),
        )
    return ()


def _row(link: LinkFile, tables: Tables, on: date) -> RetentionRow | None:
    return tables.retention(link.retention.class_, on=on) if link.retention else None
