"""How long a receiver may keep it: fields that older manifests leave out, read strictly."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumobashi.messages.manifest import Manifest
from kumobashi.messages.retention import Retention
from tests.unit.messages.examples import field_refused, manifest, members

KEY = "sha256:" + "c" * 64
kept = st.builds(
    Retention,
    name=st.from_regex(r"[a-z0-9][a-z0-9_-]{0,62}", fullmatch=True),
    days=st.integers(1, 36_525),
    is_kept_by_law=st.booleans(),
)


@given(retention=st.none() | kept, key=st.none() | st.just(KEY))
def test_reading_undoes_writing(retention: Retention | None, key: str | None) -> None:
    written = manifest(retention=retention, key=key)

    assert Manifest.decode(written.encode()) == written


def test_a_manifest_without_them_is_as_it_always_was() -> None:
    added = {"key", "retention_class", "retention_days", "retention_by_law"}

    assert not added & members(manifest()).keys()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"key": None}, "key"),
        ({"key": "sha256:zz"}, "key"),
        ({"retention_class": None}, "retention_class"),
        ({"retention_class": "service"}, "retention_days"),
        (
            {"retention_class": "service", "retention_days": 0, "retention_by_law": 0},
            "retention_days",
        ),
        (
            {"retention_class": "service", "retention_days": 36_526, "retention_by_law": 0},
            "retention_days",
        ),
        (
            {"retention_class": "service", "retention_days": 1, "retention_by_law": 2},
            "retention_by_law",
        ),
    ],
)
def test_half_of_it_or_nonsense_is_refused(change: dict[str, Any], field: str) -> None:
    assert field_refused(change) == field


def test_it_is_due_days_after_it_was_applied() -> None:
    at = datetime(2028, 2, 28, 15, 30, tzinfo=UTC)

    assert Retention(name="service", days=2).due(at) == datetime(2028, 3, 1, 15, 30, tzinfo=UTC)
