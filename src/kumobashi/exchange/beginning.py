"""Begin a transfer: for a person who runs a link, and for a link whose gate let nothing leave."""

import logging

from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.orders import Order, Orders
from kumobashi.exchange.ranks import RANKS
from kumobashi.exchange.records import Outgoing
from kumobashi.kernel import KumobashiError

log = logging.getLogger(__name__)
FALLBACK = "fallback"  # a fact: which link stepped in, and its transfer, or why it could not


def begin(
    ledger: Ledger, order: Order, business_date: str, *, again: bool = False, full: bool = False
) -> tuple[Outgoing, bool]:
    """Return the run of a link for a business date, and whether it is new.

    A run that is under way or done is returned as it is, so beginning twice does no harm.

    Raises:
        NotCovered, AgreementUnknown, AgreementForged: no agreement in force lets it begin.
    """
    return ledger.start(
        order.link,
        business_date,
        mode="full" if full else order.mode,
        plan_hash=order.plan_hash,
        basis=order.basis,
        again=again,
        to_site=order.to_site,
        rank=RANKS[order.priority],
        in_order=order.is_in_order,
        needed=order.needed,
    )


def fall_back(ledger: Ledger, row: Outgoing, orders: Orders, link: str) -> None:
    """Begin the predicate-only link that stands in for what the gate refused, and note it.

    Without an approval of its own it does not run either: then the code of that stands there.
    """
    try:
        other, _ = begin(ledger, orders(link), row.business_date)
        said = {"link": link, "transfer": other.transfer}
    except KumobashiError as error:
        log.warning("fallback did not begin", extra={"code": error.code, "link": link})
        said = {"link": link, "code": error.code}
    ledger.move_out(row.transfer, None, facts={FALLBACK: said})
