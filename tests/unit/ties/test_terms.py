"""What lies within what: terms, and how often."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumobashi.ties.errors import TermsUnfit, TermsWiden
from kumobashi.ties.terms import Channel, Frequency, Terms, check_within, wider
from tests.unit.ties.books import LESS, OFFER

DAYS = st.dates(date(2026, 1, 1), date(2027, 12, 31))
FREQUENCIES = st.builds(Frequency, times=st.integers(1, 6), days=st.integers(1, 6))
TERMS = st.builds(
    lambda items, channels, frequency, days: Terms(
        items=items, channels=channels, frequency=frequency, first=min(days), last=max(days)
    ),
    st.frozensets(st.sampled_from(["name", "address", "birth_date"]), min_size=1),
    st.frozensets(st.sampled_from(list(Channel)), min_size=1),
    FREQUENCIES,
    st.tuples(DAYS, DAYS),
)


def allows(frequency: Frequency, hours: list[int]) -> bool:
    """Count every window that begins with a use, the slow way."""
    return all(
        sum(begin <= one < begin + 24 * frequency.days for one in hours) <= frequency.times
        for begin in hours
    )


@given(TERMS)
def test_terms_come_back_as_they_were_written(terms: Terms) -> None:
    assert Terms.decode(terms.encode()) == Terms.of(terms.plain()) == terms
    assert wider(terms, terms) is None


@given(TERMS, TERMS, TERMS)
def test_within_is_an_order(one: Terms, two: Terms, three: Terms) -> None:
    if wider(one, two) is None and wider(two, three) is None:
        assert wider(one, three) is None


@given(FREQUENCIES, FREQUENCIES, st.lists(st.integers(0, 24 * 14), max_size=14))
def test_what_a_rarer_frequency_allows_the_other_allows_too(
    rare: Frequency, often: Frequency, hours: list[int]
) -> None:
    taken: list[int] = []
    for hour in sorted(hours):
        if allows(rare, [*taken, hour]):
            taken.append(hour)
    if rare.is_within(often):
        assert allows(often, taken)


@given(FREQUENCIES, FREQUENCIES)
def test_a_frequency_that_is_not_within_can_break_the_other(one: Frequency, two: Frequency) -> None:
    bursts = [24 * one.days * n for n in range(8) for _ in range(one.times)]
    assert allows(one, bursts)
    assert one.is_within(two) is allows(two, bursts)


@pytest.mark.parametrize(
    ("field", "wide"),
    [
        ("items", replace(LESS, items=LESS.items | {"address"})),
        ("channels", replace(LESS, channels=LESS.channels | {Channel.SMS})),
        ("frequency", replace(LESS, frequency=Frequency(times=2, days=7))),
        ("frequency", replace(LESS, frequency=Frequency(times=1, days=6))),
        ("first", replace(LESS, first=LESS.first - timedelta(days=1))),
        ("last", replace(LESS, last=LESS.last + timedelta(days=1))),
    ],
)
def test_each_widening_is_named(field: str, wide: Terms) -> None:
    with pytest.raises(TermsWiden) as refused:
        check_within(wide, LESS)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("items", []),
        ("items", ["氏名"]),
        ("items", "name"),
        ("channels", []),
        ("channels", ["fax"]),
        ("times", 0),
        ("times", True),
        ("times", "1"),
        ("days", 0),
        ("days", 4_000),
        ("first", "2026-13-01"),
        ("first", None),
        ("last", "2026-10-31"),
    ],
)
def test_terms_that_cannot_be_are_refused(field: str, value: object) -> None:
    with pytest.raises(TermsUnfit) as refused:
        Terms.of({**OFFER.plain(), field: value})
    assert refused.value.field == field


@pytest.mark.parametrize("text", ["", "[]", "{", "{}"])
def test_terms_that_cannot_be_read_are_refused(text: str) -> None:
    with pytest.raises(TermsUnfit):
        Terms.decode(text)
