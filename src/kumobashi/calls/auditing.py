"""Check journals against the evidence log: every line and its signer, by public keys alone."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kumobashi.calls.errors import CallFailed, JournalTouched
from kumobashi.calls.journal import EVENT
from kumobashi.calls.signing import verify_kept
from kumobashi.crypto.errors import CryptoFailed
from kumobashi.directory.entries import Directory
from kumobashi.evidence.merkle import Frontier, leaf_hash

SIGNATURES = 10_000  # checked one by one, unless all are asked for


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalAudit:
    """What came out; ``failure`` is the first thing that is wrong."""

    journals: int
    records: int
    signatures: int  # of them, checked one by one
    waiting: int  # on the disk, and not in the log yet
    failure: JournalTouched | None

    @property
    def is_sound(self) -> bool:
        """Whether nothing was touched."""
        return self.failure is None


def audit_journals(
    folder: Path,
    bodies: Iterable[bytes],
    directory: Directory,
    *,
    every_signature: bool = False,
) -> JournalAudit:
    """Check the journals in ``folder``; ``bodies`` are the records of the evidence log."""
    leaves: dict[str, list[Mapping[str, Any]]] = {}
    for body in bodies:
        if EVENT.encode() in body and (said := json.loads(body)).get("event") == EVENT:
            leaves.setdefault(str(said["journal"]), []).append(said)
    checking = _Checking(directory, most=None if every_signature else SIGNATURES)
    records = waiting = 0
    failure: JournalTouched | None = None
    files = {path.name.split(".")[0]: path for path in sorted(folder.glob("*.jsonl"))}
    for journal in sorted(leaves.keys() | files.keys()):
        lines = files[journal].read_bytes().splitlines() if journal in files else []
        try:
            covered = _covered(journal, leaves.get(journal, []), lines, checking)
        except JournalTouched as touched:
            failure = touched
            break
        records += covered
        waiting += len(lines) - covered
    return JournalAudit(
        journals=len(leaves.keys() | files.keys()),
        records=records,
        signatures=checking.done,
        waiting=waiting,
        failure=failure,
    )


class _Checking:
    """Checks the signatures of records, as many as are wished."""

    def __init__(self, directory: Directory, *, most: int | None) -> None:
        self._directory = directory
        self._most = most
        self.done = 0

    def __call__(self, line: bytes) -> bool:
        """Whether the record was signed by the site that it names."""
        said = json.loads(line)
        if said["event"] == "call.refused" or (self._most is not None and self.done >= self._most):
            return True
        self.done += 1
        return verify_kept(said, self._directory)


def _covered(
    journal: str, leaves: list[Mapping[str, Any]], lines: list[bytes], checking: _Checking
) -> int:
    """Return up to which line the leaves reach, all of them being as they were."""
    reached = 0
    for leaf in sorted(leaves, key=lambda said: int(said["number"])):
        first, size = int(leaf["number"]), int(leaf["size"])
        held = lines[first : first + size]
        tree = Frontier()
        for line in held:
            tree.add(leaf_hash(line))
        if len(held) < size or f"sha256:{tree.root().hex()}" != leaf["root"]:
            raise JournalTouched(journal=journal, first=first, last=first + size - 1)
        for number, line in enumerate(held, first):
            try:
                is_signed = checking(line)
            except (CallFailed, CryptoFailed, ValueError, KeyError):
                is_signed = False
            if not is_signed:
                raise JournalTouched(journal=journal, first=number, last=number)
        reached = max(reached, first + size)
    return reached
