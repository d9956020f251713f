"""The deletions that receivers have proved, as their sender keeps them."""

from dataclasses import dataclass

import sqlalchemy as sa

from kumobashi.exchange.holding_tables import holdings
from kumobashi.exchange.holdings import Keeping
from kumobashi.exchange.keeping import OUT
from kumobashi.exchange.sql import receipts
from kumobashi.messages.receipts import Stage
from kumobashi.storage.state import StateStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Proved:
    """One deletion that a receiver has proved."""

    transfer: str
    deleted_at: int  # when the proof came here; microseconds
    receipt: str  # JWS


class Proofs:
    """What receivers of one site's data have proved."""

    def __init__(self, store: StateStore, tenant: str) -> None:
        self._store = store
        self._mine = sa.and_(
            holdings.c.tenant == tenant,
            holdings.c.side == OUT,
            holdings.c.state == Keeping.DELETED.value,
        )

    def receivers(self) -> list[str]:
        """Return the sites that have deleted something of what this site sent."""
        query = sa.select(holdings.c.to_site).where(self._mine).distinct()
        return self._store.read(lambda held: sorted(held.execute(query).scalars()))

    def proved(self, site: str, *, before: Proved | None, limit: int) -> list[Proved]:
        """Return what a receiver has deleted, the newest first, behind ``before``."""
        query = (
            sa.select(holdings.c.transfer, holdings.c.deleted_at, receipts.c.jws)
            .join(
                receipts,
                sa.and_(
                    receipts.c.tenant == holdings.c.tenant,
                    receipts.c.transfer == holdings.c.transfer,
                    receipts.c.attempt == holdings.c.attempt,
                    receipts.c.side == holdings.c.side,
                    receipts.c.stage == Stage.DELETED.value,
                ),
            )
            .where(self._mine, holdings.c.to_site == site)
            .order_by(holdings.c.deleted_at.desc(), holdings.c.transfer.desc())
            .limit(limit)
        )
        if before:
            place = sa.tuple_(holdings.c.deleted_at, holdings.c.transfer)
            query = query.where(place < (before.deleted_at, before.transfer))
        rows = self._store.read(lambda held: held.execute(query).all())
        return [Proved(transfer=t, deleted_at=at, receipt=jws) for t, at, jws in rows]
