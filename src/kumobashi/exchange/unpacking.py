"""From sealed parts to rows: join, decrypt, decompress, decode; every digest checked on the way.

The plain file lives in the bundle's private work folder. What the manifest says about sizes is a
limit here: a bundle that unpacks to more than it announced is stopped where it passes it.
"""

import codecs
import hashlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import BinaryIO

import duckdb
import zstandard

from kumobashi.conversion.charsets import first_stray
from kumobashi.crypto.errors import SealFailed
from kumobashi.crypto.keys import SealKey
from kumobashi.crypto.sealing import open_sealed
from kumobashi.exchange.beside import Beside
from kumobashi.exchange.errors import BundleUnlike, BytesUndecodable
from kumobashi.messages.errors import PartAltered
from kumobashi.messages.manifest import Compression, Manifest, MediaType
from kumobashi.messages.parts import JoinedParts, OpenPart, Part, altered
from kumobashi.storage.spool import Spool
from kumobashi.storage.tables import literal

_CODECS = {"utf-8": "utf-8", "utf-8-bom": "utf-8-sig", "cp932": "cp932"}
_BLOCK = 1 << 20


def unpack(manifest: Manifest, spool: Spool, key: SealKey, folder: Path) -> Path:
    """Write the payload into ``folder`` and return its path.

    Raises:
        PartAltered, NotForUs, SealedDamaged, SealedTruncated: see ``messages`` and ``crypto``.
        BundleUnlike: size or digest of the whole or of the payload is not the manifest's.
    """

    def open_part(part: Part) -> BinaryIO:
        hex_ = part.digest.removeprefix("sha256:")
        return spool.open(manifest.transfer, manifest.attempt, hex_)

    suffix = "parquet" if manifest.media_type is MediaType.PARQUET else "csv"
    path = folder / f"payload.{suffix}"
    sealed = hashlib.sha256()
    with (
        path.open("wb") as file,
        _naming_altered_parts(manifest, open_part),
        # The digest of the whole says that every part of it is right.
        closing(JoinedParts(manifest.parts, open_part, is_checked=False)) as parts,
    ):
        target = _Limited(file, manifest.payload_bytes)
        with Beside(sealed.update, "hash") as hashing, Beside(target.write, "write") as plain:
            source = _Passing(parts, hashing)
            if manifest.compression is Compression.ZSTD:
                decompressor = zstandard.ZstdDecompressor(max_window_size=1 << 27)
                with decompressor.stream_writer(plain, closefd=False) as writer:  # type: ignore[arg-type]
                    open_sealed(source, writer, key, expected_bytes=manifest.sealed_bytes)
            else:
                open_sealed(source, plain, key, expected_bytes=manifest.sealed_bytes)
        _same("sealed digest", manifest.sealed_digest, f"sha256:{sealed.hexdigest()}")
    _same("payload bytes", manifest.payload_bytes, target.size)
    _same("payload digest", manifest.payload_digest, target.digest)
    return path


def read_payload(
    manifest: Manifest, path: Path, work: duckdb.DuckDBPyConnection, relation: str
) -> None:
    """Make ``relation`` a view of the payload's rows; CSV comes as text in every column.

    Raises:
        BytesUndecodable: a line of CSV is not in the charset that the manifest names.
        BundleUnlike: the payload is not the file it should be.
    """
    if manifest.media_type is MediaType.CSV:
        path = _as_utf8(path, _CODECS.get(manifest.charset or "", ""), manifest.charset or "")
        # A file, never a pipe: DuckDB's CSV reader loses rows of a pipe. One thread keeps lines.
        reader = (
            f"read_csv({literal(str(path))}, header = true, all_varchar = true, delim = ',',"
            " quote = '\"', escape = '\"', null_padding = false, strict_mode = true, nullstr = '')"
        )
    else:
        reader = f"read_parquet({literal(str(path))})"
    try:
        work.execute(f"create view {relation} as select * from {reader}")
    except duckdb.Error as error:
        raise BundleUnlike(
            what="payload", expected=manifest.media_type.value, got=type(error).__name__
        ) from None


def _as_utf8(path: Path, codec: str, charset: str) -> Path:
    if not codec:
        raise BytesUndecodable(charset=charset, line=0)
    decoder = codecs.getincrementaldecoder(codec)("strict")
    target_path = path.with_suffix(".utf8")
    lines = 1
    with path.open("rb") as source, target_path.open("w", encoding="utf-8", newline="") as target:
        while True:
            block = source.read(_BLOCK)
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                line = lines + error.object[: error.start].count(b"\n")
                raise BytesUndecodable(charset=charset, line=line) from None
            if codec == "cp932" and (stray := first_stray(text)) is not None:
                line = lines + text.count("\n", 0, stray)
                raise BytesUndecodable(charset=charset, line=line)
            target.write(text)
            lines += text.count("\n")
            if not block:
                return target_path


@contextmanager
def _naming_altered_parts(manifest: Manifest, open_part: OpenPart) -> Iterator[None]:
    """Tell a part that was damaged on this disk from a seal or digest that is wrong in itself."""
    try:
        yield
    except (SealFailed, BundleUnlike):
        if wrong := altered(manifest.parts, open_part):
            raise PartAltered(numbers=", ".join(str(part.number) for part in wrong)) from None
        raise


def _same(what: str, expected: object, got: object) -> None:
    if expected != got:
        raise BundleUnlike(what=what, expected=expected, got=got)


class _Passing:
    """Reads on, and hands what passes to somebody else as well."""

    def __init__(self, source: JoinedParts, beside: Beside) -> None:
        self._source = source
        self._beside = beside

    def read(self, size: int, /) -> bytes:
        if block := self._source.read(size):
            self._beside.write(block)
        return block


class _Limited:
    """Writes on, hashing what passes and stopping at a limit."""

    def __init__(self, target: BinaryIO, limit: int) -> None:
        self._target = target
        self._limit = limit
        self._state = hashlib.sha256()
        self.size = 0

    @property
    def digest(self) -> str:
        return f"sha256:{self._state.hexdigest()}"

    def write(self, data: bytes, /) -> int:
        self.size += len(data)
        if self.size > self._limit:
            raise BundleUnlike(what="payload bytes", expected=self._limit, got=f"> {self._limit}")
        self._state.update(data)
        return self._target.write(data)
