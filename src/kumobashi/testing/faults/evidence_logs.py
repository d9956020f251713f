r"""I7: the evidence logs, followed from their first record without the code that keeps them.

A log is a Merkle tree (RFC 6962) over stored bytes; a checkpoint is a signed note of its size and
root. Each root that was signed, here or as a peer has seen it, must be the root of those records.

>>> root_of([]).hex()[:8]
'e3b0c442'
>>> leaf = sha256(b"\x00a").digest()
>>> root_of([b"a"]) == leaf
True
"""

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from kumobashi.testing.faults.tables import Store

_ENTRIES = "select number, body from evidence_entries order by number"
_OWN = "select note from evidence_checkpoints order by size"
_SEEN = "select site, note from evidence_witnessed where verdict = 'consistent' order by at"
_KEY_HASH = 4  # bytes before the signature in a signed note


@dataclass(frozen=True, slots=True)
class Note:
    """A signed statement about a log, and who has it."""

    found: str
    size: int
    root: bytes
    is_genuine: bool


@dataclass(frozen=True, slots=True)
class Log:
    """The records of one site's log, and all that was signed about it."""

    site: str
    numbers: Sequence[int]
    bodies: Sequence[bytes]
    notes: Sequence[Note]


def read_logs(stores: Mapping[str, Store], keys: Mapping[str, str]) -> list[Log]:
    """Return the logs of all sites with what their peers saw of them; ``keys`` as for receipts."""
    seen: dict[str, list[Note]] = {site: [] for site in stores}
    for witness, store in stores.items():
        for site, note in store.ask(_SEEN):
            seen.setdefault(str(site), []).append(_note(str(note), keys, found=witness))
    logs = []
    for site, store in stores.items():
        # What was signed first: a gateway that is running may add a record and sign it meanwhile.
        own = [_note(str(row[0]), keys, found=site) for row in store.ask(_OWN)]
        entries = store.ask(_ENTRIES)
        numbers = [int(row[0]) for row in entries]
        bodies = [bytes(row[1]) for row in entries]
        logs.append(Log(site, numbers, bodies, [*own, *seen[site]]))
    return logs


def broken(log: Log) -> Iterator[str]:
    """Say what does not hold about a log; nothing when all does."""
    if list(log.numbers) != list(range(len(log.numbers))):
        yield "numbers with a gap"
    roots = _roots(log.bodies, {note.size for note in log.notes})
    for note in log.notes:
        if not note.is_genuine:
            yield f"a checkpoint at {note.found} that the site did not sign"
        elif note.size > len(log.bodies):
            yield f"{len(log.bodies)} records, signed were {note.size} (seen at {note.found})"
        elif roots[note.size] != note.root:
            yield f"the first {note.size} records have another root than {note.found} was told"


def root_of(bodies: Sequence[bytes]) -> bytes:
    """Return the Merkle root of records."""
    return _roots(bodies, {len(bodies)})[len(bodies)]


def _roots(bodies: Sequence[bytes], sizes: set[int]) -> dict[int, bytes]:
    """Return the roots at these sizes, in one walk."""
    edge: list[tuple[int, bytes]] = []  # whole subtrees, the largest first: leaves and hash
    roots = {0: sha256(b"").digest()}
    for size, body in enumerate(bodies, 1):
        edge.append((1, sha256(b"\x00" + body).digest()))
        while len(edge) > 1 and edge[-1][0] == edge[-2][0]:
            (leaves, right), (_, left) = edge.pop(), edge.pop()
            edge.append((2 * leaves, sha256(b"\x01" + left + right).digest()))
        if size in sizes:
            root = edge[-1][1]
            for _, left in reversed(edge[:-1]):
                root = sha256(b"\x01" + left + root).digest()
            roots[size] = root
    return roots


def _note(text: str, keys: Mapping[str, str], *, found: str) -> Note:
    """Read a signed note; one that cannot be read was not signed."""
    said, _, signatures = text.partition("\n\n")
    try:
        _origin, said_size, said_root = said.split("\n")
        size, root = int(said_size), base64.b64decode(said_root, validate=True)
        made = [base64.b64decode(line.split(" ")[2]) for line in signatures.splitlines()]
    except (ValueError, IndexError, binascii.Error):
        return Note(found, 0, b"", is_genuine=False)
    signed = f"{said}\n".encode()
    genuine = any(_signed(x, each[_KEY_HASH:], signed) for x in keys.values() for each in made)
    return Note(found, size, root, is_genuine=genuine)


def _signed(x: str, signature: bytes, text: bytes) -> bool:
    try:
        raw = base64.urlsafe_b64decode(x + "=" * (-len(x) % 4))
        Ed25519PublicKey.from_public_bytes(raw).verify(signature, text)
    except InvalidSignature:
        return False
    return True
