"""Measure what writing and reading media costs: processor time and memory.

    python -m tools.bench_media --mib 512

Nothing leaves the folder, which is removed at the end. Parts are of 4 MiB and hold fixed bytes.
"""

import argparse
import hashlib
import io
import os
import resource
import shutil
import tempfile
import time
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import BinaryIO, cast

from kumobashi.courier.content import BundleContent, Papers
from kumobashi.courier.packing import Consignment, Sealed, draft_bundle
from kumobashi.courier.reading import Reader, manifest_of, open_medium
from kumobashi.courier.writing import Journal, read_back, write_medium
from kumobashi.crypto.canonical import digest
from kumobashi.crypto.keys import SealKey, SigningKey
from kumobashi.kernel import new_id
from kumobashi.messages.manifest import Compression, Manifest, MediaType, Mode, sign_manifest
from kumobashi.messages.parts import Part

_PART_BYTES = 4 << 20


@dataclass
class _Watch:
    """Prints how long a step took."""

    mib: int
    begun: float = field(default_factory=time.process_time)

    def tell(self, what: str) -> None:
        seconds = time.process_time() - self.begun
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10  # KiB on Linux
        speed = self.mib / seconds
        print(f"{what:10} {seconds:6.2f} s of processor, {speed:5.0f} MiB/s, {most} MiB at most")
        self.begun = time.process_time()


def measure(folder: Path, mib: int) -> None:
    """Write, read back and read in one medium."""
    sign, seal = SigningKey.generate(), SealKey.generate()
    body = os.urandom(_PART_BYTES)
    named = digest(body)
    count = mib * (1 << 20) // _PART_BYTES
    parts = tuple(Part(number=n, digest=named, bytes=_PART_BYTES) for n in range(1, count + 1))
    now = datetime.now(UTC)
    manifest = Manifest(
        tenant="999997", transfer=new_id(), attempt=1, link="a-link", from_site="hall",
        to_site="island", to_system="a-system", to_dataset="a_dataset",
        business_date=date(2026, 11, 22), sequence=1, mode=Mode.FULL, base_transfer=None,
        media_type=MediaType.PARQUET, charset=None, compression=Compression.NONE,
        payload_digest=named, payload_bytes=1, sealed_digest=named,
        sealed_bytes=count * _PART_BYTES, rows=1, deleted_rows=0, layout="a-layout",
        layout_version="1", parts=parts, created=now, expires=now + timedelta(days=1),
    )  # fmt: skip
    token = sign_manifest(manifest, sign)
    medium = new_id()
    draft = draft_bundle(
        Consignment(
            permit=new_id(),
            tenant="999997",
            from_site="hall",
            to_site="island",
            recipient=seal.recipient,
            created=now,
            expires=manifest.expires,
        ),
        Sealed(
            transfer=manifest.transfer,
            attempt=1,
            secret=bytes(32),
            papers=Papers(manifest=token),
            open_part=lambda _part: io.BytesIO(body),
        ),
        medium=medium,
        number=1,
        parts=parts,
    )
    usb = folder / "usb"
    usb.mkdir()
    journal = Journal.open(folder / "journal.jsonl", medium)
    watch = _Watch(mib)
    write_medium(usb, draft, journal, sign, _quiet)
    watch.tell("written")
    read_back(usb, journal, _quiet)
    watch.tell("read back")
    reader = Reader(
        tenant="999997", site="island", key=seal, keys_of=lambda _site: {sign.kid: sign.public}
    )
    opened = open_medium(usb, reader, now=now)
    content = BundleContent(cast("BinaryIO", opened.content))
    for part, pieces in content.parts(manifest_of(content.papers.manifest, opened).parts):
        whole = hashlib.sha256()
        for piece in pieces:
            whole.update(piece)
        if part.digest != f"sha256:{whole.hexdigest()}":
            raise SystemExit("a part came back as another")
    watch.tell("read in")


def _quiet(_done: int, _total: int) -> None:
    """Say nothing."""


def main() -> None:
    """Measure as asked."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--mib", type=int, default=512)
    folder = Path(tempfile.mkdtemp())
    try:
        measure(folder, words.parse_args().mib)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
