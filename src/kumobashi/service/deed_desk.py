"""The console's port for deeds: what could be done about a link now, and doing it by name."""

from contextlib import suppress

from kumobashi.console.ports import LinkDeed, Possible
from kumobashi.exchange.deeds import Deed, may_be_taken_back
from kumobashi.exchange.errors import NoSuchTransfer, NothingToResend
from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.noting import account
from kumobashi.exchange.records import Outgoing
from kumobashi.exchange.states import OUT_FINAL
from kumobashi.kernel import from_micros
from kumobashi.service.endpoint import Endpoint


class DeedDesk:
    """Looks into the ledger and lets the endpoint do it; whatever refuses, refuses there."""

    def __init__(self, ledger: Ledger, endpoint: Endpoint) -> None:
        self._ledger = ledger
        self._endpoint = endpoint

    def possible(self, link: str, transfer: str | None) -> Possible:
        """Return what could be done now about a link and one of its transfers."""
        paused = self._endpoint.deeds.paused_links().get(link)
        deeds = [LinkDeed.PAUSE if paused is None else LinkDeed.RESUME]
        newest = next(iter(self._ledger.outgoings(link, limit=1)), None)
        if newest and transfer:
            deeds += self._about(self._of(link, transfer), newest)
        return Possible(
            deeds=tuple(deeds),
            paused=None if paused is None else from_micros(paused),
            newest=newest.transfer if newest else "",
        )

    async def do(self, deed: LinkDeed, link: str, transfer: str, *, by: str) -> None:
        """Do it; the evidence names the account.

        Raises:
            LinkUnknown, NoSuchTransfer, HasLeft, IllegalMove, NothingToResend, PlanRefused …
        """
        name = account(by)
        match deed:
            case LinkDeed.PAUSE | LinkDeed.RESUME:
                is_paused = deed is LinkDeed.PAUSE
                await self._endpoint.pause_link(link, paused=is_paused, by=name)
            case LinkDeed.CANCEL:
                row = self._of(link, transfer)
                await self._endpoint.do(Deed.CANCEL, row.transfer, by=name)
            case LinkDeed.RESEND | LinkDeed.RESEND_REJECTED:
                row = self._of(link, transfer)
                rejected = deed is LinkDeed.RESEND_REJECTED
                await self._endpoint.resend(row.transfer, rejected_only=rejected, by=name)

    def _about(self, row: Outgoing, newest: Outgoing) -> list[LinkDeed]:
        if may_be_taken_back(row):
            return [LinkDeed.CANCEL]
        if row.state not in OUT_FINAL or newest.state not in OUT_FINAL:
            return []  # it has left, or a later one is under way
        deeds = [LinkDeed.RESEND]
        with suppress(NothingToResend):
            self._endpoint.refuse_to_resend(row)
            deeds.append(LinkDeed.RESEND_REJECTED)
        return deeds

    def _of(self, link: str, transfer: str) -> Outgoing:
        row = self._ledger.outgoing(transfer)
        if row.link != link:
            raise NoSuchTransfer(transfer=transfer)
        return row
