"""The benchmark itself, small: what it reports and that the ways agree."""

import pytest

from kumobashi.testing.bench.programs import missing_programs
from kumobashi.testing.bench.running import Wish, bench_link

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

SITES = {"hall-core", "hall-exchange", "asp-relay", "public-cloud"}


def test_the_link_is_timed_between_running_gateways() -> None:
    steps: list[str] = []

    found = bench_link(
        Wish(residents=1_500, rounds=1, peers="none"), lambda what, _done: steps.append(what)
    )

    assert found["residents"] == found["rows"] == 1_500
    assert found["seconds"] > 0
    assert {"extract", "release", "seal", "carry", "applied"} <= set(found["stages"])
    assert set(found["peak_mib"]) == SITES
    assert all(20 < peak < 1024 for peak in found["peak_mib"].values())
    assert set(found["cpu_seconds"]["ours"]) == {*SITES, "postgresql"}
    assert found["settings"]["fsync"] == found["settings"]["synchronous_commit"] == "on"
    assert found["fsync_per_second"] > 0
    assert found["machine"]["postgresql"].startswith("18")
    assert steps == ["fsync", "city", "gateways", "0 ours", "1 ours"]


def test_the_shell_pipelines_leave_the_same_tables_as_the_link() -> None:
    if missing := missing_programs("floors"):
        pytest.skip(f"not installed here: {', '.join(missing)}")

    found = bench_link(Wish(residents=1_500, rounds=1, peers="floors"))

    ways = ("same_work", "same_work_measured", "moving")
    assert found["rows_equal"] == dict.fromkeys(ways, True)
    assert found["ratio_same_work"] > 0
    assert found["ratio_moving"] > 0
    assert found["extrapolated"] == []


def test_peers_from_the_package_index_carry_rows_too() -> None:
    if missing := missing_programs("all"):
        pytest.skip(f"not installed here: {', '.join(missing)}")

    found = bench_link(Wish(residents=2_000, rounds=1, peers="all"))

    assert found["ratio_soap_row"] > found["ratio_soap_200"] > 0
    assert found["ratio_dlt"] > 0
