"""Make the values of ``docs/protocol.md`` that others check evidence logs and bundles against.

    python -m tools.protocol_vectors

All keys are fixed and open nothing; the same values come out every time. A test holds the page to
what is printed here.

>>> vectors()["root of 3"]
'KeHpWMf5/V8wwcz14n6P8cMnv5YCljdP4+6SQOc2OOQ='
"""

import base64
import hashlib
import io
import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kumobashi.crypto.keys import SigningKey
from kumobashi.directory import document
from kumobashi.directory.entries import Directory, MunicipalityEntry, SiteEntry
from kumobashi.directory.models import NetworkModel, SiteKind
from kumobashi.evidence.checkpoints import Checkpoint, origin_of, sign, verifier_key
from kumobashi.evidence.entries import Entry, Fact
from kumobashi.evidence.log import CHAIN_START, chained
from kumobashi.evidence.merkle import consistency, inclusion, leaf_hash, root, subtree
from kumobashi.kernel import Zone
from kumobashi.messages.bundle_files import write_bundle
from kumobashi.messages.manifest import Compression, Manifest, MediaType, Mode, sign_manifest
from kumobashi.messages.parts import Part, split
from kumobashi.messages.receipts import Stage, next_receipt, sign_receipt

_AT = datetime(2026, 11, 21, 16, 20, tzinfo=UTC)
TRANSFER = "019aa8d1-5b7c-7000-8000-0123456789ab"
_SEALED = b"no seal, but bytes that are cut and hashed like one"


def key(first: int) -> SigningKey:
    """Return the Ed25519 key whose private bytes count up from ``first``."""
    private = Ed25519PrivateKey.from_private_bytes(bytes(range(first, first + 32)))
    return SigningKey._of(private)  # noqa: SLF001 - a key of fixed bytes is for this page only


def entries() -> list[bytes]:
    """Return three records."""
    facts: dict[str, Fact] = {"link": "notice-attributes", "transfer": TRANSFER, "attempt": 1}
    moves = (("extracting", "sealed"), ("sealed", "sent"))
    started = Entry(
        event="transfer.started", at=_AT, by="local-api", facts={**facts, "legal_basis": "pi-69-1"}
    )
    moved = [
        Entry(
            event="transfer.moved",
            at=_AT + timedelta(seconds=second),
            facts={**facts, "before": before, "after": after},
        )
        for second, (before, after) in enumerate(moves, 1)
    ]
    return [entry.encode() for entry in (started, *moved)]


def vectors() -> dict[str, str]:
    """Return every value by its name."""
    bodies, signing = entries(), key(0)
    leaves = [leaf_hash(body) for body in bodies]

    def node(level: int, index: int) -> bytes:
        return subtree(leaves, level, index)

    origin = origin_of("999997", "hall-core")
    found = {f"record {number}": body.decode() for number, body in enumerate(bodies)}
    found |= {f"leaf {number}": _text(leaf) for number, leaf in enumerate(leaves)}
    chain = CHAIN_START
    for number, leaf in enumerate(leaves):
        chain = chained(chain, leaf)
        found[f"chain {number}"] = _text(chain)
    found |= {f"root of {size}": _text(root(size, node)) for size in (1, 2, 3)}
    found["inclusion of 1 in 3"] = " ".join(map(_text, inclusion(1, 3, node)))
    found["consistency of 2 and 3"] = " ".join(map(_text, consistency(2, 3, node)))
    found["verifier key"] = verifier_key(origin, signing.public)
    found["checkpoint"] = sign(Checkpoint(origin=origin, size=3, root=root(3, node)), signing)
    found["bundle"] = f"sha256:{hashlib.sha256(bundle()).hexdigest()}"
    return found


def bundle() -> bytes:
    """Return a bundle file: keys from 0 (sender), 32 (receiver) and 64 (directory)."""
    cut = list(split(io.BytesIO(_SEALED), limit=20))
    bodies = {part.digest: body for part, body in cut}
    manifest = manifest_of(tuple(part for part, _ in cut))
    receipt = next_receipt(
        None,
        manifest=manifest,
        stage=Stage.DELIVERED,
        receipt=TRANSFER.replace("ab", "ac"),
        at=_AT,
    )

    def open_part(part: Part) -> BinaryIO:
        return io.BytesIO(bodies[part.digest])

    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "bundle.tar"
        write_bundle(
            target,
            directory=document.sign(_directory(), key(64)),
            manifest=sign_manifest(manifest, key(0)),
            verified=manifest,
            receipts=[sign_receipt(receipt, key(32))],
            open_part=open_part,
        )
        return target.read_bytes()


def manifest_of(parts: tuple[Part, ...]) -> Manifest:
    """Return the manifest of these parts, which tests vary too."""
    return Manifest(
        tenant="999997",
        transfer=TRANSFER,
        attempt=1,
        link="notice-attributes",
        from_site="hall-core",
        to_site="public-cloud",
        to_system="notice-cloud",
        to_dataset="notice_attributes",
        business_date=date(2026, 11, 22),
        sequence=1,
        mode=Mode.FULL,
        base_transfer=None,
        media_type=MediaType.PARQUET,
        charset=None,
        compression=Compression.NONE,
        payload_digest=f"sha256:{'a' * 64}",
        payload_bytes=5,
        sealed_digest=f"sha256:{hashlib.sha256(_SEALED).hexdigest()}",
        sealed_bytes=len(_SEALED),
        rows=3,
        deleted_rows=0,
        layout="notice-attributes",
        layout_version="1",
        parts=parts,
        created=_AT,
        expires=_AT + timedelta(days=7),
    )


def _directory() -> Directory:
    recipient = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"
    return Directory(
        format=1,
        version=1,
        issued=_AT,
        expires=_AT + timedelta(days=90),
        municipality=MunicipalityEntry(code="999997", name="架空市"),
        network_model=NetworkModel.ALPHA,
        sites={
            name: SiteEntry(
                name=name,
                kind=SiteKind.ON_PREMISES,
                zone=Zone.LGWAN,
                role="endpoint",
                provider="架空市",
                jurisdiction="JP",
                url=f"https://{name}.example",
                connects_to=(),
                largest_part_bytes=65_536,
                contact="desk",
                sign=(key(first).public.jwk(),),
                seal=(recipient,),
            )
            for name, first in (("hall-core", 0), ("public-cloud", 32))
        },
        systems={},
        contacts={},
    )


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()


if __name__ == "__main__":
    for name, value in vectors().items():
        print(f"{name}\n{value}\n")
