"""The table of faults names tests that exist, and every fault of the list."""

import re
from pathlib import Path

from kumobashi.testing.faults.deeds import ALWAYS_POSSIBLE

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reliability.md").read_text("utf-8")
_TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def test_every_test_that_is_named_exists() -> None:
    named = _TEST.findall(PAGE)

    assert len(named) > 25
    for file, test in named:
        text = (ROOT / file).read_text("utf-8")
        assert re.search(rf"def {test}\(", text), f"{file} has no {test}"


def test_every_fault_is_in_the_table_or_said_to_be_missing() -> None:
    said = {int(number) for number in re.findall(r"\bF(\d+)", PAGE)}

    assert set(range(1, 23)) <= said


def test_what_rounds_draw_is_in_the_table() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| F")]

    for fault in ALWAYS_POSSIBLE:
        row = next(line for line in rows if re.search(rf"\b{fault}\b", line.split("|")[1]))
        assert "rounds" in row
