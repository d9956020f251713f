"""A gateway that runs decides by the rules as they are saved, not as they were when it began."""

from datetime import date
from pathlib import Path

import pytest

from kumobashi.kernel import SystemClock
from kumobashi.planning.errors import WorkspaceBroken
from kumobashi.planning.plan import plan
from kumobashi.planning.publishing import load_directory
from kumobashi.planning.sampling import write_sample
from kumobashi.service.wiring import Wiring

ON = date(2026, 11, 22)
LINK = "childcare-notices"


def test_a_row_that_is_taken_away_stops_the_next_run(tmp_path: Path) -> None:
    folder = write_sample(tmp_path / "city")
    directory = load_directory(folder, now=SystemClock().now())
    wiring = Wiring(folder, directory, today=lambda: ON)
    rules = folder / "policy" / "who_may.csv"
    text = rules.read_text(encoding="utf-8")

    before = plan(wiring.workspace(), directory, LINK, on=ON)
    kept = [line for line in text.splitlines() if "childcare-service" not in line]
    rules.write_text("\n".join(kept) + "\n", encoding="utf-8")
    after = plan(wiring.workspace(), directory, LINK, on=ON)
    rules.write_text(f"{text}broken\n", encoding="utf-8")
    with pytest.raises(WorkspaceBroken):
        wiring.workspace()
    rules.write_text(text, encoding="utf-8")
    again = plan(wiring.workspace(), directory, LINK, on=ON)

    assert before.is_permitted
    assert {reason.code for reason in after.reasons} == {"policy.not_listed"}
    assert again.is_permitted
