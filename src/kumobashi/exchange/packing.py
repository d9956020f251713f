"""From the released table to sealed parts on disk: write, compress, encrypt, cut.

    released → payload file (Parquet, or CSV in the receiver's charset) → zstd for CSV → age → parts

The plain file lives in the transfer's private work folder and is gone when the parts are durable.
"""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import zstandard

from kumobashi.crypto.canonical import digest
from kumobashi.crypto.sealing import seal
from kumobashi.exchange.beside import Beside
from kumobashi.exchange.cutting import Cutting
from kumobashi.exchange.orders import CharacterRule, ReceivingColumn
from kumobashi.messages.manifest import Compression, MediaType
from kumobashi.messages.parts import Part
from kumobashi.storage.counting import count
from kumobashi.storage.spool import Spool
from kumobashi.storage.tables import quoted

OPERATION = "kumobashi_op"  # in differences: "put" or "delete"
OPERATION_JA = "処理区分"
_COMPRESSION_LEVEL = 1  # level 3 made larger files of this data: docs/performance.md
_COMPRESSING = 2  # threads
_ROW_GROUP = 131_072
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much a gateway takes for one transfer; what does not fit spills to disk."""

    memory_mib: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """The plain file that will be sealed."""

    path: Path
    media_type: MediaType
    charset: str | None
    compression: Compression
    rows: int
    bytes: int
    digest: str  # before compression


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """The parts that lie in the spool."""

    parts: tuple[Part, ...]
    bytes: int
    digest: str


def write_parquet(work: duckdb.DuckDBPyConnection, relation: str, path: Path) -> Payload:
    """Write a relation as Parquet, compressed inside by zstd."""
    rows = count(
        work,
        f"copy (from {relation}) to '{path}' (format parquet, compression zstd,"
        f" compression_level {_COMPRESSION_LEVEL}, row_group_size {_ROW_GROUP})",
    )
    with path.open("rb") as source:
        whole = digest(source)
    return Payload(
        path=path,
        media_type=MediaType.PARQUET,
        charset=None,
        compression=Compression.NONE,
        rows=rows,
        bytes=path.stat().st_size,
        digest=whole,
    )


def write_csv(
    work: duckdb.DuckDBPyConnection,
    relation: str,
    path: Path,
    columns: tuple[ReceivingColumn, ...],
    characters: CharacterRule,
) -> Payload:
    """Write a relation as CSV with Japanese headers in the receiver's charset, then compress it."""
    headers = {OPERATION: OPERATION_JA, **{c.spec.name: c.ja for c in columns}}
    lists = {c.spec.name for c in columns if c.spec.kind == "integers"}
    names = [row[0] for row in work.execute(f"describe from {relation}").fetchall()]
    values = ", ".join(
        f"array_to_string({quoted(n)}, ' ') as {quoted(headers[n])}"
        if n in lists
        else f"{quoted(n)} as {quoted(headers[n])}"
        for n in names
    )
    plain = path.with_suffix(".plain")
    rows = count(work, f"copy (select {values} from {relation}) to '{plain}' (format csv, header)")
    codec = "cp932" if characters.charset == "cp932" else "utf-8"

    def encoded() -> Iterator[bytes]:
        with plain.open(encoding="utf-8", newline="") as source:
            text = "\ufeff" if characters.charset == "utf-8-bom" else source.read(_BLOCK)
            while text:
                yield text.encode(codec)
                text = source.read(_BLOCK)

    payload = compress(encoded(), path, rows=rows, charset=characters.charset)
    plain.unlink()
    return payload


def compress(blocks: Iterable[bytes], path: Path, *, rows: int, charset: str) -> Payload:
    """Write the bytes of a CSV payload into ``path``, compressed, hashing them on the way."""
    whole, size = hashlib.sha256(), 0
    compressor = zstandard.ZstdCompressor(level=_COMPRESSION_LEVEL, threads=_COMPRESSING)
    with (
        path.open("wb") as raw,
        compressor.stream_writer(raw, closefd=False) as target,
        Beside(whole.update, "hash") as hashing,
    ):
        for block in blocks:
            hashing.write(block)
            size += len(block)
            target.write(block)
    return Payload(
        path=path,
        media_type=MediaType.CSV,
        charset=charset,
        compression=Compression.ZSTD,
        rows=rows,
        bytes=size,
        digest=f"sha256:{whole.hexdigest()}",
    )


def seal_payload(
    payload: Payload, *, recipient: str, limit: int, spool: Spool, transfer: str, attempt: int
) -> Sealed:
    """Encrypt the payload to the receiver, cut it and put the parts durably into the spool."""
    spool.forget(transfer, attempt)
    with (
        payload.path.open("rb") as plain,
        Cutting(spool, transfer, attempt, limit) as cutting,
    ):
        with Beside(cutting.write, "cut") as sealed:
            seal(plain, sealed, [recipient])
        parts = cutting.finish()
    payload.path.unlink()
    return Sealed(parts=parts, bytes=cutting.bytes, digest=cutting.digest)


@contextmanager
def workroom(
    folder: Path, *, memory_mib: int, spill_mib: int = 65_536
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a working database of one transfer: bounded memory, a spill folder, gone afterwards."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    work = duckdb.connect()
    try:
        work.execute(f"set memory_limit = '{memory_mib}MiB'; set threads = 2")
        work.execute(f"set temp_directory = '{folder / 'spill'}'")
        work.execute(f"set max_temp_directory_size = '{spill_mib}MiB'")
        work.execute("set preserve_insertion_order = false; set enable_progress_bar = false")
        yield work
    finally:
        work.close()
