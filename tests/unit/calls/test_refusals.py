"""What strangers make a gateway write is bounded, and nothing of it is forgotten."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from kumobashi.calls.errors import CallForeign, HeaderUnreadable
from kumobashi.calls.journal import Journal
from kumobashi.calls.refusals import EACH, Refusals
from kumobashi.kernel import SystemClock


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    found = Journal(
        tmp_path,
        process="a",
        clock=SystemClock(),
        note=lambda _entry: None,
        sealed=lambda _name: 0,
    )
    found.start()
    yield found
    await found.aclose()


def _lines(journal: Journal) -> list[dict[str, Any]]:
    files = sorted(journal.folder.glob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_bytes().splitlines()]


async def test_of_each_reason_the_first_are_recorded_and_the_others_counted(
    journal: Journal,
) -> None:
    refusals = Refusals(journal, SystemClock())
    for _ in range(500):
        await refusals.record(None, HeaderUnreadable(reason="form"))
    await refusals.record(None, CallForeign(field="tenant"))
    assert len(_lines(journal)) == EACH + 1

    await refusals.aclose()

    lines = _lines(journal)
    assert len(lines) == EACH + 2
    assert lines[-1]["code"] == HeaderUnreadable.code
    assert lines[-1]["more"] == 500 - EACH
    assert sum(1 + line.get("more", 0) - ("more" in line) for line in lines) == 501


async def test_after_a_window_the_first_are_recorded_again(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kumobashi.calls.refusals.WINDOW_SECONDS", 0.0)
    refusals = Refusals(journal, SystemClock())
    for _ in range(EACH + 3):
        await refusals.record(None, CallForeign(field="tenant"))
        await refusals.record(None, CallForeign(field="tenant"))

    await refusals.aclose()

    assert sum(line.get("more", 1) for line in _lines(journal)) == 2 * (EACH + 3)
