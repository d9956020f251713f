"""Holdings: every move is allowed or refused by the table; lateness has levels; looks get rarer."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumobashi.exchange.errors import IllegalMove
from kumobashi.exchange.holding_report import as_csv, as_html
from kumobashi.exchange.holding_views import KEEPING_JA, LEVELS, holding_view
from kumobashi.exchange.holdings import (
    MOVES,
    Holding,
    Keeping,
    Level,
    check_move,
    escalation,
    is_time,
)
from kumobashi.kernel import to_micros

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
HELD = Holding(
    tenant="999997",
    side="out",
    transfer="019aa8d1-5b7c-7000-8000-0123456789ab",
    attempt=1,
    link="notice-attributes",
    from_site="hall-core",
    to_site="public-cloud",
    business_date="2026-11-21",
    rows=3,
    key="sha256:" + "c" * 64,
    plan_hash="sha256:" + "d" * 64,
    retention_class="service",
    retention_days=30,
    by_law=False,
    applied_at=to_micros(NOW - timedelta(days=31)),
    due_at=to_micros(NOW - timedelta(days=1)),
    state=Keeping.HELD,
    asked_at=None,
    asked_by=None,
    approved_by=None,
    request=None,
    is_delivered=False,
    facts={},
    cause=None,
    deleted_at=None,
)
moments = st.datetimes(min_value=datetime(2026, 1, 1), max_value=datetime(2030, 1, 1)).map(  # noqa: DTZ001 - made aware next
    lambda at: at.replace(tzinfo=UTC)
)


@pytest.mark.parametrize("now", list(Keeping))
@pytest.mark.parametrize("then", list(Keeping))
def test_every_move_is_as_the_table_says(now: Keeping, then: Keeping) -> None:
    if then in MOVES[now]:
        check_move(now, then)
    else:
        with pytest.raises(IllegalMove):
            check_move(now, then)


def test_what_was_deleted_stays_deleted_and_everything_can_get_there() -> None:
    assert MOVES[Keeping.DELETED] == frozenset()
    assert all(Keeping.DELETED in MOVES[state] for state in Keeping if MOVES[state])
    assert set(KEEPING_JA) == set(Keeping)
    assert set(LEVELS) == set(Level)


@given(due=moments, one=moments, other=moments)
def test_lateness_only_grows(due: datetime, one: datetime, other: datetime) -> None:
    earlier, later = sorted((one, other))

    assert escalation(due, earlier) <= escalation(due, later)
    assert (escalation(due, one) is Level.NONE) == (one < due)


def test_nothing_is_late_that_has_no_end() -> None:
    assert escalation(None, NOW) is Level.NONE


def test_looks_get_rarer_but_never_rarer_than_hourly() -> None:
    now, minute = to_micros(NOW), 60 * 1_000_000

    fresh = replace(HELD, due_at=now)
    old = replace(HELD, due_at=now - 60 * 24 * 60 * minute)

    assert is_time(fresh, None, now)
    assert is_time(fresh, now, now)
    assert not is_time(old, now - 59 * minute, now)
    assert is_time(old, now - 60 * minute, now)


def test_a_law_keeps_it_until_it_is_due_and_no_longer() -> None:
    kept = replace(HELD, by_law=True)
    assert kept.due_at is not None

    assert kept.is_kept_by_law(kept.due_at - 1)
    assert not kept.is_kept_by_law(kept.due_at)
    assert not HELD.is_kept_by_law(kept.due_at - 1)


def test_a_report_is_no_formula_and_no_markup() -> None:
    cause = {"ja": "=cmd()<script>", "en": "=cmd()<script>", "remedy_ja": "", "remedy_en": ""}
    view = holding_view(
        replace(HELD, cause=cause),
        now=NOW,
        to_site_name="公共クラウド",
        basis="69-2-1",
        contact=None,
        link_contact=None,
        relays=("asp-relay",),
    )

    assert "'=cmd()<script>" in as_csv([view])
    page = as_html([view], now=NOW, municipality="架空市")
    assert "<script>" not in page
    assert page.count("<tr class=late>") == 1
    assert page.count("<tr>") == 2, "the head and the relay"
