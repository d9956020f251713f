"""What a gateway knew of its peers when it ended, so that a restart is no reason for a storm."""

import logging
from typing import TYPE_CHECKING

import sqlalchemy as sa

from kumobashi.exchange.health import Health
from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.sql import peer_health
from kumobashi.kernel import from_micros, to_micros

if TYPE_CHECKING:
    from concurrent.futures import Future

log = logging.getLogger(__name__)


class PeerMemory:
    """The records of peers in the state; written when one goes down, is probed or comes back."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def known(self) -> dict[str, tuple[Health, int | None]]:
        """Return health and learned part size by site."""
        query = sa.select(peer_health).where(peer_health.c.tenant == self._ledger.tenant)
        rows = self._ledger.store.read(lambda held: held.execute(query).all())
        return {
            row.site: (
                Health(
                    failures=row.failures,
                    since=from_micros(row.since) if row.since is not None else None,
                    failed_at=from_micros(row.failed_at) if row.failed_at is not None else None,
                    ask_at=from_micros(row.ask_at) if row.ask_at is not None else None,
                    cause=row.cause,
                ),
                row.part_bytes,
            )
            for row in rows
        }

    def keep(self, site: str, health: Health, part_bytes: int | None) -> None:
        """Write a record; nobody waits for it, for nothing is lost when it is missing."""
        key = {"tenant": self._ledger.tenant, "site": site}
        values = {
            "failures": health.failures,
            "since": to_micros(health.since) if health.since else None,
            "failed_at": to_micros(health.failed_at) if health.failed_at else None,
            "ask_at": to_micros(health.ask_at) if health.ask_at else None,
            "cause": dict(health.cause) if health.cause else None,
            "part_bytes": part_bytes,
        }

        def work(held: sa.Connection) -> None:
            mine = sa.and_(*(peer_health.c[name] == value for name, value in key.items()))
            if not held.execute(sa.update(peer_health).where(mine).values(values)).rowcount:
                held.execute(sa.insert(peer_health).values({**key, **values}))

        self._ledger.store.submit(work).add_done_callback(_tell)


def _tell(written: "Future[None]") -> None:
    if error := written.exception():
        log.warning("a peer's record was not kept", extra={"code": type(error).__name__})
