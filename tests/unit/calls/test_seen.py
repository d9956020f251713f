"""What a site took before it was started: read from its journals, as far back as it matters."""

import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from kumobashi.calls.header import FIELD
from kumobashi.calls.seen import seen_of_late
from kumobashi.crypto.message_signatures import CLOCK_SKEW, WINDOW
from kumobashi.kernel import to_wire
from tests.unit.calls.test_wire_forms import HEADER

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


def _line(number: int, at: datetime, **other: str) -> bytes:
    call = f"0190f2a3-0000-7000-8000-{number:012d}"
    said = {
        "event": "call.asked",
        "side": "answerer",
        "call": call,
        "at": to_wire(at),
        "fields": {FIELD: replace(HEADER, call=call).encode()},
    } | other
    return json.dumps(said, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def test_calls_of_the_window_are_found_in_open_and_closed_files(tmp_path: Path) -> None:
    young, old = NOW - timedelta(minutes=1), NOW - WINDOW - 3 * CLOCK_SKEW
    (tmp_path / "calls-1-1.jsonl").write_bytes(
        _line(2, NOW) + _line(9, old) + b"no record\n" + _line(8, NOW, side="asker")
    )
    (tmp_path / "calls-2-1.open.jsonl").write_bytes(_line(1, young) + _line(3, NOW)[:-20])
    left = tmp_path / "calls-0-1.jsonl"
    left.write_bytes(_line(7, NOW))
    os.utime(left, (old.timestamp(), old.timestamp()))  # nobody wrote it since
    for path in tmp_path.glob("calls-[12]*"):
        os.utime(path, (NOW.timestamp(), NOW.timestamp()))

    found = seen_of_late(tmp_path, NOW)

    assert [(at, site, call[-1]) for at, site, call in found] == [
        (young, "hall", "1"), (NOW, "hall", "2"),
    ]  # fmt: skip
