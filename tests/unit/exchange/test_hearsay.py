"""Unsigned answers with a flipped byte: whatever still parses can be drawn."""

import json
from datetime import UTC, datetime

from kumobashi.exchange.hearsay import hops_of, waiting_of
from kumobashi.exchange.overview import Names, _cause, light_of
from kumobashi.exchange.states import Out

NOW = datetime(2026, 11, 23, tzinfo=UTC)
SAID = {
    "hops": [
        {"site": "hall-exchange", "state": "passed", "parts": 1},
        {"site": "asp-relay", "state": "settled", "parts": 12},
    ],
    "waiting": {
        "code": "exchange.peer_down", "side": "asp-relay", "ja": "応答なし", "en": "no answer",
        "remedy_ja": "", "remedy_en": "", "since": "2026-11-22T10:00:00.000Z", "tries": 3,
        "next_try": "2026-11-22T10:01:00.000Z", "behind": 0, "calm": False,
    },
}  # fmt: skip


def test_what_is_in_its_form_is_kept_whole() -> None:
    assert hops_of(SAID) == SAID["hops"]
    assert waiting_of(SAID) == SAID["waiting"]


def test_whatever_bit_was_flipped_what_is_kept_can_be_drawn() -> None:
    text = json.dumps(SAID).encode()
    names = Names(sites={}, contacts={}, route=())
    drawn = left_out = 0
    for at in range(len(text)):
        for bit in range(8):
            flipped = bytearray(text)
            flipped[at] ^= 1 << bit
            try:
                said = json.loads(bytes(flipped))
            except ValueError:
                continue
            if not isinstance(said, dict):
                continue
            for hop in hops_of(said):
                assert {"site", "state", "parts"} <= set(hop)
            left_out += len(hops_of(said)) < 2
            cause = waiting_of(said)
            _cause(cause, names)
            light_of(Out.DELIVERED, cause, NOW)
            drawn += 1

    assert drawn > 1000
    assert left_out > 100
