"""What of the ledger's changes matters to who was sent data: whose consent ended, or is back."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from kumobashi.consent.snapshot import WHY, Terms
from kumobashi.consent.sql import standings
from kumobashi.consent.states import Reason, State, Tier
from kumobashi.kernel import to_micros
from kumobashi.storage.changes import newest_change

_AT_ONCE = 500  # subjects named in one statement


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A resident whose consent ended, or counts again after it had."""

    subject: str
    is_in_force: bool
    sequence: int


def changes_of(
    connection: sa.Connection,
    tenant: str,
    terms: Terms,
    *,
    after: int,
    most: int,
    now: datetime,
) -> tuple[list[Change], int]:
    """Return whom a user of data under ``terms`` must be told of, and up to which change.

    Whoever consented and never took it back is nobody's business. About ``most`` at a time: the
    residents of one change stay together.
    """
    newest = newest_change(connection, tenant)
    is_ours = sa.and_(
        standings.c.tenant == tenant,
        standings.c.purpose == terms.purpose,
        standings.c.tier.in_(sorted(tier.value for tier in terms.tiers)),
        standings.c.sequence > after,
        standings.c.was_ended,
    )
    query = sa.select(standings.c.sequence).where(is_ours).order_by(standings.c.sequence)
    end = connection.execute(query.offset(most - 1).limit(1)).scalar()
    until = newest if end is None else int(end)
    chosen = sa.select(standings.c.subject, sa.func.max(standings.c.sequence)).where(
        is_ours, standings.c.sequence <= until
    )
    changed = {row[0]: row[1] for row in connection.execute(chosen.group_by(standings.c.subject))}
    rows = _rows(connection, tenant, terms, changed)
    return [
        Change(subject=subject, is_in_force=is_in_force(terms, rows[subject], now), sequence=number)
        for subject, number in sorted(changed.items(), key=lambda one: one[1])
    ], until


def in_force_among(
    connection: sa.Connection,
    tenant: str,
    terms: Terms,
    subjects: Collection[str],
    now: datetime,
) -> set[str]:
    """Return those of some residents whose consent counts under all of the terms."""
    rows = _rows(connection, tenant, terms, subjects)
    return {subject for subject in subjects if is_in_force(terms, rows[subject], now)}


def is_in_force(terms: Terms, rows: Mapping[Tier, sa.Row[Any]], now: datetime) -> bool:
    """Whether what counts for one resident is a yes under all of the terms; without a row a no."""
    return why_not(terms, rows, now) is None


def why_not(terms: Terms, rows: Mapping[Tier, sa.Row[Any]], now: datetime) -> str | None:
    """Return why one resident's consent does not count; none: it does.

    The same answer as the snapshot gives for all at once, and ``"none"`` for whom it does not know.
    """
    worst = max((_why(rows[tier], terms, now) for tier in terms.tiers if tier in rows), default=0)
    if worst == 0 and not terms.tiers <= rows.keys():
        return "other_tier" if rows else "none"
    return next((name for name, number in WHY.items() if number == worst), None)


def _why(row: sa.Row[Any], terms: Terms, now: datetime) -> int:
    is_granted = row.state == State.GRANTED.value
    holds = {
        "died": row.reason == Reason.DIED.value,
        "merged": row.reason == Reason.MERGED.value and not is_granted,
        "withdrawn": row.state == State.WITHDRAWN.value,
        "expired": not is_granted or (row.until is not None and row.until <= to_micros(now)),
        "other_version": row.version not in terms.versions,
    }
    return next((WHY[name] for name, is_so in holds.items() if is_so), 0)


def _rows(
    connection: sa.Connection, tenant: str, terms: Terms, subjects: Collection[str]
) -> Mapping[str, Mapping[Tier, sa.Row[Any]]]:
    found: defaultdict[str, dict[Tier, sa.Row[Any]]] = defaultdict(dict)
    asked = sorted(subjects)
    for at in range(0, len(asked), _AT_ONCE):
        query = sa.select(standings).where(
            standings.c.tenant == tenant,
            standings.c.purpose == terms.purpose,
            standings.c.subject.in_(asked[at : at + _AT_ONCE]),
        )
        for row in connection.execute(query):
            found[row.subject][Tier(row.tier)] = row
    return found
