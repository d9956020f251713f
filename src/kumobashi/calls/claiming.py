"""A call is taken by one process of a site, where several share one state.

Each process remembers what it has seen (``taking``). Whoever recorded a call could hand it to
another process of the same site, and a line that broke may lead to another one the second time. So
each claims a call in the shared state before anything is done with it. Calls that come at once
share a commit. A claim is kept for as long as a signature may count.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

import sqlalchemy as sa

from kumobashi.calls.header import CallHeader
from kumobashi.crypto.errors import SignatureReplayed
from kumobashi.crypto.message_signatures import CLOCK_SKEW, WINDOW
from kumobashi.kernel import Clock, to_micros
from kumobashi.storage.state import StateStore

_KEPT: Final = WINDOW + 2 * CLOCK_SKEW
_FORGET_EVERY: Final = timedelta(minutes=1)
taken_calls: Final = sa.Table(
    "taken_calls",
    sa.MetaData(),
    sa.Column("tenant", sa.String(6), primary_key=True),
    sa.Column("asking_site", sa.String(63), primary_key=True),
    sa.Column("call", sa.String(36), primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False),
)
_CLAIM: Final = sa.text(
    "insert into taken_calls (tenant, asking_site, call, at)"
    " values (:tenant, :asking_site, :call, :at) on conflict do nothing"
)


@dataclass
class Claims:
    """The claims of one process; belongs to one event loop."""

    store: StateStore
    clock: Clock
    _forgotten: int = field(default=0, init=False)  # microseconds: what is older is gone

    async def claim(self, header: CallHeader) -> None:
        """Claim a call for this process; it is durable when this returns.

        Raises:
            SignatureReplayed: another process of this site has taken it.
            StorageFailed: the state cannot be asked; the call must not go on.
        """
        now = self.clock.now()
        row = {
            "tenant": header.tenant,
            "asking_site": header.asking_site,
            "call": header.call,
            "at": to_micros(now),
        }
        self._forget(header.tenant, to_micros(now - _KEPT))
        if not await asyncio.wrap_future(self.store.submit(lambda held: _claimed(held, row))):
            raise SignatureReplayed

    def _forget(self, tenant: str, before: int) -> None:
        """Let claims go whose calls are refused by their age; nobody waits for it."""
        if before - self._forgotten < _FORGET_EVERY / timedelta(microseconds=1):
            return
        self._forgotten = before
        old = sa.delete(taken_calls).where(
            taken_calls.c.tenant == tenant, taken_calls.c.at < before
        )
        self.store.submit(lambda held: held.execute(old).rowcount)


def _claimed(held: sa.Connection, row: dict[str, object]) -> bool:
    return held.execute(_CLAIM, row).rowcount == 1
