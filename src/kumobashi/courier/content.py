"""What lies inside a medium once it is opened: a container of signed documents and sealed parts.

    manifest.jws           of a bundle: the manifest as its sender signed it
    key.age                its key, as only the receiver opens it; where the manifest names one
    parts/000001 …         those of its parts that are on this medium, by number
    receipts.json          of receipts: transfers with their signed receipts, in order

A large bundle goes on several media. Each has manifest, key and some parts, so they may be read in
in any order, and one that is lost can be written again alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import BinaryIO, Final

from kumobashi.courier.blocks import FILE_BYTES, PLAIN_BYTES, padded_blocks
from kumobashi.courier.errors import MediumTooSmall
from kumobashi.courier.index import MOST_BLOCKS
from kumobashi.crypto.canonical import canonical
from kumobashi.crypto.transfer_keys import LARGEST_WRAPPED
from kumobashi.messages.errors import BundleUnreadable, PartAltered
from kumobashi.messages.fields import LARGEST_DOCUMENT, Fields
from kumobashi.messages.media_types import FORMAT
from kumobashi.messages.parts import OpenPart, Part
from kumobashi.storage.archives import ArchiveWriter, Limits, Member, body_of, members

MANIFEST: Final = "manifest.jws"
KEY: Final = "key.age"
RECEIPTS: Final = "receipts.json"
MOST_TRANSFERS: Final = 1_000  # whose receipts go on one medium
_LARGEST_TOKEN: Final = 8 << 20  # bytes, as in ``crypto.jws``
_COPIED: Final = 1 << 20  # bytes at a time
_TAR_BLOCK: Final = 512
_MOST_MEMBERS: Final = 50_002  # a manifest, a key and the parts


@dataclass(frozen=True, slots=True, kw_only=True)
class Papers:
    """What goes before the parts of a bundle on each of its media."""

    manifest: str  # signed
    key: bytes | None = field(default=None, repr=False)  # wrapped; of an older sealing none

    def sizes(self) -> list[int]:
        """Return how many bytes each of them has."""
        return [len(self.manifest), *([] if self.key is None else [len(self.key)])]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """The receipts of one attempt, as its receiver signed them."""

    transfer: str
    attempt: int
    receipts: tuple[str, ...]


def write_bundle_content(
    target: BinaryIO, papers: Papers, parts: Sequence[Part], open_part: OpenPart
) -> None:
    """Write manifest, key and parts; the same input gives the same bytes.

    Raises:
        PartAltered: a part that is held is not the one of the manifest in size.
    """
    with ArchiveWriter(target) as archive:
        archive.add(MANIFEST, papers.manifest.encode("ascii"))
        if papers.key is not None:
            archive.add(KEY, papers.key)
        for part in parts:
            with open_part(part) as body:
                pieces = iter(partial(body.read, _COPIED), b"")
                try:
                    archive.stream(f"parts/{part.number:06}", part.bytes, pieces)
                except ValueError:
                    raise PartAltered(numbers=str(part.number)) from None


def write_receipts_content(target: BinaryIO, said: Sequence[Said]) -> None:
    """Write the receipts of some transfers."""
    with ArchiveWriter(target) as archive:
        archive.add(RECEIPTS, _receipts_document(said))


def fitting_receipts(said: Sequence[Said]) -> Sequence[Said]:
    """Return as many from the beginning as one document holds."""
    kept = list(said[:MOST_TRANSFERS])
    while kept and len(_receipts_document(kept)) > LARGEST_DOCUMENT:
        kept = kept[: len(kept) // 2]
    return kept


def bundle_bytes(papers: Papers, parts: Sequence[Part]) -> int:
    """Return how large the content of a medium with these parts is."""
    return _container_bytes([*papers.sizes(), *(part.bytes for part in parts)])


def receipts_bytes(said: Sequence[Said]) -> int:
    """Return how large the content of a medium with these receipts is."""
    return _container_bytes([len(_receipts_document(said))])


def files_for(content_bytes: int) -> int:
    """Return how many files a medium has for such a content, the index among them."""
    return padded_blocks(-(-content_bytes // PLAIN_BYTES)) + 1


def fitting_parts(papers: Papers, left: Sequence[Part], room_bytes: int) -> Sequence[Part]:
    """Return as many parts from the beginning as fit on a medium; pure.

    Raises:
        MediumTooSmall: not even one fits.
    """
    low, high = 0, len(left)
    while low < high:  # more parts never take fewer files
        middle = (low + high + 1) // 2
        files = files_for(bundle_bytes(papers, left[:middle]))
        if files <= MOST_BLOCKS and files * FILE_BYTES <= room_bytes:
            low = middle
        else:
            high = middle - 1
    if low == 0:
        needed = files_for(bundle_bytes(papers, left[:1])) * FILE_BYTES
        raise MediumTooSmall(needed_bytes=needed, free_bytes=room_bytes)
    return left[:low]


class BundleContent:
    """The content of a medium of a bundle, read once from its beginning to its end."""

    def __init__(self, file: BinaryIO) -> None:
        """Read what goes before the parts; nothing of it is verified here.

        Raises:
            ArchiveUnfit: not a container of ours (``storage.archives``).
            BundleUnreadable: something else than a manifest comes first.
        """
        self._file = file
        self._members = members(file, Limits(members=_MOST_MEMBERS))
        try:
            manifest = _small(file, self._members, MANIFEST, _LARGEST_TOKEN).decode("ascii")
        except UnicodeDecodeError:
            raise BundleUnreadable(reason=f"{MANIFEST} is no signed text") from None
        second = next(self._members, None)
        key = None
        if second is not None and second.name == KEY:
            key = _small(file, iter([second]), KEY, LARGEST_WRAPPED)
        elif second is not None:
            self._members = chain([second], self._members)
        self.papers = Papers(manifest=manifest, key=key)

    def parts(self, listed: Sequence[Part]) -> Iterator[tuple[Part, Iterator[bytes]]]:
        """Give each part that is here with its bytes; whoever takes them in checks the digest.

        Raises:
            BundleUnreadable: no part, or none of the manifest's.
            PartAltered: of another size than the manifest says.
        """
        known = {f"parts/{part.number:06}": part for part in listed}
        for member in self._members:
            part = known.get(member.name)
            if part is None:
                raise BundleUnreadable(reason="a part of the manifest expected")
            if member.size != part.bytes:
                raise PartAltered(numbers=str(part.number))
            yield part, _pieces(self._file, member)


def read_receipts_content(file: BinaryIO) -> list[Said]:
    """Return the receipts; signatures are not checked here.

    Raises:
        ArchiveUnfit, BundleUnreadable, FieldWrong: not what a medium of receipts holds.
    """
    inside = members(file, Limits(members=1))
    fields = Fields.read("receipts", _small(file, inside, RECEIPTS, LARGEST_DOCUMENT))
    said = [
        Said(
            transfer=one.identifier("transfer"),
            attempt=one.positive("attempt"),
            receipts=tuple(one.texts("receipts")),
        )
        for one in fields.objects("transfers")
    ]
    if next(inside, None) is not None or len(said) > MOST_TRANSFERS:
        raise BundleUnreadable(reason=f"{RECEIPTS} alone expected")
    return said


def _container_bytes(sizes: Sequence[int]) -> int:
    return sum(_TAR_BLOCK + size + -size % _TAR_BLOCK for size in sizes) + 2 * _TAR_BLOCK


def _small(file: BinaryIO, inside: Iterator[Member], name: str, limit: int) -> bytes:
    member = next(inside, None)
    if member is None or member.name != name or member.size > limit:
        raise BundleUnreadable(reason=f"{name} expected")
    return body_of(file, member)


def _pieces(file: BinaryIO, member: Member) -> Iterator[bytes]:
    for at in range(0, member.size, _COPIED):
        file.seek(member.offset + at)
        yield file.read(min(_COPIED, member.size - at))


def _receipts_document(said: Sequence[Said]) -> bytes:
    return canonical(
        {
            "format": FORMAT,
            "transfers": [
                {
                    "transfer": one.transfer,
                    "attempt": one.attempt,
                    "receipts": list(one.receipts),
                }
                for one in said
            ],
        }
    )
