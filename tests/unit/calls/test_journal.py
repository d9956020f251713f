# ruff: noqa: ASYNC221, ASYNC240 - a test may look at its files while nothing else waits
"""The journal: durable before it returns, one leaf a second for many calls, whole after a crash."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kumobashi.calls.errors import JournalBroken
from kumobashi.calls.journal import Journal
from kumobashi.evidence.entries import Entry
from kumobashi.evidence.merkle import Frontier, leaf_hash
from kumobashi.kernel import SystemClock


def _journal(
    folder: Path,
    noted: list[Entry],
    sealed: Callable[[str], int] = lambda _name: 0,
    name: str = "p",
) -> Journal:
    return Journal(folder, process=name, clock=SystemClock(), note=noted.append, sealed=sealed)


def _root(lines: list[bytes]) -> str:
    tree = Frontier()
    for line in lines:
        tree.add(leaf_hash(line))
    return f"sha256:{tree.root().hex()}"


def _fits(folder: Path, noted: list[Entry]) -> int:
    """Check that every leaf speaks of the lines it names; return how many lines they cover."""
    covered = 0
    for entry in noted:
        facts: Any = entry.facts
        (file,) = folder.glob(f"{facts['journal']}.*")
        lines = file.read_bytes().splitlines()[facts["number"] :][: facts["size"]]
        assert _root(lines) == facts["root"]
        covered += facts["size"]
    return covered


async def test_calls_at_once_share_a_flush_and_a_leaf(tmp_path: Path) -> None:
    noted: list[Entry] = []
    journal = _journal(tmp_path, noted)
    journal.start()
    await asyncio.gather(*(journal.record({"n": number}) for number in range(500)))
    assert journal.flushes < 100
    (file,) = tmp_path.glob("*.open.jsonl")
    assert len(file.read_bytes().splitlines()) == 500
    await journal.aclose()
    assert len(noted) <= 2
    assert _fits(tmp_path, noted) == 500
    assert [path.suffixes for path in tmp_path.iterdir()] == [[".jsonl"]]


async def test_what_was_recorded_is_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[int] = []
    real = os.fdatasync

    def flush(number: int) -> None:
        flushed.append(os.fstat(number).st_size)
        real(number)

    monkeypatch.setattr(os, "fdatasync", flush)
    journal = _journal(tmp_path, [])
    await journal.record({"n": 1})
    (file,) = tmp_path.glob("*.jsonl")
    assert flushed == [file.stat().st_size]
    await journal.aclose()


async def test_a_disk_that_takes_nothing_stops_the_call_and_not_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted: list[Entry] = []
    journal = _journal(tmp_path, noted)
    await journal.record({"n": 1})
    real = os.fdatasync

    def full(_number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fdatasync", full)
    with pytest.raises(JournalBroken, match="No space left"):
        await journal.record({"n": 2})
    monkeypatch.setattr(os, "fdatasync", real)
    await journal.record({"n": 3})
    await journal.aclose()
    (file,) = tmp_path.glob("*.jsonl")
    assert [json.loads(line)["n"] for line in file.read_bytes().splitlines()] == [1, 3]
    assert _fits(tmp_path, noted) == 2


async def test_leaves_come_later_while_the_state_is_away(tmp_path: Path) -> None:
    noted: list[Entry] = []
    fails = [True, True]

    def note(entry: Entry) -> None:
        if fails:
            fails.pop()
            raise JournalBroken(reason="away")
        noted.append(entry)

    journal = Journal(tmp_path, process="p", clock=SystemClock(), note=note, sealed=lambda _name: 0)
    await journal.record({"n": 1})
    for _ in range(2):
        with pytest.raises(JournalBroken):
            await journal._seal()
        await journal.record({"n": 2})
    await journal._seal()
    await journal.aclose()
    assert _fits(tmp_path, noted) == 3


_DIES = """
import asyncio, os, sys
from pathlib import Path
from kumobashi.calls.journal import Journal
from kumobashi.kernel import SystemClock

async def main():
    journal = Journal(Path(sys.argv[1]), process="dead", clock=SystemClock(),
                      note=lambda entry: None, sealed=lambda name: 0)
    for number in range(7):
        await journal.record({"n": number})
    file = next(Path(sys.argv[1]).glob("*.open.jsonl"))
    with file.open("ab") as out:
        out.write(b'{"n":7,"cut')
    os._exit(9)

asyncio.run(main())
"""


async def test_what_a_dead_process_left_is_taken_over(tmp_path: Path) -> None:
    died = subprocess.run([sys.executable, "-c", _DIES, str(tmp_path)], check=False)
    assert died.returncode == 9
    noted: list[Entry] = []
    journal = _journal(tmp_path, noted, sealed=lambda _name: 3)  # three had their leaf
    journal.start()
    (entry,) = noted
    assert (entry.facts["number"], entry.facts["size"]) == (3, 4)
    assert _fits(tmp_path, noted) == 4
    await journal.aclose()
    again: list[Entry] = []
    other = _journal(tmp_path, again, name="q")
    other.start()
    await other.aclose()
    assert again == []


async def test_the_file_of_a_living_process_is_left_alone(tmp_path: Path) -> None:
    noted: list[Entry] = []
    first = _journal(tmp_path, [])
    await first.record({"n": 1})
    second = _journal(tmp_path, noted, name="q")
    second.start()
    assert noted == []
    await second.aclose()
    await first.aclose()
