r"""The evidence file: what a site hands to an auditor, complete in itself but for one public key.

A container (``storage.archives``) with these members, in this order:

    evidence.json       what it is: site, how many records, which selection
    directory.jws       the signed directory with everybody's public keys
    checkpoints.jsonl   signed checkpoints, the smallest first
    witnessed.jsonl     what other sites signed about their logs, as it was seen here
    receipts.jsonl      signed receipts, in the order of the records that name them
    chain.bin           of a whole log: 32 bytes a record, to find the first touched one
    proofs.jsonl        of a selection instead: number and inclusion proof of each record
    entries.jsonl       the records, one a line, byte for byte as they were stored and hashed

No record holds a line feed, for canonical JSON escapes it; so the lines are the leaves.
"""

import base64
import binascii
import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import IO, Any, BinaryIO, Final, Self

from kumobashi.crypto.canonical import canonical
from kumobashi.evidence.errors import ExportUnreadable
from kumobashi.evidence.log import Stored
from kumobashi.evidence.merkle import HASH_BYTES
from kumobashi.storage.archives import ArchiveWriter, Limits, Member, Slice, body_of, members

FORMAT: Final = 1
WHOLE, SELECTED = "whole", "selected"
_FIRST = ("evidence.json", "directory.jws", "checkpoints.jsonl", "witnessed.jsonl")
_MEMBERS = {
    WHOLE: (*_FIRST, "receipts.jsonl", "chain.bin", "entries.jsonl"),
    SELECTED: (*_FIRST, "receipts.jsonl", "proofs.jsonl", "entries.jsonl"),
}
_LIMITS = Limits(members=len(_MEMBERS[WHOLE]))
_SMALL: Final = 16 << 20  # bytes of a member that is read at once
_LARGEST_LINE: Final = 1 << 20  # bytes of a record, a receipt or a proof
_COPIED: Final = 1 << 20
Line = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What an evidence file says about itself; all of it is checked against what is signed."""

    kind: str
    tenant: str
    site: str
    origin: str
    size: int  # of the newest checkpoint
    records: int
    made: str
    selection: Mapping[str, str]

    def encode(self) -> bytes:
        """Return the canonical bytes."""
        return canonical(
            {
                "format": FORMAT,
                "kind": self.kind,
                "tenant": self.tenant,
                "site": self.site,
                "origin": self.origin,
                "size": self.size,
                "records": self.records,
                "made": self.made,
                "selection": dict(self.selection),
            }
        )

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read the header; raise ``ExportUnreadable``."""
        said = _object(data)
        if said.get("format") != FORMAT:
            raise ExportUnreadable(reason=f"format {str(said.get('format'))[:20]}")
        texts = {name: said.get(name) for name in ("kind", "tenant", "site", "origin", "made")}
        counts = {name: said.get(name) for name in ("size", "records")}
        selection = said.get("selection")
        if (
            not all(isinstance(text, str) for text in texts.values())
            or texts["kind"] not in _MEMBERS
            or not all(type(count) is int and count >= 0 for count in counts.values())
            or not isinstance(selection, dict)
        ):
            raise ExportUnreadable(reason="evidence.json")
        return cls(**texts, **counts, selection=selection)  # type: ignore[arg-type]


class EvidenceWriter:
    """Collects records beside the target, then writes the file in one go."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._stack = ExitStack()
        self._entries, self._beside, self._receipts = (self._scratch() for _ in range(3))
        self.records = 0
        self.receipts = 0

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """Remove what was collected."""
        self._stack.close()

    def record(self, record: Stored) -> None:
        """Add a record of a whole log."""
        _, chain, body = record
        self._entries.write(body + b"\n")
        self._beside.write(chain)
        self.records += 1

    def proved(self, number: int, body: bytes, proof: Sequence[bytes]) -> None:
        """Add a record of a selection, with its proof."""
        self._entries.write(body + b"\n")
        encoded = [base64.b64encode(part).decode() for part in proof]
        self._beside.write(_line({"number": number, "proof": encoded}))
        self.records += 1

    def receipt(self, number: int, token: str) -> None:
        """Add the receipt that record ``number`` names."""
        self._receipts.write(_line({"number": number, "receipt": token}))
        self.receipts += 1

    def finish(
        self, header: Header, *, directory: str, signed: Iterable[Line], witnessed: Iterable[Line]
    ) -> None:
        """Write the file; the target is there whole, or not at all."""
        beside = self._target.with_name(f".{self._target.name}.part")
        bodies = {
            "evidence.json": header.encode(),
            "directory.jws": directory.encode("ascii"),
            "checkpoints.jsonl": b"".join(map(_line, signed)),
            "witnessed.jsonl": b"".join(map(_line, witnessed)),
        }
        collected = {
            "receipts.jsonl": self._receipts,
            "chain.bin": self._beside,
            "proofs.jsonl": self._beside,
            "entries.jsonl": self._entries,
        }
        try:
            with beside.open("wb") as file, ArchiveWriter(file) as archive:
                for name in _MEMBERS[header.kind]:
                    if name in bodies:
                        archive.add(name, bodies[name])
                    else:
                        archive.stream(name, *_whole(collected[name]))
            beside.replace(self._target)
        finally:
            beside.unlink(missing_ok=True)

    def _scratch(self) -> IO[bytes]:
        folder = self._target.absolute().parent
        return self._stack.enter_context(tempfile.TemporaryFile(dir=folder, prefix=".evidence-"))


class EvidenceFile:
    """An evidence file that is read; nothing in it is believed yet."""

    def __init__(self, path: Path) -> None:
        """Read the headers of the container and of the file.

        Raises:
            ExportUnreadable: of another kind or version.
            ArchiveUnfit: see ``storage.archives``.
        """
        self.path = path
        with path.open("rb") as file:
            held = {member.name: member for member in members(file, _LIMITS)}
            if next(iter(held), None) != _FIRST[0]:
                raise ExportUnreadable(reason="evidence.json does not come first")
            self.header = Header.decode(_small(file, held[_FIRST[0]]))
            if tuple(held) != _MEMBERS[self.header.kind]:
                raise ExportUnreadable(reason="other members than it should have")
            self.directory = _small(file, held["directory.jws"]).decode("ascii", "replace")
            self.signed = _objects(_small(file, held["checkpoints.jsonl"]))
            self.witnessed = _objects(_small(file, held["witnessed.jsonl"]))
        self._held = held

    def records(self) -> Iterator[Stored]:
        """Yield the records of a whole log; a record or a value that is missing is empty."""
        with self._stream("entries.jsonl") as lines, self._stream("chain.bin") as chain:
            both = zip_longest(_values(chain), _lines(lines), fillvalue=b"")
            for number, (value, body) in enumerate(both):
                yield number, value, body

    def proved(self) -> Iterator[tuple[int, list[bytes], bytes]]:
        """Yield number, proof and body of each record of a selection."""
        with self._stream("entries.jsonl") as lines, self._stream("proofs.jsonl") as beside:
            proofs = _lines(beside)
            for body in _lines(lines):
                said = _object(next(proofs, b""))
                number, proof = said.get("number"), said.get("proof")
                if type(number) is not int or not isinstance(proof, list):
                    raise ExportUnreadable(reason="proofs.jsonl")
                yield number, [_decoded(part) for part in proof], body

    def receipts(self) -> Iterator[tuple[int, str]]:
        """Yield the receipts with the numbers of the records that name them."""
        with self._stream("receipts.jsonl") as stream:
            for line in _lines(stream):
                said = _object(line)
                number, token = said.get("number"), said.get("receipt")
                if type(number) is not int or not isinstance(token, str):
                    raise ExportUnreadable(reason="receipts.jsonl")
                yield number, token

    def _stream(self, name: str) -> Slice:
        return Slice(self.path.open("rb"), self._held[name])


def _line(said: Line) -> bytes:
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _whole(file: IO[bytes]) -> tuple[int, Iterator[bytes]]:
    size = file.tell()
    file.seek(0)
    return size, iter(lambda: file.read(_COPIED), b"")


def _small(file: BinaryIO, member: Member) -> bytes:
    if member.size > _SMALL:
        raise ExportUnreadable(reason=f"{member.name} is too large")
    return body_of(file, member)


def _objects(data: bytes) -> list[Line]:
    return [_object(line) for line in data.splitlines()]


def _object(data: bytes) -> dict[str, Any]:
    try:
        said = json.loads(str(data, "utf-8"))  # saves guessing the encoding of each
    except (ValueError, RecursionError):
        raise ExportUnreadable(reason="no JSON") from None
    if not isinstance(said, dict):
        raise ExportUnreadable(reason="no object")
    return said


def _values(stream: Slice) -> Iterator[bytes]:
    while block := stream.read(HASH_BYTES << 12):
        for at in range(0, len(block), HASH_BYTES):
            yield block[at : at + HASH_BYTES]


def _lines(stream: Slice) -> Iterator[bytes]:
    """Yield lines without their end; one that is too long comes in pieces, and so fits nothing."""
    rest = b""
    while block := stream.read(_COPIED):
        *whole, rest = (rest + block).split(b"\n")
        yield from whole
        if len(rest) > _LARGEST_LINE:
            yield rest
            rest = b""
    if rest:
        yield rest


def _decoded(text: object) -> bytes:
    try:
        return base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except binascii.Error:
        raise ExportUnreadable(reason="proofs.jsonl") from None
