"""Remind receivers of what they have deleted: one that was restored from a backup deletes it again.

A restored state holds transfers again whose deletion the site has proved, and its target may hold
their rows. The sender shows each receiver its own ``deleted`` receipts, through the same relays as
everything else, the newest first. A backup is of one moment, so the first hundred of which nothing
is forgotten end the look; at its start a process shows all of them once, for a crash may have come
in between.
"""

import asyncio
import logging

from kumobashi.exchange.errors import PeerRefused, ReceiverRestored
from kumobashi.exchange.identity import Identity
from kumobashi.exchange.line import is_about_the_line
from kumobashi.exchange.peers import Peers
from kumobashi.exchange.proofs import Proofs, Proved
from kumobashi.kernel import KumobashiError
from kumobashi.messages.recall import MOST_RECEIPTS, NOT_UNDERSTOOD, Recall

log = logging.getLogger(__name__)


class Reminder:
    """Shows receivers what they have proved."""

    def __init__(self, identity: Identity, proofs: Proofs, peers: Peers) -> None:
        self._identity = identity
        self._proofs = proofs
        self._peers = peers
        self._shown: set[str] = set()  # receivers that were shown everything

    async def remind(self) -> list[str]:
        """Show every receiver its newest proofs; return the transfers that are deleted again."""
        again: list[str] = []
        for site in await asyncio.to_thread(self._proofs.receivers):
            try:
                again += await self._remind(site)
            except KumobashiError as error:
                if not is_about_the_line(error):
                    log.warning("not reminded", extra={"code": error.code, "site": site})
        return again

    async def _remind(self, site: str) -> list[str]:
        again: list[str] = []
        before: Proved | None = None
        while some := await asyncio.to_thread(
            self._proofs.proved, site, before=before, limit=MOST_RECEIPTS
        ):
            found = await self._ask(site, some)
            again += found
            if not found and site in self._shown:
                return again
            before = some[-1]
        self._shown.add(site)
        return again

    async def _ask(self, site: str, some: list[Proved]) -> list[str]:
        recall = Recall(
            tenant=self._identity.tenant,
            from_site=self._identity.site,
            to_site=site,
            receipts=tuple(one.receipt for one in some),
        )
        try:
            answer = await self._peers.recall(self._identity.next_hop(site), recall)
        except PeerRefused as refused:
            if refused.peer_code in NOT_UNDERSTOOD:
                return []
            raise
        said = answer.get("deleting")
        named = {str(one.get("transfer")) for one in said or () if isinstance(one, dict)}
        found = [one.transfer for one in some if one.transfer in named]
        for transfer in found:
            extra = {"code": ReceiverRestored.code, "transfer": transfer}
            log.warning("receiver restored: it deletes again", extra=extra)
        return found
