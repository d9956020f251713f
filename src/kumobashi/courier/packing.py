"""Decide what one medium carries, and draft its index: pure but for their length."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from kumobashi.courier.content import (
    Papers,
    Said,
    bundle_bytes,
    fitting_parts,
    receipts_bytes,
    write_bundle_content,
    write_receipts_content,
)
from kumobashi.courier.index import Index, Kind
from kumobashi.courier.writing import Draft
from kumobashi.crypto.canonical import canonical, digest
from kumobashi.messages.parts import OpenPart, Part


@dataclass(frozen=True, slots=True, kw_only=True)
class Consignment:
    """What all media of a permit have in common."""

    permit: str
    tenant: str
    from_site: str
    to_site: str
    recipient: str
    created: datetime
    expires: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A bundle that is ready to be carried."""

    transfer: str
    attempt: int
    secret: bytes
    papers: Papers
    open_part: OpenPart


def draft_bundle(
    consignment: Consignment, sealed: Sealed, *, medium: str, number: int, parts: Sequence[Part]
) -> Draft:
    """Return what goes on a medium with these parts."""
    index = _index(
        consignment,
        medium=medium,
        number=number,
        kind=Kind.BUNDLE,
        sealed=sealed,
        content_bytes=bundle_bytes(sealed.papers, parts),
    )
    numbers = [part.number for part in parts]
    return Draft(
        index=index,
        binding=digest(canonical([sealed.transfer, sealed.attempt, numbers])),
        recipient=consignment.recipient,
        write=partial(
            write_bundle_content,
            papers=sealed.papers,
            parts=parts,
            open_part=sealed.open_part,
        ),
    )


def draft_receipts(
    consignment: Consignment, said: Sequence[Said], *, medium: str, number: int
) -> Draft:
    """Return what goes on a medium of receipts."""
    index = _index(
        consignment,
        medium=medium,
        number=number,
        kind=Kind.RECEIPTS,
        sealed=None,
        content_bytes=receipts_bytes(said),
    )
    return Draft(
        index=index,
        binding=digest(canonical([list(one.receipts) for one in said])),
        recipient=consignment.recipient,
        write=partial(write_receipts_content, said=said),
    )


def parts_for(
    papers: Papers,
    left: Sequence[Part],
    *,
    room_bytes: int,
    begun: tuple[int, int] | None,
) -> Sequence[Part]:
    """Return the parts for the next medium: those it was begun with, or as many as fit.

    Raises:
        MediumTooSmall: not even one fits.
    """
    if begun:
        first, last = begun
        return [part for part in left if first <= part.number <= last]
    return fitting_parts(papers, left, room_bytes)


def _index(
    consignment: Consignment,
    *,
    medium: str,
    number: int,
    kind: Kind,
    sealed: Sealed | None,
    content_bytes: int,
) -> Index:
    return Index(
        medium=medium,
        permit=consignment.permit,
        kind=kind,
        number=number,
        tenant=consignment.tenant,
        from_site=consignment.from_site,
        to_site=consignment.to_site,
        transfer=sealed.transfer if sealed else None,
        attempt=sealed.attempt if sealed else None,
        secret=sealed.secret if sealed else None,
        content_bytes=content_bytes,
        files=(),
        created=consignment.created,
        expires=consignment.expires,
    )
