"""Deadlines: what the law's rows give, and what no order of events may change."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumobashi.requests.deadlines import RULES, Due, Extension, Step, Stop, due_of, is_in_window
from kumobashi.requests.errors import DeadlineUnknown
from kumobashi.requests.states import Kind

DAYS = st.dates(date(2023, 4, 1), date(2035, 12, 31))
SPANS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=4)
KINDS = st.sampled_from(list(Kind))


def due(
    received: date,
    *,
    kind: Kind = Kind.DISCLOSURE,
    stops: tuple[Stop, ...] = (),
    extension: Extension | None = None,
    today: date | None = None,
) -> Due:
    rows = RULES.of(kind, received)
    return due_of(received, rows, RULES.closed, stops=stops, extension=extension, today=today)


@pytest.mark.parametrize(
    ("received", "counted", "day"),
    [
        (date(2026, 11, 2), date(2026, 12, 2), date(2026, 12, 2)),  # a Wednesday
        (date(2026, 11, 5), date(2026, 12, 5), date(2026, 12, 7)),  # Saturday -> Monday
        (date(2026, 11, 30), date(2026, 12, 30), date(2027, 1, 4)),  # the turn of the year
        (date(2026, 10, 24), date(2026, 11, 23), date(2026, 11, 24)),  # a holiday on a Monday
        (date(2027, 2, 19), date(2027, 3, 21), date(2027, 3, 23)),  # Sunday, then its substitute
        (date(2026, 4, 3), date(2026, 5, 3), date(2026, 5, 7)),  # four holidays on end
    ],
)
def test_thirty_days_from_the_day_after(received: date, counted: date, day: date) -> None:
    found = due(received)
    assert (found.counted, found.day) == (counted, day)
    assert found.is_verified is (counted == day)  # the move to an open day is not verified


def test_an_extension_adds_at_most_what_its_row_says() -> None:
    longer = Extension(step=Step.LONGER, told=date(2026, 11, 20), days=30)
    found = due(date(2026, 11, 2), extension=longer)
    assert found.counted == date(2027, 1, 1)
    assert found.day == date(2027, 1, 4)
    assert "83条2項" in found.article_ja


def test_the_special_rule_has_a_part_in_sixty_days() -> None:
    special = Extension(step=Step.SPECIAL, told=date(2026, 11, 20), until=date(2027, 6, 30))
    found = due(date(2026, 11, 2), extension=special)
    assert (found.counted, found.part) == (date(2027, 6, 30), date(2027, 1, 1))
    other = due(date(2026, 11, 2), kind=Kind.CORRECTION, extension=special)
    assert other.part is None


def test_the_clock_stands_while_the_applicant_completes_it() -> None:
    stop = Stop(asked=date(2026, 11, 10))
    found = due(date(2026, 11, 2), stops=(stop,), today=date(2026, 11, 20))
    assert (found.lost, found.is_stopped) == (10, True)
    assert found.days_left(date(2026, 11, 20)) == 22
    assert not found.is_late(date(2030, 1, 1))
    came = Stop(asked=date(2026, 11, 10), came=date(2026, 11, 20))
    assert due(date(2026, 11, 2), stops=(came,)).counted == date(2026, 12, 12)


def test_what_is_late_stays_late() -> None:
    after = Stop(asked=date(2026, 12, 10), came=date(2027, 3, 1))
    assert due(date(2026, 11, 2), stops=(after,)).counted == date(2026, 12, 2)


@given(DAYS, KINDS, SPANS)
def test_stops_give_back_exactly_their_days(
    received: date, kind: Kind, spans: list[tuple[int, int]]
) -> None:
    stops, at = [], received
    for wait, length in spans:
        asked = at + timedelta(days=wait)
        at = asked + timedelta(days=length)
        stops.append(Stop(asked=asked, came=at))
    plain = due(received, kind=kind)
    found = due(received, kind=kind, stops=tuple(reversed(stops)))
    assert found.counted == plain.counted + timedelta(days=found.lost)
    assert 0 <= found.lost <= sum(length for _, length in spans)
    # Days that were counted are thirty, however they are parted.
    span = {received + timedelta(days=n) for n in range(1, (found.counted - received).days + 1)}
    taken = {
        one.asked + timedelta(days=n)
        for one in stops
        for n in range(1, ((one.came or one.asked) - one.asked).days + 1)
    }
    assert len(span - taken) <= 30


@given(DAYS, KINDS, st.integers(1, 30), st.dates(date(2023, 4, 1), date(2040, 1, 1)))
def test_extending_never_shortens_and_offices_are_open(
    received: date, kind: Kind, days: int, until: date
) -> None:
    plain = due(received, kind=kind)
    for extension in (
        Extension(step=Step.LONGER, told=received, days=days),
        Extension(step=Step.SPECIAL, told=received, until=until),
    ):
        found = due(received, kind=kind, extension=extension)
        assert plain.counted <= found.counted <= found.day
        assert found.day.weekday() < 5
        assert found.day not in RULES.closed.days
        between = (found.counted + timedelta(n) for n in range((found.day - found.counted).days))
        assert all(RULES.closed.next_open(one) == found.day for one in between)


@given(DAYS, KINDS, st.integers(0, 400))
def test_a_day_is_late_or_it_is_not(received: date, kind: Kind, after: int) -> None:
    found, on = due(received, kind=kind), received + timedelta(days=after)
    assert found.is_late(on) is (on > found.day)
    assert found.days_left(on) == 30 - after


@given(DAYS, st.integers(-30, 200))
def test_ninety_days_after_a_disclosure(disclosed: date, after: int) -> None:
    rows, on = RULES.of(Kind.SUSPENSION, disclosed), disclosed + timedelta(days=after)
    last = RULES.closed.next_open(disclosed + timedelta(days=90))
    assert is_in_window(on, disclosed, rows, RULES.closed) is (on <= last)
    assert not is_in_window(on, None, rows, RULES.closed)
    free = RULES.of(Kind.DISCLOSURE, disclosed)
    assert is_in_window(on, None, free, RULES.closed)


def test_days_beyond_the_calendar_are_marked() -> None:
    assert due(date(2026, 11, 2)).is_calendar_known
    assert not due(date(2029, 11, 2)).is_calendar_known


def test_before_the_law_holds_nothing_is_counted() -> None:
    with pytest.raises(DeadlineUnknown):
        RULES.of(Kind.CORRECTION, date(2023, 3, 31))


def test_every_row_has_a_source_and_says_whether_it_was_compared() -> None:
    assert (
        len(RULES.deadlines) == len(Kind) * len(Step) - 2
    )  # a disclosure has no window, no receivers
    assert {row.days for row in RULES.deadlines if row.step is Step.FIRST} == {30}
    assert all(row.origin.source for row in RULES.deadlines)
    assert all(one.origin.source for one in RULES.refusals)
    assert any(not row.origin.is_verified for row in RULES.deadlines)
