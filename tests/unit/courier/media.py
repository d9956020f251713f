"""A medium with a bundle on it, as an honest sender writes it."""

import hashlib
import io
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from kumobashi.courier.content import Papers
from kumobashi.courier.packing import Consignment, Sealed, draft_bundle
from kumobashi.courier.places import FOLDER
from kumobashi.courier.reading import Opened, Reader, open_medium
from kumobashi.courier.writing import Draft, Journal, write_medium
from kumobashi.crypto.errors import UnknownKey
from kumobashi.crypto.keys import SealKey, SigningKey, VerifyKey
from kumobashi.crypto.transfer_keys import key_hash, wrap
from kumobashi.kernel import new_id
from kumobashi.messages.errors import MessageForeign
from kumobashi.messages.manifest import Manifest, sign_manifest
from kumobashi.messages.parts import Part
from tests.unit.messages import examples

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
SIGN, SEAL = SigningKey.generate(), SealKey.generate()
__all__ = ["NOW", "SEAL", "SIGN", "UnknownKey", "World", "keys_of"]


def keys_of(site: str) -> dict[str, VerifyKey]:
    """Return whose signatures count."""
    if site not in {"hall-core", "public-cloud"}:
        raise MessageForeign(field="site")
    return {SIGN.kid: SIGN.public} if site == "hall-core" else {}


READER = Reader(tenant="999997", site="public-cloud", key=SEAL, keys_of=keys_of)


@dataclass
class World:
    """A bundle of some parts, a medium, and the sender's own journal."""

    folder: Path
    sizes: Sequence[int] = (700_000, 65_536, 3_000_000, 1)
    medium: str = field(default_factory=new_id)
    to: str = SEAL.recipient
    key: SigningKey = SIGN
    chance: Callable[[int], bytes] = os.urandom
    of_transfer: SealKey | None = field(default_factory=SealKey.generate)

    def __post_init__(self) -> None:
        self.bodies = [self.chance(size) for size in self.sizes]
        parts = tuple(
            Part(number=n, digest=f"sha256:{hashlib.sha256(b).hexdigest()}", bytes=len(b))
            for n, b in enumerate(self.bodies, 1)
        )
        whole = hashlib.sha256(b"".join(self.bodies)).hexdigest()
        self.manifest: Manifest = replace(
            examples.manifest(),
            tenant="999997",
            from_site="hall-core",
            to_site="public-cloud",
            parts=parts,
            sealed_bytes=sum(self.sizes),
            sealed_digest=f"sha256:{whole}",
            key=key_hash(self.of_transfer.recipient) if self.of_transfer else None,
        )
        self.wrapped = wrap(self.of_transfer, self.to) if self.of_transfer else None
        self.token = sign_manifest(self.manifest, self.key)
        self.usb = self.folder / "usb"
        self.usb.mkdir(exist_ok=True)

    @property
    def papers(self) -> Papers:
        """Return what goes before the parts."""
        return Papers(manifest=self.token, key=self.wrapped)

    @property
    def place(self) -> Path:
        """The folder on the medium."""
        return self.usb / FOLDER

    def open_part(self, part: Part) -> BinaryIO:
        """Give the body of a part."""
        return io.BytesIO(self.bodies[part.number - 1])

    def draft(self, parts: Sequence[Part] | None = None) -> Draft:
        """Return what an export would write."""
        consignment = Consignment(
            permit="019aa8d1-5b7c-7000-8000-0123456789ff",
            tenant="999997",
            from_site="hall-core",
            to_site="public-cloud",
            recipient=self.to,
            created=NOW,
            expires=NOW + timedelta(days=7),
        )
        sealed = Sealed(
            transfer=self.manifest.transfer,
            attempt=self.manifest.attempt,
            secret=bytes(32),
            papers=self.papers,
            open_part=self.open_part,
        )
        chosen = self.manifest.parts if parts is None else parts
        return draft_bundle(consignment, sealed, medium=self.medium, number=1, parts=chosen)

    def journal(self) -> Journal:
        """Return the sender's journal as it is on the disk."""
        return Journal.open(self.folder / "var" / f"{self.medium}.jsonl", self.medium)

    def write(self, draft: Draft | None = None) -> str:
        """Write the medium, or what is missing on it."""
        told = lambda _done, _total: None  # noqa: E731 - nothing to tell
        return write_medium(self.usb, draft or self.draft(), self.journal(), self.key, told)

    def open(self, reader: Reader = READER, *, now: datetime = NOW) -> Opened:
        """Open it at the receiver."""
        return open_medium(self.usb, reader, now=now)

    def files(self) -> list[Path]:
        """Return what is on the medium, by name."""
        return sorted(self.place.iterdir())
