"""Check a site's evidence: a file on another machine, or the site's own state; with public keys.

The order is that of trust: the directory by the one key that the auditor brings, the checkpoints by
the directory's keys, the records by the checkpoints, the receipts by the records that name them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kumobashi.crypto import base64url
from kumobashi.crypto.keys import VerifyKey
from kumobashi.directory import document
from kumobashi.directory.entries import Directory
from kumobashi.evidence import checkpoints
from kumobashi.evidence.checkpoints import Checkpoint, origin_of
from kumobashi.evidence.errors import (
    CheckpointAltered,
    CheckpointForeign,
    ExportUnreadable,
    NothingSigned,
    ProofWrong,
    RecordAltered,
    RecordRemoved,
    Touched,
)
from kumobashi.evidence.files import SELECTED, EvidenceFile, Line
from kumobashi.evidence.log import Stored
from kumobashi.evidence.merkle import leaf_hash, root_of_inclusion
from kumobashi.evidence.walking import Signed, walk
from kumobashi.exchange.receipt_checks import InOrder, NextReceipt, Receipts, read_fields
from kumobashi.kernel import KumobashiError, from_wire

_BEFORE_ALL_TIME = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What this site saw of another's log."""

    site: str
    size: int
    verdict: str
    is_signed: bool  # whether the other's signature holds


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What a check came to; ``failure`` is the first thing that is wrong."""

    site: str
    kind: str
    directory_version: int
    records: int  # that were checked
    signed: int  # the size of the largest checkpoint that they lead to
    checkpoints: int
    waiting: int  # committed and without a number yet, or numbered and not signed yet
    first_at: datetime | None
    last_at: datetime | None
    receipts: int
    receipt_signatures: int  # how many of them were checked one by one
    compared_with: tuple[str, ...]  # sites whose view of this log was taken into account
    witnessed: tuple[Seen, ...]
    unknown_keys: int  # older checkpoints whose key the directory no longer has
    failure: KumobashiError | None

    @property
    def is_sound(self) -> bool:
        """Whether nothing was touched."""
        return self.failure is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What there is to check, wherever it comes from."""

    site: str
    tenant: str
    directory: Directory
    notes: Sequence[str]  # the smallest size first
    witnessed: Sequence[Line]
    records: Iterable[Stored]
    receipt_for: NextReceipt
    every_signature: bool
    waiting: int = 0


def trusted_directory(token: str, trusted: VerifyKey) -> Directory:
    """Return the directory of an evidence file or a bundle; its end does not matter afterwards.

    Raises:
        DirectoryFailed: not signed by the key that the auditor trusts, or unreadable.
    """
    return document.read(token, trusted=trusted, now=_BEFORE_ALL_TIME)


def audit_file(
    path: Path,
    trusted: VerifyKey,
    *,
    against: Sequence[Path] = (),
    every_signature: bool = False,
) -> Audit:
    """Check an evidence file; ``against`` are files of other sites, which saw this one's log.

    Raises:
        ExportUnreadable, ArchiveUnfit, DirectoryFailed: there is nothing to check.
    """
    file = EvidenceFile(path)
    header = file.header
    directory = trusted_directory(file.directory, trusted)
    if directory.municipality.code != header.tenant or header.site not in directory.sites:
        raise ExportUnreadable(reason="the directory is of another municipality or lacks the site")
    if header.origin != origin_of(header.tenant, header.site):
        raise ExportUnreadable(reason="origin")
    receipts = InOrder(file.receipts())
    evidence = Evidence(
        site=header.site,
        tenant=header.tenant,
        directory=directory,
        notes=[str(line.get("note")) for line in file.signed],
        witnessed=file.witnessed,
        records=() if header.kind == SELECTED else file.records(),
        receipt_for=receipts,
        every_signature=every_signature,
    )
    if header.kind == SELECTED:
        return _audit_selection(file, evidence)
    others = [_views(other, header.site, trusted) for other in against]
    return audit(evidence, others)


def audit(evidence: Evidence, others: Sequence[tuple[str, Sequence[str]]] = ()) -> Audit:
    """Check a whole log; ``others`` are sites with the checkpoints of this log that they keep."""
    reading = _receipts(evidence)
    seen = _seen(evidence)
    try:
        own, unknown = _signed(evidence)
        kept = [
            Signed(checkpoint=_read(note, evidence), held_by=site)
            for site, notes in others
            for note in notes
        ]
    except Touched as failure:
        return _audit(evidence, reading, seen, others, failure=failure)
    walked = walk(
        evidence.records,
        [*(Signed(checkpoint=one) for one in own), *kept],
        site=evidence.site,
        on_record=reading,
    )
    return _audit(
        evidence,
        reading,
        seen,
        others,
        failure=walked.touched,
        records=walked.records,
        signed=walked.signed,
        unknown=unknown,
        first=walked.first,
        last=walked.last,
    )


def _audit_selection(file: EvidenceFile, evidence: Evidence) -> Audit:
    """Check each record of a selection by its proof."""
    reading, seen = _receipts(evidence), _seen(evidence)
    count, first, last = 0, None, None
    failure: KumobashiError | None = None
    size = 0
    before = -1
    try:
        own, _ = _signed(evidence)
        newest = own[-1]
        for number, proof, body in file.proved():
            if failure := _proved(number, proof, body, after=before, newest=newest):
                break
            if b'"receipt"' in body and (failure := reading(number, body)):
                break
            first, last, before, count = first or body, body, number, count + 1
        else:
            size = newest.size
            if count != file.header.records:
                failure = RecordRemoved(number=before + 1)
    except Touched as raised:
        failure = raised
    return _audit(
        evidence,
        reading,
        seen,
        (),
        kind=SELECTED,
        failure=failure,
        records=count,
        signed=size,
        first=first,
        last=last,
    )


def _receipts(evidence: Evidence) -> Receipts:
    return Receipts(
        evidence.directory, evidence.receipt_for, every_signature=evidence.every_signature
    )


def _proved(
    number: int, proof: Sequence[bytes], body: bytes, *, after: int, newest: Checkpoint
) -> KumobashiError | None:
    if number <= after:  # twice, or in another order
        return ProofWrong(number=number, size=newest.size)
    try:
        found = root_of_inclusion(leaf_hash(body), number, newest.size, proof)
    except ProofWrong as wrong:
        return wrong
    return None if found == newest.root else RecordAltered(number=number)


def _audit(  # noqa: PLR0913 - one place where all that was found comes together
    evidence: Evidence,
    reading: Receipts,
    seen: Sequence[Seen],
    others: Sequence[tuple[str, Sequence[str]]],
    *,
    failure: KumobashiError | None,
    kind: str = "whole",
    records: int = 0,
    signed: int = 0,
    unknown: int = 0,
    first: bytes | None = None,
    last: bytes | None = None,
) -> Audit:
    forged = next((one for one in seen if not one.is_signed), None)
    if failure is None and forged:
        failure = CheckpointForeign(size=forged.size, site=forged.site)
    return Audit(
        site=evidence.site,
        kind=kind,
        directory_version=evidence.directory.version,
        records=records,
        signed=signed,
        checkpoints=len(evidence.notes),
        waiting=evidence.waiting + (max(0, records - signed) if kind == "whole" else 0),
        first_at=_at(first),
        last_at=_at(last),
        receipts=reading.count,
        receipt_signatures=reading.checked,
        compared_with=tuple(site for site, _ in others),
        witnessed=tuple(seen),
        unknown_keys=unknown,
        failure=failure,
    )


def _signed(evidence: Evidence) -> tuple[list[Checkpoint], int]:
    """Return the checkpoints, and how many old ones carry a key that is no longer known.

    The newest must be signed with a key of the site, for the records are believed on its word;
    older ones are bound by it, so that a key may go out of use.
    """
    if not evidence.notes:
        raise NothingSigned(site=evidence.site)
    found, unknown = [_read(evidence.notes[-1], evidence)], 0
    for note in reversed(evidence.notes[:-1]):
        try:
            checkpoint = _read(note, evidence)
        except CheckpointForeign:
            checkpoint = checkpoints.parse(note)
            if checkpoint.origin != origin_of(evidence.tenant, evidence.site):
                raise
            unknown += 1
        if checkpoint.size >= found[-1].size:
            raise CheckpointAltered(size=checkpoint.size, reason="not in order")
        found.append(checkpoint)
    return found[::-1], unknown


def _read(note: str, evidence: Evidence) -> Checkpoint:
    return checkpoints.read(
        note,
        evidence.directory.keys_of(evidence.site),
        origin=origin_of(evidence.tenant, evidence.site),
        site=evidence.site,
    )


def _seen(evidence: Evidence) -> list[Seen]:
    """Return what this site saw of others' logs, and whether they really signed it."""
    found = []
    for line in evidence.witnessed:
        site, verdict, note = (str(line.get(name)) for name in ("site", "verdict", "note"))
        try:
            size = checkpoints.read(
                note,
                evidence.directory.keys_of(site),
                origin=origin_of(evidence.tenant, site),
                site=site,
            ).size
        except KumobashiError:
            found.append(Seen(site=site, size=0, verdict=verdict, is_signed=False))
        else:
            found.append(Seen(site=site, size=size, verdict=verdict, is_signed=True))
    return found


def _views(path: Path, site: str, trusted: VerifyKey) -> tuple[str, list[str]]:
    """Return which checkpoints of ``site`` the evidence file of another one holds.

    Some it kept for themselves, some came inside receipts; what they are worth, their own
    signatures say.
    """
    other = EvidenceFile(path)
    trusted_directory(other.directory, trusted)
    notes = {str(line.get("note")) for line in other.witnessed if line.get("site") == site}
    for _, token in other.receipts():
        said = _inside(token)
        if said.get("site") == site and isinstance(said.get("checkpoint"), str):
            notes.add(said["checkpoint"])
    return other.header.site, sorted(notes)


def _inside(token: str) -> dict[str, Any]:
    """Return what a signed receipt says, without asking whether the signature holds."""
    try:
        return dict(read_fields(base64url.decode(token.split(".")[1])))
    except (IndexError, ValueError):
        return {}


def _at(body: bytes | None) -> datetime | None:
    try:
        return from_wire(str(read_fields(body or b"").get("at")))
    except ValueError:
        return None
