"""What a gateway remembers of transfers: its outbox, its inbox and the receipts of both."""

from kumobashi.exchange.arrivals import Arrivals
from kumobashi.exchange.outbox import Outbox


class Ledger(Outbox, Arrivals):
    """Both halves over one store: a relay has only arrivals, a receiver may also send."""
