r"""Checkpoints: how many records a log has and their root, signed, in the form of C2SP.

``tlog-checkpoint`` is the text (origin, size, root), ``signed-note`` how it is signed; a verifier
key can be given to any tool that reads those (``<name>+<hash>+<key>``).

>>> from kumobashi.crypto.keys import SigningKey
>>> key = SigningKey.generate()
>>> note = sign(Checkpoint(origin="kumobashi/999997/hall-core", size=0, root=EMPTY), key)
>>> note.splitlines()[:3]
['kumobashi/999997/hall-core', '0', '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=']
>>> read(note, {key.kid: key.public}, origin="kumobashi/999997/hall-core", site="hall-core").size
0
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from kumobashi.crypto.keys import SigningKey, VerifyKey
from kumobashi.evidence.errors import CheckpointAltered, CheckpointForeign
from kumobashi.evidence.merkle import EMPTY, HASH_BYTES

__all__ = ["EMPTY", "Checkpoint", "origin_of", "parse", "read", "sign", "verifier_key"]

_ED25519 = b"\x01"  # the kind of signature (C2SP signed-note)
_HASH_PART = 4  # bytes of the key's hash before a signature
_SIGNATURE_BYTES = 64
_LARGEST = 4096  # characters of a whole note
_SIZE = re.compile(r"0|[1-9][0-9]{0,15}")
_ORIGIN = re.compile(r"[a-z0-9][a-z0-9./_-]{0,200}")
_SIGNED = re.compile(r"— (\S+) ([A-Za-z0-9+/]+={0,2})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The state of a log: its first ``size`` records have this ``root``."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """Return what is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def origin_of(tenant: str, site: str) -> str:
    """Return the name of a site's log; its signatures carry it too."""
    return f"kumobashi/{tenant}/{site}"


def verifier_key(name: str, key: VerifyKey) -> str:
    """Return a public key as other tools for signed notes take it."""
    encoded = base64.b64encode(_ED25519 + key.raw).decode()
    return f"{name}+{_key_hash(name, key).hex()}+{encoded}"


def sign(checkpoint: Checkpoint, key: SigningKey) -> str:
    """Return the signed note; the same input gives the same note."""
    text = checkpoint.text()
    made = _key_hash(checkpoint.origin, key.public) + key.sign(text.encode("utf-8"))
    return f"{text}\n— {checkpoint.origin} {base64.b64encode(made).decode()}\n"


def read(note: str, keys: Mapping[str, VerifyKey], *, origin: str, site: str) -> Checkpoint:
    """Return the checkpoint if one of the site's ``keys`` signed it for this ``origin``.

    Other signatures on the note, of witnesses for instance, are left alone.

    Raises:
        CheckpointAltered: malformed, or the signature does not fit.
        CheckpointForeign: of another log, or by a key that is not among ``keys``.
    """
    checkpoint, signatures = _parts(note)
    if checkpoint.origin != origin:
        raise CheckpointForeign(size=checkpoint.size, site=site)
    by_hash = {_key_hash(origin, key): key for key in keys.values()}
    text = checkpoint.text().encode("utf-8")
    is_ours = False
    for name, made in signatures:
        key = by_hash.get(made[:_HASH_PART])
        if name == origin and key is not None and len(made) == _HASH_PART + _SIGNATURE_BYTES:
            is_ours = True
            if key.verifies(made[_HASH_PART:], text):
                return checkpoint
    if is_ours:
        raise CheckpointAltered(size=checkpoint.size, reason="the signature does not fit")
    raise CheckpointForeign(size=checkpoint.size, site=site)


def parse(note: str) -> Checkpoint:
    """Return what a note says, without asking who signed it."""
    return _parts(note)[0]


def _parts(note: str) -> tuple[Checkpoint, list[tuple[str, bytes]]]:
    text, gap, signed = note.partition("\n\n")
    lines = text.split("\n")
    if len(note) > _LARGEST or not gap or not signed.endswith("\n") or len(lines) != 3:  # noqa: PLR2004 - origin, size, root
        raise CheckpointAltered(size="?", reason="not in the form of a checkpoint")
    origin, size, encoded = lines
    root = _decoded(encoded)
    if not _ORIGIN.fullmatch(origin) or not _SIZE.fullmatch(size) or len(root) != HASH_BYTES:
        raise CheckpointAltered(size="?", reason="not in the form of a checkpoint")
    signatures = []
    for line in signed[:-1].split("\n"):
        found = _SIGNED.fullmatch(line)
        if not found:
            raise CheckpointAltered(size=int(size), reason="a signature line of another form")
        signatures.append((found[1], _decoded(found[2])))
    return Checkpoint(origin=origin, size=int(size), root=root), signatures


def _decoded(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error:
        data = b""
    if base64.b64encode(data).decode() != text:
        raise CheckpointAltered(size="?", reason="base64 of another form")
    return data


def _key_hash(name: str, key: VerifyKey) -> bytes:
    return sha256(name.encode("utf-8") + b"\n" + _ED25519 + key.raw).digest()[:_HASH_PART]
