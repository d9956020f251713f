"""Notice a receiver that was restored from a backup, and send it what it has lost.

From time to time the sender shows each receiver the last receipts it has of it, through the same
relays as everything else. What the receiver signed and does not hold any more, it has lost. Then:

- a transfer that was still on its way ends as refused, with the cause;
- the link is run again for the same date, in full, as a new transfer that people see. Whether its
  rows go in is for the target to say, which may have been restored as well or not (0008).
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable

from kumobashi.exchange.errors import PeerRefused, PeerUnreachable, ReceiverRestored
from kumobashi.exchange.identity import Identity
from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.peers import Answer, Peers
from kumobashi.exchange.records import Outgoing
from kumobashi.exchange.states import OUT_FINAL, Out
from kumobashi.exchange.waiting import as_known, cause_of
from kumobashi.kernel import to_wire
from kumobashi.messages.manifest import verify_manifest
from kumobashi.messages.recall import MOST_RECEIPTS, Recall

log = logging.getLogger(__name__)
Again = Callable[[Outgoing], Awaitable[None]]  # runs the link of a transfer once more, in full
_NOT_UNDERSTOOD = {"http.404", "http.405"}  # an older release


class Recalling:
    """Asks the receivers of one site's transfers."""

    def __init__(
        self, identity: Identity, ledger: Ledger, peers: Peers, again: Again, *, seconds: float
    ) -> None:
        self._identity = identity
        self._ledger = ledger
        self._peers = peers
        self._again = again
        self._seconds = seconds

    async def run(self) -> None:
        """Ask at the start and then every so often, for ever."""
        while True:
            try:
                await self.ask()
            except Exception as raised:  # noqa: BLE001 - asking must not end with one failure
                log.warning("receivers were not asked", extra={"code": as_known(raised).code})
            await asyncio.sleep(self._seconds)

    async def ask(self) -> list[str]:
        """Ask every receiver about the newest that it confirmed; return what it had lost."""
        by_site: defaultdict[str, dict[str, Outgoing]] = defaultdict(dict)
        for row, token in await asyncio.to_thread(self._confirmed):
            by_site[self._receiver(row)][token] = row
        lost = []
        for site, shown in by_site.items():
            tokens = list(shown)
            for start in range(0, len(tokens), MOST_RECEIPTS):
                some = tokens[start : start + MOST_RECEIPTS]
                for row in await self._ask(site, {token: shown[token] for token in some}):
                    if await asyncio.to_thread(self._note, row, site):
                        lost.append(row.transfer)
                        await self._again(row)
        return lost

    def _confirmed(self) -> list[tuple[Outgoing, str]]:
        """Return the newest applied transfer of each link, and all that have a receipt."""
        found = []
        for row in self._ledger.newest_confirmed():
            held = self._ledger.receipts(row.transfer, row.attempt, "out")
            if held and "lost" not in row.facts and row.manifest:
                found.append((row, held[-1]))
        return found

    def _receiver(self, row: Outgoing) -> str:
        mine = {self._identity.signing.kid: self._identity.signing.public}
        return verify_manifest(row.manifest or "", mine).to_site

    async def _ask(self, site: str, shown: dict[str, Outgoing]) -> list[Outgoing]:
        recall = Recall(
            tenant=self._identity.tenant,
            from_site=self._identity.site,
            to_site=site,
            receipts=tuple(shown),
        )
        try:
            answer = await self._peers.recall(self._identity.next_hop(site), recall)
        except PeerUnreachable:
            return []  # it is asked again; whoever sends to it says that it is away
        except PeerRefused as refused:
            if refused.peer_code in _NOT_UNDERSTOOD:
                return []
            raise
        gone = {(str(one.get("transfer")), one.get("attempt")) for one in _lost(answer)}
        return [row for row in shown.values() if (row.transfer, row.attempt) in gone]

    def _note(self, row: Outgoing, site: str) -> bool:
        """Note what was lost, once; end what was still on its way. Return whether it is new."""
        now = self._ledger.clock.now()
        error = ReceiverRestored(site=site, site_name=self._identity.at(site).name)
        log.warning("receiver restored", extra={"code": error.code, "transfer": row.transfer})
        lost = {"site": site, "at": to_wire(now), "code": error.code}
        if not self._ledger.note_once(row.transfer, "lost", lost):
            return False
        if row.state not in OUT_FINAL:
            cause = cause_of(error, side=site, now=now)
            self._ledger.move_out(row.transfer, Out.REFUSED, cause=cause)
        return True


def _lost(answer: Answer) -> list[dict[str, object]]:
    said = answer.get("lost")
    return [one for one in said if isinstance(one, dict)] if isinstance(said, list) else []
