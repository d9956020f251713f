"""Pass a bundle on without being able to read it: the exchange server in the hall, the LGWAN-ASP.

A relay routes by the announcement and counts parts. It forwards each part as soon as it is durable
here, the manifest after all of them, and hands the receiver's signed receipts back unchanged. It
loads neither DuckDB nor Arrow, and holds no key that opens anything.
"""

import asyncio
import logging
from copy import copy
from functools import partial
from typing import Any, Self

from kumobashi.exchange.announced import Announced
from kumobashi.exchange.changes import Changes, Key
from kumobashi.exchange.errors import Fenced, PeerRefused
from kumobashi.exchange.holding import Holder
from kumobashi.exchange.hops import behind_each_hop, poll_seconds, polls_at_once
from kumobashi.exchange.identity import Identity
from kumobashi.exchange.lanes import Found, Job, Lane
from kumobashi.exchange.leases import Lease
from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.line import Line, is_about_the_line
from kumobashi.exchange.passing import Passing
from kumobashi.exchange.patience import new_chance, wait_after
from kumobashi.exchange.peers import Peers
from kumobashi.exchange.records import Incoming
from kumobashi.exchange.rounds import Round
from kumobashi.exchange.states import IN_FINAL, In
from kumobashi.exchange.stepping import Steps
from kumobashi.exchange.takers import Downstream
from kumobashi.exchange.told import Told
from kumobashi.exchange.transfer_keys import TransferKeys
from kumobashi.exchange.turns import Turns
from kumobashi.exchange.waiting import as_known, cause_of
from kumobashi.kernel import KumobashiError, crashpoint
from kumobashi.messages.deletions import verify_deletion
from kumobashi.messages.errors import AttemptSuperseded, TransferUnknown
from kumobashi.messages.manifest import Manifest, kept_manifest
from kumobashi.messages.recall import Recall
from kumobashi.messages.withdrawals import WithdrawalEnvelope, verify_notice
from kumobashi.observe import tracing
from kumobashi.storage.spool import Spool

log = logging.getLogger(__name__)
_PASSED_AT_ONCE = 8  # bundles to one peer; their parts share the line
_FRESH_AT_MOST = 64  # bundles that are passed on before they are closed


class Relay:
    """Meets ``Taker`` for sites of role relay."""

    def __init__(
        self,
        identity: Identity,
        ledger: Ledger,
        spool: Spool,
        changes: Changes,
        peers: Peers,
        *,
        keys: TransferKeys,
        holder: Holder | None,
    ) -> None:
        self._identity = identity
        self._ledger = ledger
        self._spool = spool
        self._changes = changes
        self._peers = peers
        self._keys = keys
        self._turns = Turns(ledger)
        self._steps = Steps(holder, "in")
        self._chance = new_chance()
        self._bundles = Passing(peers, spool, keys, changes)
        self._announced = Announced(ledger)
        self._told = Told(identity, peers, changes)
        self._fresh: dict[str, dict[Key, None]] = {}  # by hop: parts came, no manifest yet
        self._rounds: dict[str, Round] = {}
        self._passing: dict[str, Lane] = {}
        self._asking: dict[str, Lane] = {}
        self._put_off: set[Key] = set()
        self.hops = behind_each_hop(identity)
        for hop, sites in self.hops.items():
            self._add_hop(hop, sites, peers.lines.to(hop))

    def _add_hop(self, hop: str, sites: frozenset[str], line: Line) -> None:
        few = polls_at_once(line)
        self._fresh[hop] = {}
        self._rounds[hop] = Round(
            lambda after, limit: self._turns.passing({In.PASSED}, sites, after=after, limit=limit)
        )
        self._passing[hop] = Lane(
            f"pass {hop}",
            find=lambda beside, limit: self._find(hop, sites, beside, limit),
            work=partial(self._pass_on, hop),
            width=lambda: line.width(_PASSED_AT_ONCE),
            opens_in=line.opens_in,
            may_retry=line.may_retry,
        )
        self._asking[hop] = Lane(
            f"ask {hop}",
            find=lambda beside, limit: self._find_asks(hop, few, beside, limit),
            work=partial(self._ask, hop, line),
            width=lambda: line.width(few),
            opens_in=line.opens_in,
        )
        line.changed += [
            partial(self._passing[hop].wake, anew=True),
            partial(self._asking[hop].wake, anew=True),
            self._changes.tell_all,  # the hops before this one want to know why it waits
        ]

    # -- what the inbox asks ---------------------------------------------------------------------

    def closed_state(self) -> In:
        """Return that a relay holds a complete bundle until the next hop has it."""
        return In.CLOSED

    def receipt_for(self, _manifest: Manifest, _state: In) -> None:
        """Return nothing: only the receiver of a bundle makes statements about it."""
        return

    async def catch_up(self, bundle: Incoming) -> None:
        """Ask the next hop for what the receiver signed since: that it was deleted."""
        hop = self._identity.next_hop(bundle.to_site)
        await self._told.catch_up(hop, bundle, self._ledger)

    async def deletion(self, bundle: Incoming, token: str) -> None:
        """Hand a request to delete on; the relay itself has nothing left of the transfer."""
        keys = self._identity.keys_of(bundle.from_site)
        verify_deletion(token, keys, kept_manifest(bundle.manifest or ""))
        hop = self._identity.next_hop(bundle.to_site)
        await self._peers.request_deletion(hop, bundle.transfer, bundle.attempt, token)

    async def recall(self, recall: Recall) -> dict[str, Any]:
        """Hand the question on, and the answer back."""
        return dict(await self._peers.recall(self._identity.next_hop(recall.to_site), recall))

    async def withdrawal(self, told: WithdrawalEnvelope) -> str:
        """Hand a notice of withdrawal on, and the receipt back."""
        verify_notice(told, self._identity.keys_of(told.from_site))
        hop = self._identity.next_hop(told.to_site)
        return str((await self._peers.tell_withdrawn(hop, told)).get("receipt", ""))

    def downstream(self, bundle: Incoming) -> Downstream:
        """Return what the next hop said last, and why nothing is passed on to it now."""
        said = self._told.of((bundle.transfer, bundle.attempt))
        if bundle.state in IN_FINAL:
            return said
        hop = self._identity.next_hop(bundle.to_site)
        why = self._peers.lines.to(hop).cause()
        if why is None:
            return said
        waiting = self._turns.count_in({In.CLOSED}, self.hops[hop])
        return Downstream(hops=said.hops, waiting={**why, "behind": waiting})

    def start(self) -> None:
        """Begin to pass on what is here."""
        for lane in (*self._passing.values(), *self._asking.values()):
            lane.start()

    def wake(self, bundle: Incoming) -> None:
        """Pass on what came of a bundle, when its turn comes."""
        hop = self._identity.next_hop(bundle.to_site)
        if bundle.state is In.ANNOUNCED:
            fresh = self._fresh[hop]
            # Beyond these it is passed on when it is closed; nothing is lost by that.
            if len(fresh) < _FRESH_AT_MOST:
                fresh[(bundle.transfer, bundle.attempt)] = None
        self._passing[hop].wake()

    def look(self) -> None:
        """Look for bundles to pass on, and for those to ask about."""
        for lane in (*self._passing.values(), *self._asking.values()):
            lane.wake()

    async def aclose(self) -> None:
        """Stop; what is under way goes on at the next start."""
        lanes = (*self._passing.values(), *self._asking.values())
        await asyncio.gather(*(lane.aclose() for lane in lanes))

    # -- whose turn it is ------------------------------------------------------------------------

    def _find(self, hop: str, sites: frozenset[str], beside: frozenset[Key], limit: int) -> Found:
        fresh = [key for key in list(self._fresh[hop]) if key not in beside]
        for key in fresh:
            self._fresh[hop].pop(key, None)
        found = self._turns.taking({In.CLOSED}, beside, limit, to_sites=sites)
        closed = {job.key for job in found.jobs}
        first = [Job(key) for key in fresh if key not in closed]
        return Found([*first, *found.jobs], found.again_in)

    def _find_asks(self, hop: str, few: int, beside: frozenset[Key], limit: int) -> Found:
        found = self._rounds[hop].find(beside, limit, few=few)
        return Found([j for j in found.jobs if j.key not in self._put_off], found.again_in)

    # -- the work --------------------------------------------------------------------------------

    def _under(self, lease: Lease | None) -> Self:
        """Return this relay with every change of the ledger under ``lease``, if there is one."""
        if lease is None:
            return self
        fenced = copy(self)
        fenced._ledger = self._ledger.under(lease)  # noqa: SLF001 - its own copy
        return fenced

    async def _pass_on(self, hop: str, job: Job) -> None:
        """Pass on what is here of a bundle, and its manifest when it has come."""
        await self._steps.take(job, lambda lease: self._under(lease)._pass(hop, job))  # noqa: SLF001
        self._asking[hop].wake()

    async def _pass(self, hop: str, job: Job) -> None:
        key = job.key
        bundle = self._ledger.incoming(*key)
        if bundle.state not in {In.ANNOUNCED, In.CLOSED}:
            return
        try:
            await self._parts_and_close(hop, bundle)
        except Fenced:  # whoever took over goes on
            raise
        except Exception as raised:  # noqa: BLE001 - a fault of ours must not strand a bundle
            self._bundles.forget(key)
            await self._failed(hop, key, as_known(raised))
        else:
            if bundle.cause and bundle.state is In.ANNOUNCED:
                await asyncio.to_thread(self._ledger.move_in, bundle, None)
                self._changes.tell(key)

    async def _parts_and_close(self, hop: str, bundle: Incoming) -> None:
        key = (bundle.transfer, bundle.attempt)
        announcement = self._announced.of(key).announcement
        await self._bundles.parts(hop, key, announcement)
        # The parts may have been closed while they were passed on.
        bundle = self._ledger.incoming(*key)
        if bundle.state is not In.CLOSED or not bundle.manifest:
            return
        with tracing.client("transfer.pass", transfer=bundle.transfer, link=bundle.link, to=hop):
            await self._bundles.parts(hop, key, announcement)
            crashpoint("relaying.parts_passed")
            await self._bundles.close(hop, key, bundle.manifest)
        crashpoint("relaying.passed_before_commit")
        await asyncio.to_thread(self._ledger.move_in, bundle, In.PASSED)
        self._changes.tell(key)
        crashpoint("relaying.passed")

    async def _forgotten(self, hop: str, bundle: Incoming) -> None:
        """Hand a bundle over again to a next hop that has forgotten it.

        Once there are receipts a second handing over would get others, which fit no chain: then it
        is for the sender to notice and to send anew, and this bundle has come to its end.
        """
        key = (bundle.transfer, bundle.attempt)
        if self._ledger.receipts(*key, "in"):
            await self._settle(bundle)
            return
        announcement = self._announced.of(key).announcement
        await self._bundles.again(hop, key, announcement, bundle.manifest or "")

    async def _ask(self, hop: str, line: Line, job: Job) -> None:
        """Ask once for the receipts of a bundle that was passed on."""
        await self._steps.take(job, lambda lease: self._under(lease)._look(hop, line, job))  # noqa: SLF001

    async def _look(self, hop: str, line: Line, job: Job) -> None:
        key, turn = job.key, self._rounds[hop]
        bundle = self._ledger.incoming(*key)
        if bundle.state is not In.PASSED:
            return
        try:
            has_news = await self._receipts(
                hop, bundle, wait=0 if turn.is_crowded else poll_seconds(line)
            )
            turn.has_news = turn.has_news or has_news
        except Fenced:
            raise
        except Exception as raised:  # noqa: BLE001 - likewise
            put_off = await self._not_told(hop, bundle, raised)
            if put_off:
                self._put_off.add(key)
                asyncio.get_running_loop().call_later(put_off, self._again, hop, key)

    async def _not_told(self, hop: str, bundle: Incoming, raised: Exception) -> float | None:
        """Hand over again what the next hop has forgotten; note why the bundle waits."""
        key = (bundle.transfer, bundle.attempt)
        error = as_known(raised)
        if self._ledger.incoming(*key).state in IN_FINAL:  # only the answer of the state was lost
            await asyncio.to_thread(self._spool.forget, *key)
            self._changes.tell(key)
            return None
        if isinstance(error, PeerRefused) and error.peer_code == TransferUnknown.code:
            try:
                await self._forgotten(hop, bundle)
            except Fenced:
                raise
            except Exception as again:  # noqa: BLE001 - likewise
                error = as_known(again)
            if self._ledger.incoming(*key).state in IN_FINAL:
                return None
        return await self._failed(hop, key, error)

    def _again(self, hop: str, key: Key) -> None:
        self._put_off.discard(key)
        self._asking[hop].wake()

    async def _failed(self, hop: str, key: Key, error: KumobashiError) -> float | None:
        """Note why a bundle waits; return for how many seconds it is put off, if it is its own."""
        if is_about_the_line(error):
            return None
        log.warning("not passed on", extra={"code": error.code, "transfer": key[0]})
        bundle = self._ledger.incoming(*key)
        if isinstance(error, PeerRefused) and error.peer_code == AttemptSuperseded.code:
            await asyncio.to_thread(self._give_way, bundle)
            return None
        return await self._note(hop, bundle, error)

    async def _receipts(self, hop: str, bundle: Incoming, *, wait: int) -> bool:
        """Keep what receipts there are; return whether there were any."""
        news = await self._told.ask(hop, bundle, self._ledger, wait=wait)
        if news.is_over:
            await self._settle(bundle)
        return bool(news.receipts)

    async def _settle(self, bundle: Incoming) -> None:
        key = (bundle.transfer, bundle.attempt)
        await asyncio.to_thread(self._ledger.move_in, bundle, In.SETTLED)
        self._let_go(key)
        self._changes.tell(key)

    def _give_way(self, bundle: Incoming) -> None:
        """Let go of an attempt whose place a newer one took."""
        if bundle.state is In.ANNOUNCED:
            self._ledger.move_in(bundle, In.SUPERSEDED)
        self._let_go((bundle.transfer, bundle.attempt))

    def _let_go(self, key: Key) -> None:
        """Destroy what would only be needed to pass it on once more."""
        self._keys.forget_taken(*key)
        self._spool.forget(*key)

    async def _note(self, hop: str, bundle: Incoming, error: KumobashiError) -> float:
        side = hop if isinstance(error, PeerRefused) else self._identity.site
        tries = int(bundle.cause["tries"]) + 1 if bundle.cause else 1
        wait = wait_after(tries, self._chance)
        now = self._ledger.clock.now()
        cause = cause_of(error, side=side, now=now, tries=tries, wait=wait, old=bundle.cause)
        await asyncio.to_thread(self._ledger.move_in, bundle, None, cause=cause)
        self._changes.tell((bundle.transfer, bundle.attempt))
        return wait
