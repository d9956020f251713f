"""Cutting anew changes the parts and nothing of what they make."""

import io
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumobashi.crypto.canonical import digest
from kumobashi.exchange.recutting import recut
from kumobashi.messages.errors import PartAltered
from kumobashi.messages.manifest import Manifest
from kumobashi.messages.parts import join, split
from kumobashi.storage.spool import Spool
from tests.unit.messages.examples import manifest as example


@pytest.fixture(scope="module")
def spool(tmp_path_factory: pytest.TempPathFactory) -> Spool:
    return Spool(tmp_path_factory.mktemp("spool"))


def sealed(spool: Spool, body: bytes, limit: int) -> Manifest:
    spool.forget(example().transfer)
    parts = []
    for part, piece in split(io.BytesIO(body), limit):
        spool.put(example().transfer, 1, part.digest.removeprefix("sha256:"), piece)
        parts.append(part)
    return replace(
        example(),
        attempt=1,
        parts=tuple(parts),
        sealed_bytes=len(body),
        sealed_digest=digest(body),
        created=datetime(2026, 11, 21, tzinfo=UTC),
    )


@given(st.binary(min_size=1, max_size=400), st.integers(1, 300), st.integers(1, 300))
def test_what_is_cut_anew_joins_to_the_same(
    spool: Spool, body: bytes, limit: int, smaller: int
) -> None:
    before = sealed(spool, body, limit)

    after = recut(before, spool, smaller)

    assert replace(after, attempt=1, parts=before.parts) == before
    assert after.attempt == 2
    assert all(part.bytes <= smaller for part in after.parts)
    whole = io.BytesIO()
    join(
        after.parts,
        {part.digest for part in after.parts},
        lambda part: spool.open(after.transfer, 2, part.digest.removeprefix("sha256:")),
        whole,
        whole_digest=after.sealed_digest,
        whole_bytes=after.sealed_bytes,
    )
    assert whole.getvalue() == body


def test_a_part_damaged_on_this_disk_is_not_cut_into_good_ones(spool: Spool) -> None:
    manifest = sealed(spool, b"0123456789", 5)
    name = manifest.parts[1].digest.removeprefix("sha256:")
    place = Path(spool.root) / manifest.transfer / "1" / f"{name}.part"
    place.write_bytes(b"5678x")

    with pytest.raises(PartAltered):
        recut(manifest, spool, 3)
