"""The courier of one site put together, and who may ask for and give a permit."""

from typing import TYPE_CHECKING

from kumobashi.courier.arrivals import Arrivals
from kumobashi.courier.arriving import Arriving
from kumobashi.courier.book import Book
from kumobashi.courier.carrying import Carrying
from kumobashi.courier.errors import AccountsMissing
from kumobashi.courier.settling import Settling
from kumobashi.exchange.differences import Snapshots
from kumobashi.exchange.views import OverdueMedia
from kumobashi.identity import Accounts, Deed
from kumobashi.identity.sessions import Sessions
from kumobashi.service.endpoint import Endpoint
from kumobashi.storage.spool import Spool

if TYPE_CHECKING:
    from kumobashi.service.gateway import Gateway


def overdue_media(gateway: "Gateway") -> tuple[OverdueMedia, ...]:
    """Return the media of this site that should be back by now."""
    return tuple(
        OverdueMedia(
            permit=one.permit,
            labels=tuple(medium.label for medium in one.media),
            to_site=one.to_site,
            return_by=one.return_by,
        )
        for one in _book(gateway).overdue()
    )


class CourierDesk:
    """What the local API can do with permits and media."""

    def __init__(self, gateway: "Gateway", endpoint: Endpoint, accounts: Accounts) -> None:
        identity, ledger = gateway.identity, gateway.ledger
        var = gateway.settings.workspace / "var" / identity.site
        outbox = Spool(var / "spool" / "out")
        self.book = _book(gateway)
        arrivals = Arrivals(gateway.store, tenant=identity.tenant, clock=gateway.clock)

        def longest_days(link: str) -> int | None:
            declared = endpoint.wiring.workspace().links.get(link)
            return declared.courier.longest_days if declared and declared.courier else None

        self.carrying = Carrying(
            identity=identity,
            ledger=ledger,
            spool=outbox,
            keys=gateway.keys,
            deeds=endpoint.deeds,
            book=self.book,
            arrivals=arrivals,
            longest_days=longest_days,
            approved=endpoint.wiring.order,
        )
        self.settling = Settling(
            identity=identity,
            ledger=ledger,
            peers=gateway.peers,
            book=self.book,
            arrivals=arrivals,
            spool=outbox,
            snapshots=Snapshots(var / "snapshots", gateway.keys),
            keys=gateway.keys,
            requester=endpoint.requester,
        )
        self.arriving = Arriving(
            identity=identity,
            inbox=gateway.inbox,
            arrivals=arrivals,
            settling=self.settling,
            longest_days=longest_days,
            room=var,
            clock=gateway.clock,
        )
        self.clock = gateway.clock
        self._accounts = accounts
        self._sessions = Sessions(accounts)
        self._site = identity.site

    def person(self, name: str, password: str, code: str, deed: Deed) -> str:
        """Return the account of somebody who has just shown who they are, and may do it.

        Raises:
            AccountsMissing: nobody has an account at this site.
            SignInRefused, LockedOut, NotPermitted
        """
        if self._accounts.is_empty:
            raise AccountsMissing(site=self._site)
        value = self._sessions.sign_in(name, password, code)
        try:
            session = self._sessions.find(value)
            if session is None:  # it was opened a moment ago
                raise AccountsMissing(site=self._site)
            session.check_may(deed)
            return session.account.name
        finally:
            self._sessions.end(value)


def _book(gateway: "Gateway") -> Book:
    identity = gateway.identity
    return Book(gateway.store, tenant=identity.tenant, site=identity.site, clock=gateway.clock)
