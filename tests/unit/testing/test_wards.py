"""Households are dealt to wards in proportion, however few there are."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kumobashi.testing.city.published import WARDS
from kumobashi.testing.city.wards import deal


@given(st.lists(st.integers(1, 9), max_size=40), st.integers(0, 9))
def test_every_household_gets_a_ward_however_few_there_are(sizes: list[int], seed: int) -> None:
    ward = deal(np.array(sizes, dtype=np.int64), np.random.default_rng(seed))

    assert len(ward) == len(sizes)
    assert all(0 <= place < len(WARDS) for place in ward)


@given(st.integers(1, 9), st.integers(1, 3_000))
def test_households_of_one_size_are_dealt_by_the_number_of_households(
    size: int, homes: int
) -> None:
    ward = deal(np.full(homes, size, dtype=np.int64), np.random.default_rng(1))

    shares = np.array([one.households for one in WARDS], dtype=np.float64)
    wanted = shares / shares.sum() * homes
    # One household more or less is rounding; where sizes are all alike, the wish for residents
    # pulls at every ward at once, within a tenth.
    assert np.all(np.abs(np.bincount(ward, minlength=len(WARDS)) - wanted) <= 1 + wanted * 0.1)
