import itertools
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumobashi.catalogue.code_lists import load_code_lists
from kumobashi.catalogue.eras import EraDate, era_date
from kumobashi.catalogue.tax_years import days_of, tax_year_on

DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("day", "year"),
    [
        (date(2026, 1, 1), 2025),
        (date(2026, 5, 31), 2025),
        (date(2026, 6, 1), 2026),
        (date(2026, 12, 31), 2026),
        (date(2028, 2, 29), 2027),
    ],
)
def test_until_the_end_of_may_the_tax_of_the_year_before_applies(day: date, year: int) -> None:
    assert tax_year_on(day) == year


@given(st.dates(date(1950, 1, 1), date(2200, 1, 1)))
def test_a_day_lies_within_the_days_of_its_tax_year(day: date) -> None:
    first, last = days_of(tax_year_on(day))

    assert first <= day <= last
    assert tax_year_on(first - DAY) == tax_year_on(last) - 1
    assert tax_year_on(last + DAY) == tax_year_on(first) + 1


@given(st.dates(date(1868, 1, 25), date(2100, 12, 31)))
def test_a_day_in_its_era_is_the_same_day(day: date) -> None:
    assert era_date(day).western == day


def test_eras_follow_each_other_without_a_gap_and_in_both_forms() -> None:
    one, two = load_code_lists()["era"].codes, load_code_lists()["era_2_digit"].codes

    assert [(era.code, era.ja) for era in one[:2]] == [("1", "明治"), ("2", "大正")]
    for before, after in itertools.pairwise(one):
        assert before.valid_to is not None
        assert after.valid_from == before.valid_to + DAY
    assert [(e.code.zfill(2), e.ja, e.valid_from) for e in one] == [
        (e.code, e.ja, e.valid_from) for e in two
    ]


def test_a_first_year_is_written_in_its_own_way() -> None:
    assert era_date(date(1989, 1, 8)).text == "平成元年1月8日"
    assert era_date(date(1990, 1, 8)).text == "平成2年1月8日"


@pytest.mark.parametrize(
    "wrong",
    [
        EraDate("3", "昭和", 64, 1, 8),  # Heisei by then
        EraDate("4", "平成", 31, 5, 1),
        EraDate("9", "?", 1, 1, 1),
        EraDate("5", "令和", 0, 1, 1),
        EraDate("5", "令和", 7, 2, 29),
    ],
)
def test_a_day_that_an_era_never_had_is_refused(wrong: EraDate) -> None:
    with pytest.raises(ValueError, match=r"."):
        _ = wrong.western


def test_days_before_meiji_have_no_era() -> None:
    with pytest.raises(ValueError, match="before Meiji"):
        era_date(date(1868, 1, 24))
