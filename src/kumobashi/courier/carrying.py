"""What a permit lets out of this site, and the media that were written under it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

import sqlalchemy as sa

from kumobashi.courier.arrivals import Arrivals
from kumobashi.courier.book import Book
from kumobashi.courier.content import Papers, Said, fitting_receipts
from kumobashi.courier.errors import (
    CourierNotAllowed,
    MediaUsedUp,
    NothingToCarry,
)
from kumobashi.courier.index import Kind
from kumobashi.courier.permits import (
    MediumWritten,
    Permit,
    State,
    Wish,
    check_in_time,
    check_move,
    check_return,
)
from kumobashi.exchange.deeds import Deeds
from kumobashi.exchange.identity import Identity
from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.records import Outgoing
from kumobashi.exchange.states import is_under_way
from kumobashi.exchange.transfer_keys import TransferKeys
from kumobashi.kernel import business_date
from kumobashi.messages.manifest import Manifest, verify_manifest
from kumobashi.messages.parts import Part
from kumobashi.storage.spool import Spool

LongestDays = Callable[[str], int | None]  # by link: days until return, or nothing: no media
_RECEIPTS_LIVE: Final = timedelta(days=90)
_RECEIPTS_DAYS: Final = 31  # until the medium of receipts is back


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What is to be written on the next medium of a permit."""

    permit: Permit
    number: int
    label: str
    recipient: str
    expires: datetime
    papers: Papers | None = None  # of a bundle
    left: tuple[Part, ...] = ()  # its parts that are on no whole medium yet
    said: tuple[Said, ...] = ()  # of receipts
    begun: MediumWritten | None = field(default=None)  # that broke off


class Carrying:
    """The side that writes media."""

    def __init__(  # noqa: PLR0913 - what a site is made of
        self,
        *,
        identity: Identity,
        ledger: Ledger,
        spool: Spool,
        keys: TransferKeys,
        deeds: Deeds,
        book: Book,
        arrivals: Arrivals,
        longest_days: LongestDays,
        approved: Callable[[str], object],
    ) -> None:
        """Make it; ``approved`` raises unless the plan of a link is approved as it is now."""
        self._identity = identity
        self._ledger = ledger
        self._spool = spool
        self._keys = keys
        self._deeds = deeds
        self._book = book
        self._arrivals = arrivals
        self._longest_days = longest_days
        self._approved = approved

    def ask_for_bundle(self, transfer: str, wish: Wish) -> Permit:
        """Ask to carry out a transfer that is sealed and under way.

        Raises:
            NoSuchTransfer, CourierNotAllowed, NothingToCarry, ReturnTooLate: nothing was asked.
            ApprovalMissing, Drifted: that the link permits media was not approved.
            KeyGone: the key of the transfer was destroyed here, so nobody could open it.
        """
        row = self._ledger.outgoing(transfer)
        days = self.allowed(row.link)
        manifest, _ = self._sealed(row)
        self._check_return(wish.return_by, days)
        return self._book.ask(
            kind=Kind.BUNDLE,
            link=row.link,
            transfer=row.transfer,
            attempt=row.attempt,
            to_site=manifest.to_site,
            wish=wish,
        )

    def ask_for_receipts(self, to_site: str, wish: Wish) -> Permit:
        """Ask to carry back what this site has signed about bundles that media brought.

        Raises:
            NothingToCarry, ReturnTooLate: nothing was asked.
        """
        self._identity.at(to_site)
        self._receipts_for(to_site)
        self._check_return(wish.return_by, _RECEIPTS_DAYS)
        return self._book.ask(kind=Kind.RECEIPTS, to_site=to_site, wish=wish)

    def load(self, permit: str) -> Load:
        """Return what the next medium of a permit carries; nothing is noted yet.

        Raises:
            PermitUnknown, PermitMove, PermitOver, MediaUsedUp, CourierNotAllowed, NothingToCarry
            KeyGone: the key of the transfer was destroyed meanwhile.
        """
        found = self._book.get(permit)
        check_move(found, State.TAKEN)
        check_in_time(found, business_date(self._ledger.clock.now()))
        begun = next((one for one in found.media if not one.is_whole), None)
        number = begun.number if begun else len(found.media) + 1
        if number > len(found.labels):
            raise MediaUsedUp(count=len(found.labels))
        site = self._identity.at(found.to_site)
        if found.kind is Kind.RECEIPTS:
            if found.media and not begun:
                raise MediaUsedUp(count=len(found.media))
            return Load(
                permit=found,
                number=number,
                label=found.labels[number - 1],
                recipient=site.recipient,
                expires=self._ledger.clock.now() + _RECEIPTS_LIVE,
                said=tuple(self._receipts_for(found.to_site)),
                begun=begun,
            )
        row = self._ledger.outgoing(found.transfer or "")
        self.allowed(row.link)
        manifest, papers = self._sealed(row)
        if row.attempt != found.attempt:
            raise NothingToCarry(what_ja="許可のあとで封緘し直された", what="it was sealed anew")
        left = left_after(manifest.parts, found.media)
        if not left:
            raise NothingToCarry(what_ja="すべて書き終えている", what="all of it is written")
        return Load(
            permit=found,
            number=number,
            label=found.labels[number - 1],
            recipient=site.recipient,
            expires=manifest.expires,
            papers=papers,
            left=left,
            begun=begun,
        )

    def begin(
        self, permit: str, *, medium: str, first_part: int | None, last_part: int | None
    ) -> Permit:
        """Note that the next medium is about to be written.

        In the same commit a bundle counts as having left: nobody can cancel or pause it any more.

        Raises:
            Paused, IllegalMove: a person was faster; and as :meth:`load`: nothing may be written.
        """
        load = self.load(permit)
        written = MediumWritten(
            number=load.number,
            label=load.label,
            medium=medium,
            first_part=first_part,
            last_part=last_part,
            is_whole=False,
        )
        transfer = load.permit.transfer

        def leave(connection: sa.Connection) -> None:
            if transfer is not None:
                self._deeds.leave_on_medium(connection, transfer)

        return self._book.begin(load.permit.permit, written, also=leave)

    def allowed(self, link: str) -> int:
        """Return how many days media of a link may be away; raise ``CourierNotAllowed``."""
        days = self._longest_days(link)
        if days is None:
            raise CourierNotAllowed(link=link)
        self._approved(link)  # a line in a file is no decision
        return days

    def _sealed(self, row: Outgoing) -> tuple[Manifest, Papers]:
        if not row.manifest or not is_under_way(row.state):
            raise NothingToCarry(
                what_ja=f"転送は「{row.state.value}」", what=f"the transfer is {row.state.value}"
            )
        mine = self._identity.keys_of(self._identity.site)
        manifest = verify_manifest(row.manifest, mine)
        manifest.refuse_expired(self._ledger.clock.now())
        held = {f"sha256:{hex_}" for hex_ in self._spool.held(row.transfer, row.attempt)}
        if any(part.digest not in held for part in manifest.parts):
            raise NothingToCarry(what_ja="分割片が手元にない", what="its parts are not here")
        key = self._keys.sent(row.transfer, row.attempt) if manifest.key else None
        return manifest, Papers(manifest=row.manifest, key=key)

    def _receipts_for(self, to_site: str) -> Sequence[Said]:
        said = [
            Said(transfer=transfer, attempt=attempt, receipts=tuple(tokens))
            for transfer, attempt in self._arrivals.brought_from(to_site)
            if (tokens := self._ledger.receipts(transfer, attempt, "in"))
        ]
        if not said:
            raise NothingToCarry(
                what_ja="このサイトから媒体で届いた転送がない", what="no medium came from that site"
            )
        return fitting_receipts(said)

    def _check_return(self, return_by: date, days: int) -> None:
        today = business_date(self._ledger.clock.now())
        check_return(return_by, first=today, last=today + timedelta(days=days))


def left_after(parts: Sequence[Part], media: Sequence[MediumWritten]) -> tuple[Part, ...]:
    """Return the parts that are on no whole medium; pure."""
    written: Mapping[int, bool] = {
        number: True
        for one in media
        if one.is_whole and one.first_part and one.last_part
        for number in range(one.first_part, one.last_part + 1)
    }
    return tuple(part for part in parts if part.number not in written)
