"""Notice a receiver that was restored from a backup, and send it what it has lost.

From time to time the sender shows each receiver the last receipts it has of it, through the same
relays as everything else. What the receiver signed and does not hold any more, it has lost. Then:

- a transfer that was still on its way ends as refused, with the cause;
- the link is run again for the same date, in full, as a new transfer that people see. Whether its
  rows go in is for the target to say, which may have been restored as well or not (0008).

What a receiver has deleted is not sent again: of that it is reminded (``reminding``).
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable

from kumobashi.exchange.errors import PeerRefused, ReceiverRestored
from kumobashi.exchange.identity import Identity
from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.line import NOT_REACHED
from kumobashi.exchange.newest import Newest
from kumobashi.exchange.peers import Answer, Peers
from kumobashi.exchange.records import Outgoing
from kumobashi.exchange.reminding import Reminder
from kumobashi.exchange.states import OUT_FINAL, Out
from kumobashi.exchange.waiting import as_known, cause_of
from kumobashi.kernel import KumobashiError, to_wire
from kumobashi.messages.manifest import verify_manifest
from kumobashi.messages.recall import MOST_RECEIPTS, NOT_UNDERSTOOD, Recall

log = logging.getLogger(__name__)
Again = Callable[[Outgoing], Awaitable[Outgoing]]  # runs the link of a transfer once more, in full
_ON_ITS_WAY = frozenset({Out.DELIVERED, Out.OPENED, Out.VALIDATED})
_RECENT = 1_000  # transfers that are looked through for those on their way


class Recalling:
    """Asks the receivers of one site's transfers."""

    def __init__(
        self,
        identity: Identity,
        ledger: Ledger,
        peers: Peers,
        again: Again,
        *,
        reminder: Reminder,
        seconds: float,
    ) -> None:
        self._identity = identity
        self._ledger = ledger
        self._peers = peers
        self._again = again
        self._reminder = reminder
        self._newest = Newest(ledger)
        self._seconds = seconds

    async def run(self) -> None:
        """Ask at the start and then every so often, for ever."""
        while True:
            try:
                await self.ask()
                await self._reminder.remind()
            except Exception as raised:  # noqa: BLE001 - asking must not end with one failure
                log.warning("receivers were not asked", extra={"code": as_known(raised).code})
            await asyncio.sleep(self._seconds)

    async def ask(self) -> list[str]:
        """Ask every receiver about the newest that it confirmed; return what is sent again."""
        by_site: defaultdict[str, dict[str, Outgoing]] = defaultdict(dict)
        lost = []  # also what was noted before a crash, or could not be run again then
        for row in await asyncio.to_thread(self._newest_confirmed):
            if "lost" in row.facts:
                lost += [] if "resent" in row.facts else [row]
            elif row.manifest and (held := self._ledger.receipts(row.transfer, row.attempt, "out")):
                by_site[self._receiver(row)][held[-1]] = row
        for site, shown in by_site.items():
            tokens = list(shown)
            for start in range(0, len(tokens), MOST_RECEIPTS):
                some = tokens[start : start + MOST_RECEIPTS]
                for row in await self._ask(site, {token: shown[token] for token in some}):
                    lost.append(await asyncio.to_thread(self._note, row, site))
        sent = []
        for row in lost:
            try:
                await self._send_again(row)
            except KumobashiError as error:  # a decision that has drifted, say: one link waits
                log.warning("not sent again", extra={"code": error.code, "link": row.link})
            else:
                sent.append(row.transfer)
        return sent

    def _newest_confirmed(self) -> list[Outgoing]:
        """Return the newest applied transfer of each link, and what else may have been lost."""
        recent = self._ledger.outgoings(limit=_RECENT)
        rows = [row for row in recent if row.state in _ON_ITS_WAY or "lost" in row.facts]
        applied = []
        for head in self._newest.heads().values():
            if head.state is Out.APPLIED:
                applied.append(head.transfer)
            elif last := self._ledger.last_applied(head.link):
                rows.append(last)
        for start in range(0, len(applied), MOST_RECEIPTS):
            rows += self._ledger.several(applied[start : start + MOST_RECEIPTS])
        return list({row.transfer: row for row in rows}.values())

    async def _send_again(self, row: Outgoing) -> None:
        """End what was on its way, run the link again, and note that; each step may be repeated."""
        if row.state not in OUT_FINAL:
            cause = cause_of(
                self._restored(row), side=self._receiver(row), now=self._ledger.clock.now()
            )
            await asyncio.to_thread(self._ledger.move_out, row.transfer, Out.REFUSED, cause=cause)
        anew = await self._again(row)
        note = {"transfer": anew.transfer}
        await asyncio.to_thread(self._ledger.note_once, row.transfer, "resent", note)
        said = {"transfer": row.transfer, "code": ReceiverRestored.code}
        await asyncio.to_thread(self._ledger.note_once, anew.transfer, "resends", said)

    def _restored(self, row: Outgoing) -> ReceiverRestored:
        site = self._receiver(row)
        return ReceiverRestored(site=site, site_name=self._identity.at(site).name)

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
        except NOT_REACHED:
            return []  # it is asked again; whoever sends to it says that it is away
        except PeerRefused as refused:
            if refused.peer_code in NOT_UNDERSTOOD:
                return []
            raise
        gone = {(str(one.get("transfer")), one.get("attempt")) for one in _lost(answer)}
        return [row for row in shown.values() if (row.transfer, row.attempt) in gone]

    def _note(self, row: Outgoing, site: str) -> Outgoing:
        """Note durably that the receiver has lost a transfer, before anything is done about it."""
        code = ReceiverRestored.code
        log.warning("receiver restored", extra={"code": code, "transfer": row.transfer})
        lost = {"site": site, "at": to_wire(self._ledger.clock.now()), "code": code}
        self._ledger.note_once(row.transfer, "lost", lost)
        return self._ledger.outgoing(row.transfer)


def _lost(answer: Answer) -> list[dict[str, object]]:
    said = answer.get("lost")
    return [one for one in said if isinstance(one, dict)] if isinstance(said, list) else []
