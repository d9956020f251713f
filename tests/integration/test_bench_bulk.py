"""The benchmark of one large file, small: both ways bring the same bytes."""

import json
import shutil

import pytest

from kumobashi.testing.bench.bulk import KINDS, BulkWish, bench_bulk

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("bench"),
    pytest.mark.skipif(
        not all(map(shutil.which, ("age", "zstd", "curl", "bash"))), reason="no programs"
    ),
]


def test_it_carries_both_files_both_ways_and_tells_what_it_cost() -> None:
    told: list[str] = []

    found = bench_bulk(BulkWish(mib=3, rounds=1), told.append)

    json.dumps(found)
    assert told[0] == "files"
    assert told[1:] == [
        f"{number} {kind} {way}"
        for kind in KINDS
        for number in (0, 1)
        for way in ("ours", "pipeline")
    ]
    for kind in KINDS:
        figures = found["kinds"][kind]
        assert figures["seconds"] > 0
        assert figures["speed_to_pipeline"] > 0
        assert set(figures["peak_mib"]) == {"hall-core", "public-cloud"}
        assert {"seal", "carry", "opened"} <= set(figures["stages"])
