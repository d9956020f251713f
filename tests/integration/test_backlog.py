"""The measurement of a drained backlog, in small: its own checks hold, and they can fail."""

from pathlib import Path

import pytest

from kumobashi.testing.backlog import check, measure

pytestmark = pytest.mark.slow


async def test_a_backlog_is_drained_in_order_and_without_a_storm(tmp_path: Path) -> None:
    figures = await measure(tmp_path / "w", transfers=60, per_minute=1_200, down_seconds=2.0)

    assert check(figures) == [], figures
    assert figures["waiting_while_down"] == 60
    assert figures["last_urgent_at"] < 10, "what has priority goes first"
    stormy = {"most_calls_in_a_minute": 1_201, "calls_at_once": 17, "left": 1}
    wrong = {"stream_out_of_order": 1, "closed_twice": 1, "rows_written_while_down": 1}
    assert len(check({**figures, **stormy, **wrong})) == 6
