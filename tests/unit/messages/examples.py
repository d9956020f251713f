"""One manifest, announcement and receipt of the fictional city, to vary in tests."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from kumobashi.messages.announcement import Announcement
from kumobashi.messages.manifest import Manifest
from kumobashi.messages.parts import Part
from tools.protocol_vectors import TRANSFER, manifest_of

__all__ = ["NOW", "OTHER", "PARTS", "TRANSFER", "announcement", "manifest"]

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
