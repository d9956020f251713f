"""What the benchmark makes of its timings."""

from hypothesis import given
from hypothesis import strategies as st

from kumobashi.testing.bench.results import Timing, figures, seconds_for


def test_ratios_are_of_medians_and_say_better_the_same_way_each_time() -> None:
    timings = [
        *(Timing(way="ours", seconds=s, rows=1_000) for s in (1.0, 2.0, 9.0)),
        *(Timing(way="same_work", seconds=s, rows=1_000) for s in (4.0, 4.0, 1.0)),
        *(Timing(way="moving", seconds=s, rows=1_000) for s in (1.0, 1.0, 1.0)),
        *(Timing(way="dlt", seconds=s, rows=1_000) for s in (5.0, 6.0, 7.0)),
    ]

    found = figures(timings, residents=1_000)

    assert found["seconds"] == 2.0
    assert found["ratio_same_work"] == 0.5  # ours took half of it
    assert found["ratio_moving"] == 2.0
    assert found["ratio_dlt"] == 3.0  # it took three times ours
    assert found["fastest_seconds"]["same_work"] == 1.0
    assert found["extrapolated"] == []
    assert len(found["rounds"]) == len(timings)


def test_a_way_that_carried_fewer_rows_is_marked_as_extrapolated() -> None:
    timings = [
        Timing(way="ours", seconds=2.0, rows=400_000),
        Timing(way="soap_row", seconds=3.0, rows=1_500),
        Timing(way="soap_200", seconds=0.4, rows=4_000),
    ]

    found = figures(timings, residents=400_000)

    assert found["extrapolated"] == ["soap_row", "soap_200"]
    assert found["median_seconds"]["soap_row"] == 800.0
    assert found["ratio_soap_row"] == 400.0
    assert found["ratio_soap_200"] == 20.0


def test_ways_that_did_not_run_have_no_ratio() -> None:
    found = figures([Timing(way="ours", seconds=2.0, rows=10)], residents=10)

    assert [name for name in found if name.startswith("ratio_")] == []


def test_stages_are_medians_and_peaks_the_highest_of_all_rounds() -> None:
    timings = [
        Timing(way="ours", seconds=1, rows=1, stages={"seal": s}, peak_mib={"hall-core": p})
        for s, p in ((0.1, 300.0), (0.3, 500.0), (0.2, 400.0))
    ]

    found = figures(timings, residents=1)

    assert found["stages"] == {"seal": 0.2}
    assert found["peak_mib"] == {"hall-core": 500.0}


@given(st.integers(1, 10_000), st.integers(1, 10_000), st.floats(0.001, 1000))
def test_extrapolating_there_and_back_changes_nothing(few: int, many: int, seconds: float) -> None:
    there = seconds_for(Timing(way="dlt", seconds=seconds, rows=few), many)
    back = seconds_for(Timing(way="dlt", seconds=there, rows=many), few)

    assert abs(back - seconds) <= 1e-9 * seconds


def test_who_carries_prepared_rows_must_have_prepared_them() -> None:
    found = figures(
        [
            Timing(way="ours", seconds=5.0, rows=400_000),
            Timing(way="same_work", seconds=6.0, rows=400_000, stages={"made": 3.5}),
            Timing(way="moving", seconds=2.0, rows=400_000),
            Timing(way="soap_200", seconds=0.36, rows=4_000),
        ],
        residents=400_000,
    )

    assert found["median_seconds"]["soap_200"] == 36.0 + 3.5
    assert found["median_seconds"]["moving"] == 2.0
    assert found["ratio_soap_200"] == 7.9
