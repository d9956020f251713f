"""One manifest, announcement and receipt of the fictional city, to vary in tests."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from kumobashi.crypto.canonical import canonical, read_canonical
from kumobashi.messages.announcement import Announcement
from kumobashi.messages.errors import FieldWrong
from kumobashi.messages.manifest import Manifest
from kumobashi.messages.parts import Part
from tools.protocol_vectors import TRANSFER, manifest_of

__all__ = [
    "NOW",
    "OTHER",
    "PARTS",
    "TRANSFER",
    "announcement",
    "field_refused",
    "manifest",
    "members",
]

NOW = datetime(2026, 11, 21, 16, 20, 0, 123456, tzinfo=UTC)
OTHER = "019aa8d1-5b7c-7000-8000-0123456789ac"
PARTS = (
    Part(number=1, digest="sha256:" + "1" * 64, bytes=4),
    Part(number=2, digest="sha256:" + "2" * 64, bytes=3),
)


def manifest(**changes: Any) -> Manifest:
    """Return a manifest with these fields changed."""
    usual = {
        "sealed_digest": "sha256:" + "b" * 64,
        "sealed_bytes": 7,
        "created": NOW,
        "expires": NOW + timedelta(days=7),
    }
    return replace(manifest_of(PARTS), **{**usual, **changes})


def members(written: Manifest) -> dict[str, Any]:
    """Return what a manifest says, by the names on the wire."""
    read = read_canonical(written.encode())
    assert isinstance(read, dict)
    return read


def field_refused(change: dict[str, Any]) -> str:
    """Return which field a manifest is refused for that says ``change`` on the wire."""
    with pytest.raises(FieldWrong) as refused:
        Manifest.decode(canonical({**members(manifest()), **change}))
    return str(refused.value.field)


def announcement(**changes: Any) -> Announcement:
    """Return an announcement with these fields changed."""
    usual = Announcement(
        tenant="999997",
        transfer=TRANSFER,
        attempt=1,
        link="notice-attributes",
        from_site="hall-core",
        to_site="public-cloud",
        business_date=date(2026, 11, 22),
        parts=PARTS,
        sealed_bytes=7,
        created=NOW,
    )
    return replace(usual, **changes)
