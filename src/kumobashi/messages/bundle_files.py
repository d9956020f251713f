"""The bundle file: one attempt as a container that others' tools open and anybody can check.

    bundle.json           what it is: transfer, attempt, digest of the manifest, with parts or not
    directory.jws         the signed directory with everybody's public keys
    manifest.jws          the signed manifest
    receipts/0001.jws …   signed receipts, in their order; perhaps none yet
    parts/000001 …        the sealed parts by number; none once they were destroyed

It is a plain tar in exactly this order (``storage.archives``). Checking needs public keys alone and
opens no seal; memory stays small whatever the file says.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final

from kumobashi.crypto import base64url
from kumobashi.crypto.canonical import canonical
from kumobashi.crypto.keys import VerifyKey
from kumobashi.directory import document
from kumobashi.directory.entries import Directory
from kumobashi.directory.errors import SiteUnknown
from kumobashi.messages.errors import BundleUnreadable, MessageForeign, PartAltered
from kumobashi.messages.fields import LARGEST_DOCUMENT, Fields
from kumobashi.messages.manifest import Manifest, verify_manifest
from kumobashi.messages.media_types import FORMAT
from kumobashi.messages.parts import JoinedParts, Part, parts_missing
from kumobashi.messages.receipts import Receipt, Stage, check_chain, verify_receipt
from kumobashi.storage.archives import ArchiveWriter, Limits, Member, Slice, body_of, members

MOST_PARTS: Final = 50_000
_MOST_RECEIPTS: Final = 16
_FIRST = ("bundle.json", "directory.jws", "manifest.jws")
_LIMITS = Limits(members=3 + _MOST_RECEIPTS + MOST_PARTS)
_LARGEST_TOKEN: Final = 8 << 20
_BLOCK: Final = 1 << 20
_BEFORE_ALL_TIME = datetime(1970, 1, 1, tzinfo=UTC)
OpenPart = Callable[[Part], BinaryIO]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A bundle file whose signatures and digests all hold."""

    manifest: Manifest
    receipts: tuple[Receipt, ...]
    stage: Stage | None  # what the receiver said last
    has_parts: bool
    directory: Directory


@dataclass(frozen=True, slots=True, kw_only=True)
class _Index:
    """Where the members of a bundle file lie."""

    about: Member
    directory: Member
    manifest: Member
    receipts: tuple[Member, ...]
    parts: tuple[Member, ...]


def write_bundle(
    target: Path,
    *,
    directory: str,
    manifest: str,
    verified: Manifest,
    receipts: Sequence[str],
    open_part: OpenPart | None,
) -> None:
    """Write a bundle file; it is there whole, or not at all. Without ``open_part`` parts stay out.

    Raises:
        PartAltered: a part that is held is not the one of the manifest.
    """
    about = {
        "format": FORMAT,
        "transfer": verified.transfer,
        "attempt": verified.attempt,
        "manifest_digest": verified.digest(),
        "has_parts": open_part is not None,
    }
    beside = target.with_name(f".{target.name}.part")
    try:
        with beside.open("wb") as file, ArchiveWriter(file) as archive:
            archive.add("bundle.json", canonical(about))
            archive.add("directory.jws", directory.encode("ascii"))
            archive.add("manifest.jws", manifest.encode("ascii"))
            for number, receipt in enumerate(receipts, 1):
                archive.add(f"receipts/{number:04}.jws", receipt.encode("ascii"))
            if open_part is not None:
                for part in verified.parts:
                    _add(archive, part, open_part)
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)


def _add(archive: ArchiveWriter, part: Part, open_part: OpenPart) -> None:
    body = JoinedParts([part], open_part)  # checks the digest while it is read
    try:
        archive.stream(f"parts/{part.number:06}", part.bytes, iter(partial(body.read, _BLOCK), b""))
    except ValueError:  # shorter or longer than announced
        raise PartAltered(numbers=str(part.number)) from None
    finally:
        body.close()


def verify_bundle(path: Path, trusted: VerifyKey) -> Checked:
    """Check a bundle file with the one key that is trusted; nothing is opened or written.

    Raises:
        ArchiveUnfit: not a container of ours (``storage.archives``).
        BundleUnreadable, FormatUnknown, FieldWrong: another form or version.
        DirectoryFailed: the directory is not signed by ``trusted``.
        SignatureInvalid, UnknownKey: manifest or receipts are not signed by whom they should be.
        PartsMissing, PartAltered, MessageForeign, ReceiptOutOfOrder, ReceiptForeign
    """
    with path.open("rb") as file:
        index = _index(members(file, _LIMITS))
        about = Fields.read("bundle.json", _small(file, index.about))
        transfer, attempt = about.identifier("transfer"), about.positive("attempt")
        named, has_parts = about.digest("manifest_digest"), about.flag("has_parts")
        directory = document.read(
            _text(file, index.directory), trusted=trusted, now=_BEFORE_ALL_TIME
        )
        token = _text(file, index.manifest)
        manifest = verify_manifest(token, _keys(directory, _sender(token), "from_site"))
        if (transfer, attempt) != (manifest.transfer, manifest.attempt):
            raise MessageForeign(field="transfer")
        if named != manifest.digest():
            raise MessageForeign(field="manifest_digest")
        if directory.municipality.code != manifest.tenant:
            raise MessageForeign(field="tenant")
        keys = _keys(directory, manifest.to_site, "to_site")
        receipts = [verify_receipt(_text(file, one), keys) for one in index.receipts]
        stage = check_chain(receipts, manifest.digest())
        _check_parts(path, manifest, index.parts, has_parts=has_parts)
    return Checked(
        manifest=manifest,
        receipts=tuple(receipts),
        stage=stage,
        has_parts=has_parts,
        directory=directory,
    )


def _index(found: Iterable[Member]) -> _Index:
    """Sort members into their places; what is out of order is refused where it stands."""
    first: list[Member] = []
    receipts: list[Member] = []
    parts: list[Member] = []
    for member in found:
        if len(first) < len(_FIRST):
            place, expected = first, _FIRST[len(first)]
        elif member.name.startswith("receipts/") and not parts and len(receipts) < _MOST_RECEIPTS:
            place, expected = receipts, f"receipts/{len(receipts) + 1:04}.jws"
        else:
            place, expected = parts, f"parts/{len(parts) + 1:06}"
        if member.name != expected:
            raise BundleUnreadable(reason=f"{expected} expected")
        place.append(member)
    if len(first) < len(_FIRST):
        raise BundleUnreadable(reason=f"{_FIRST[len(first)]} expected")
    return _Index(
        about=first[0],
        directory=first[1],
        manifest=first[2],
        receipts=tuple(receipts),
        parts=tuple(parts),
    )


def _check_parts(
    path: Path, manifest: Manifest, held: Sequence[Member], *, has_parts: bool
) -> None:
    """Read every part once, checking it and the whole."""
    if not has_parts:
        if held:
            raise BundleUnreadable(reason="parts, though bundle.json says there are none")
        return
    if len(held) < len(manifest.parts):
        raise parts_missing(manifest.parts[len(held) :])
    if len(held) > len(manifest.parts):
        raise BundleUnreadable(reason="more parts than the manifest lists")
    for part, member in zip(manifest.parts, held, strict=True):
        if member.size != part.bytes:
            raise PartAltered(numbers=str(part.number))

    def open_part(part: Part) -> BinaryIO:
        return Slice(path.open("rb"), held[part.number - 1])  # type: ignore[return-value]

    source, whole = JoinedParts(manifest.parts, open_part), hashlib.sha256()
    try:
        while block := source.read(_BLOCK):
            whole.update(block)
    finally:
        source.close()
    if f"sha256:{whole.hexdigest()}" != manifest.sealed_digest:
        raise PartAltered(numbers="0")


def _keys(directory: Directory, site: str, field: str) -> dict[str, VerifyKey]:
    try:
        return dict(directory.keys_of(site))
    except SiteUnknown:
        raise MessageForeign(field=field) from None


def _sender(token: str) -> str:
    """Return which site a manifest says it is from, to look up that site's keys."""
    try:
        said = json.loads(base64url.decode(token.split(".")[1]))
        return str(said["from_site"])
    except (IndexError, ValueError, KeyError, TypeError, RecursionError):
        raise BundleUnreadable(reason="manifest.jws") from None


def _text(file: BinaryIO, member: Member) -> str:
    try:
        return _small(file, member, _LARGEST_TOKEN).decode("ascii")
    except UnicodeDecodeError:
        raise BundleUnreadable(reason=f"{member.name} is no signed text") from None


def _small(file: BinaryIO, member: Member, limit: int = LARGEST_DOCUMENT) -> bytes:
    if member.size > limit:
        raise BundleUnreadable(reason=f"{member.name} is too large")
    return body_of(file, member)
