"""Decide when what waits in the outbox takes its next step: one lane for each sort of work.

Preparing needs memory and goes one by one. Carrying and asking for receipts go over the line to a
peer, as wide and as fast as the line permits; while the peer is down or closed nothing is started
but the line's own probe. All that waits stays in the ledger.
"""

import asyncio
from functools import partial

from kumobashi.exchange.deeds import Deeds
from kumobashi.exchange.holding import Holder
from kumobashi.exchange.hops import behind_each_hop, poll_seconds, polls_at_once
from kumobashi.exchange.identity import Identity
from kumobashi.exchange.lanes import Found, Job, Lane
from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.line import Line
from kumobashi.exchange.lines import Lines
from kumobashi.exchange.reasons import Reasons
from kumobashi.exchange.records import Outgoing
from kumobashi.exchange.rounds import Key, Round
from kumobashi.exchange.sending import Sender
from kumobashi.exchange.states import LEFT, OUT_FINAL, Out
from kumobashi.exchange.stepping import Steps
from kumobashi.exchange.turns import Turns

_CARRIED_AT_ONCE = 8  # transfers to one peer; their parts share the line


class Dispatcher:
    """The lanes of one site's outbox."""

    def __init__(
        self,
        identity: Identity,
        ledger: Ledger,
        sender: Sender,
        lines: Lines,
        deeds: Deeds,
        *,
        holder: Holder | None,
    ) -> None:
        """Make it; without a ``holder`` it only says why things wait, and another process works."""
        self._works = holder is not None
        self._steps = Steps(holder, "out")
        self._ledger = ledger
        self._site = identity.site
        self._sender = sender
        self._lines = lines
        self._deeds = deeds
        self._turns = Turns(ledger)
        self.hops = behind_each_hop(identity)
        self._hop_of = {site: hop for hop, sites in self.hops.items() for site in sites}
        self._rounds: dict[str, Round] = {}
        self._put_off: dict[str, float] = {}  # looks that failed; loop time
        self._preparing = Lane(
            "prepare",
            find=partial(self._turns.sending, {Out.EXTRACTING}),
            work=self._prepare,
            width=lambda: 1,  # what bounds memory
        )
        self._carrying: dict[str, Lane] = {}
        self._looking: dict[str, Lane] = {}
        for hop, sites in self.hops.items():
            self._add_hop(hop, sites, lines.to(hop))

    def _add_hop(self, hop: str, sites: frozenset[str], line: Line) -> None:
        self._rounds[hop] = Round(
            lambda after, limit: self._turns.looking(LEFT, sites, after=after[0], limit=limit)
        )
        self._carrying[hop] = Lane(
            f"carry {hop}",
            find=partial(self._turns.sending, {Out.SEALED}, to_sites=sites),
            work=partial(self._carry, hop),
            width=lambda: line.width(_CARRIED_AT_ONCE),
            opens_in=line.opens_in,
            may_retry=line.may_retry,
        )
        few = polls_at_once(line)
        self._looking[hop] = Lane(
            f"look {hop}",
            find=partial(self._find_looks, hop, few),
            work=partial(self._look, hop, line),
            width=lambda: line.width(few),
            opens_in=line.opens_in,
        )
        # What was under way when the peer went down comes before what was read to follow it.
        line.changed += [
            partial(self._carrying[hop].wake, anew=True),
            partial(self._looking[hop].wake, anew=True),
        ]

    def start(self) -> None:
        """Begin to work on what waits."""
        for lane in self._lanes() if self._works else ():
            lane.start()

    def wake(self, *, anew: bool = False) -> None:
        """Look for work now; ``anew`` when a person has changed the order of what waits."""
        for lane in self._lanes():
            lane.wake(anew=anew)

    async def aclose(self) -> None:
        """Stop; what is under way goes on at the next start."""
        await asyncio.gather(*(lane.aclose() for lane in self._lanes()))

    def reasons(self) -> Reasons:
        """Return why things wait, as it is now."""
        return Reasons(
            site=self._site,
            lines={site: self._lines.to(hop) for site, hop in self._hop_of.items()},
            paused=self._deeds.paused_links(),
            turns=self._turns,
            behind=self.waiting_for,
        )

    def waiting_for(self, hop: str) -> int:
        """Return how many sealed transfers wait for one peer."""
        return self._turns.count_out({Out.SEALED}, self.hops.get(hop, frozenset()))

    # -- the work -------------------------------------------------------------------------------

    async def _prepare(self, job: Job) -> None:
        step = await self._steps.take(
            job, lambda lease: self._sender.under(lease).prepare(job.key[0])
        )
        if step is None:
            return
        row = step.row
        if row.state is Out.SEALED and row.to_site in self._hop_of:
            self._carrying[self._hop_of[row.to_site]].wake()
        self._next_of(row)

    async def _carry(self, hop: str, job: Job) -> None:
        step = await self._steps.take(
            job, lambda lease: self._sender.under(lease).carry(job.key[0])
        )
        if step is None:
            return
        row = step.row
        if row.state in LEFT:
            self._looking[hop].wake()
        self._next_of(row)

    async def _look(self, hop: str, line: Line, job: Job) -> None:
        transfer, turn = job.key[0], self._rounds[hop]
        wait = 0 if turn.is_crowded else poll_seconds(line)
        before = self._ledger.outgoing(transfer).state
        step = await self._steps.take(
            job, lambda lease: self._sender.under(lease).look(transfer, wait=wait)
        )
        if step is None:
            return
        turn.has_news = turn.has_news or step.row.state is not before
        if step.put_off is not None:
            self._put_off[transfer] = asyncio.get_running_loop().time() + step.put_off
            asyncio.get_running_loop().call_later(step.put_off, self._again, hop, transfer)
        self._next_of(step.row)

    def _again(self, hop: str, transfer: str) -> None:
        self._put_off.pop(transfer, None)
        self._looking[hop].wake()

    def _next_of(self, row: Outgoing) -> None:
        """Let the next of a link that keeps its order go, when one is over."""
        if row.state in OUT_FINAL and row.in_order:
            self._preparing.wake()
            for lane in self._carrying.values():
                lane.wake()

    def _find_looks(self, hop: str, few: int, beside: frozenset[Key], limit: int) -> Found:
        found = self._rounds[hop].find(beside, limit, few=few)
        jobs = [job for job in found.jobs if job.key[0] not in self._put_off]
        return Found(jobs, found.again_in)

    def _lanes(self) -> list[Lane]:
        return [self._preparing, *self._carrying.values(), *self._looking.values()]
