"""Until when rows may be used: fields that older manifests leave out, read strictly."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumobashi.kernel import to_wire
from kumobashi.messages.errors import DataExpired
from kumobashi.messages.freshness import Freshness
from kumobashi.messages.manifest import Manifest
from tests.unit.messages.examples import NOW, field_refused, manifest, members

MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds of aware ones
FRESH = Freshness(
    core_at=NOW - timedelta(days=1),
    taken_at=NOW - timedelta(hours=5),
    usable_until=NOW + timedelta(days=2),
)


@st.composite
def freshnesses(draw: st.DrawFn) -> Freshness:
    core_at, taken_at = draw(MOMENTS), draw(MOMENTS)
    lives = draw(st.timedeltas(timedelta(microseconds=1), timedelta(days=9_000)))
    return Freshness(core_at=core_at, taken_at=taken_at, usable_until=core_at + lives)


@given(fresh=st.none() | freshnesses())
def test_reading_undoes_writing(fresh: Freshness | None) -> None:
    written = manifest(freshness=fresh)

    assert Manifest.decode(written.encode()) == written


def test_a_manifest_without_it_is_as_it_always_was() -> None:
    assert not {"core_at", "taken_at", "usable_until"} & members(manifest()).keys()
    manifest().refuse_old_data(NOW + timedelta(days=10_000))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"core_at": None}, "core_at"),
        ({"core_at": "yesterday"}, "core_at"),
        ({"core_at": to_wire(NOW)}, "taken_at"),
        ({"core_at": to_wire(NOW), "taken_at": to_wire(NOW)}, "usable_until"),
        (
            {
                "core_at": to_wire(NOW),
                "taken_at": to_wire(NOW),
                "usable_until": to_wire(NOW),
            },
            "usable_until",
        ),
    ],
)
def test_half_of_it_or_nonsense_is_refused(change: dict[str, Any], field: str) -> None:
    assert field_refused(change) == field


def test_rows_are_refused_from_the_end_of_their_use_on() -> None:
    told = manifest(freshness=FRESH)

    told.refuse_old_data(FRESH.usable_until - timedelta(microseconds=1))
    with pytest.raises(DataExpired) as refused:
        told.refuse_old_data(FRESH.usable_until)
    assert refused.value.code == "message.data_too_old"
    assert not refused.value.retryable
    assert to_wire(FRESH.core_at) in refused.value.say("ja")
