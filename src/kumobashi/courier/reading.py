"""Read a medium: who wrote it is known before anything on it is used.

    folder → files of our names and size → index opened → signature → not ours, not over? → content

Each file is compared with the digest in the signed index while it is read. Nothing is written, and
memory holds a few files of 4 MiB, whatever the medium claims.
"""

import hashlib
import io
import json
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from kumobashi.courier.blocks import PLAIN_BYTES, open_block
from kumobashi.courier.errors import (
    MediumDamaged,
    MediumIncomplete,
    MediumKeyless,
    MediumStrange,
)
from kumobashi.courier.index import Index, verify_index
from kumobashi.courier.places import INDEX, listed, name_of, read_file
from kumobashi.crypto import base64url
from kumobashi.crypto.keys import SealKey, VerifyKey
from kumobashi.crypto.transfer_keys import unwrap
from kumobashi.messages.errors import BundleUnreadable, MessageForeign
from kumobashi.messages.manifest import Manifest, verify_manifest

KeysOf = Callable[[str], Mapping[str, VerifyKey]]  # by site; raises for a site that is unknown
_HELD: Final = 3  # opened files in memory: a part reaches from one into the next


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Who reads: a site with its key, and whose signatures it knows."""

    tenant: str
    site: str
    key: SealKey = field(repr=False)
    keys_of: KeysOf


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A medium whose index is verified; ``token`` is the index as it was signed."""

    index: Index
    token: str
    content: "Content"  # seekable and read-only: a ``BinaryIO`` as far as archives need one
    reader: Reader = field(repr=False)


def open_medium(folder: Path, reader: Reader, *, now: datetime) -> Opened:
    """Look at a medium and return what it is; its content is read as it is asked for.

    Raises:
        MediumFailed: nothing of ours, incomplete, strange, too many files, foreign, expired.
        SignatureInvalid, UnknownKey: not signed by the site that it says it is from.
        FormatUnknown, FieldWrong: signed, but not understood.
        MessageForeign: of another municipality or for another site.
    """
    found = listed(folder)
    if INDEX not in found:
        raise MediumIncomplete(what_ja=f"{INDEX} がない", what=f"{INDEX} is missing")
    token = _token(open_block(read_file(found[INDEX]), reader.key, name=INDEX, site=reader.site))
    index = verified(token, reader, now=now)
    _check_files(found, index)
    return Opened(
        index=index, token=token, content=Content(folder, found, index, reader), reader=reader
    )


def verified(token: str, reader: Reader, *, now: datetime) -> Index:
    """Return a signed index that this site may take in now; raises as :func:`open_medium`."""
    index = verify_index(token, reader.keys_of(_claimed_site(token)))
    if index.from_site != _claimed_site(token):
        raise MessageForeign(field="from_site")
    if index.tenant != reader.tenant:
        raise MessageForeign(field="tenant")
    if index.to_site != reader.site:
        raise MessageForeign(field="to_site")
    index.refuse_expired(now)
    return index


def manifest_of(token: str, opened: Opened) -> Manifest:
    """Return the manifest inside a medium, which must be the sender's own for this transfer.

    Raises:
        SignatureInvalid, UnknownKey, FieldWrong, MessageForeign
    """
    index = opened.index
    manifest = verify_manifest(token, opened.reader.keys_of(index.from_site))
    for name in ("tenant", "transfer", "attempt", "from_site", "to_site"):
        if getattr(manifest, name) != getattr(index, name):
            raise MessageForeign(field=name)
    return manifest


def check_key(document: bytes | None, manifest: Manifest, own: SealKey) -> None:
    """Make sure that the key of a medium is the one that its manifest names.

    Raises:
        MediumKeyless: the manifest names one, and none is there.
        KeyUnlike, NotForUs, SealFailed: another one, or wrapped for another site, or altered.
        BundleUnreadable: one is there that the manifest does not name.
    """
    if manifest.key is None:
        if document is not None:
            raise BundleUnreadable(reason="a key that the manifest does not name")
        return
    if document is None:
        raise MediumKeyless(transfer=manifest.transfer)
    unwrap(document, own, expected=manifest.key)


def _token(plain: bytes) -> str:
    try:
        return plain.rstrip(b"\0").decode("ascii")
    except UnicodeDecodeError:
        raise MediumDamaged(file=INDEX) from None


def _claimed_site(token: str) -> str:
    """Return which site an index says it is from, to look up that site's keys."""
    try:
        return str(json.loads(base64url.decode(token.split(".")[1]))["from_site"])
    except (IndexError, ValueError, KeyError, TypeError, RecursionError):
        raise MediumDamaged(file=INDEX) from None


def _check_files(found: Mapping[str, Path], index: Index) -> None:
    """Compare names, before any of them is read."""
    wanted = {name_of(number) for number in range(1, len(index.files) + 1)} | {INDEX}
    if missing := wanted - found.keys():
        raise MediumIncomplete(
            what_ja=f"{len(missing)} 個のファイルがない", what=f"{len(missing)} files are missing"
        )
    if found.keys() - wanted:
        raise MediumStrange(
            what_ja="目録にないファイル", what="a file that the index does not name"
        )


class Content(io.RawIOBase):
    """The content as one seekable stream; files are checked and opened when they are reached."""

    def __init__(
        self, folder: Path, found: Mapping[str, Path], index: Index, reader: Reader
    ) -> None:
        super().__init__()
        self._folder = folder
        self._paths: Sequence[Path] = [
            found[name_of(number)] for number in range(1, len(index.files) + 1)
        ]
        self._index = index
        self._reader = reader
        self._at = 0
        self._opened: OrderedDict[int, bytes] = OrderedDict()

    def readable(self) -> bool:
        """Say so."""
        return True

    def seekable(self) -> bool:
        """Say so."""
        return True

    def tell(self) -> int:
        """Return the place of the next byte."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go to a place."""
        start = {
            io.SEEK_SET: 0,
            io.SEEK_CUR: self._at,
            io.SEEK_END: self._index.content_bytes,
        }[whence]
        self._at = max(0, start + offset)
        return self._at

    def read(self, size: int = -1, /) -> bytes:
        """Return up to ``size`` bytes; raises as files are reached that are not right."""
        left = max(0, self._index.content_bytes - self._at)
        wished = left if size < 0 else min(size, left)
        pieces = []
        while wished:
            number, offset = divmod(self._at, PLAIN_BYTES)
            piece = self._block(number)[offset : offset + wished]
            pieces.append(piece)
            self._at += len(piece)
            wished -= len(piece)
        return b"".join(pieces)

    def read_to_end(self) -> None:
        """Check also the files that only fill the number up."""
        for number in range(self._at // PLAIN_BYTES, len(self._paths)):
            self._file(number)

    def _block(self, number: int) -> bytes:
        if number not in self._opened:
            body = self._file(number)
            name = name_of(number + 1)
            plain = open_block(body, self._reader.key, name=name, site=self._reader.site)
            self._opened[number] = plain
            while len(self._opened) > _HELD:
                self._opened.popitem(last=False)
        return self._opened[number]

    def _file(self, number: int) -> bytes:
        body = read_file(self._paths[number])
        if hashlib.sha256(body).digest() != self._index.files[number]:
            raise MediumDamaged(file=name_of(number + 1))
        return body
