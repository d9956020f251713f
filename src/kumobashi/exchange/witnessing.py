"""Watch the logs of other sites: keep what they signed, and notice when one was rewritten.

Checkpoints come with answers and receipts. For each new one the peer must prove that its log begins
with what was kept before (RFC 9162, 2.1.4). Whoever cannot has rewritten its log or gone back to an
older state; both signatures are kept, the own log says so, and the exchange goes on: deciding what
it means is for people.
"""

import asyncio
import base64
import binascii
import logging
import threading
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from kumobashi.evidence import checkpoints
from kumobashi.evidence.checkpoints import Checkpoint, origin_of
from kumobashi.evidence.entries import Entry, Fact
from kumobashi.evidence.errors import LogForked, LogRolledBack, SizeBeyond, Touched
from kumobashi.evidence.log import append, prove_consistency
from kumobashi.evidence.merkle import is_consistent
from kumobashi.evidence.sql import CONSISTENT, witnessed
from kumobashi.exchange.errors import PeerRefused
from kumobashi.exchange.identity import Identity
from kumobashi.exchange.line import NOT_REACHED
from kumobashi.exchange.peers import Peers
from kumobashi.kernel import Clock, from_micros, new_id, to_micros
from kumobashi.messages.errors import MessageForeign
from kumobashi.routing.errors import RoutingFailed
from kumobashi.storage.state import StateStore

log = logging.getLogger(__name__)
EVERY: Final = timedelta(seconds=60)  # between two checkpoints that are kept of one site
_LONGEST_PROOF: Final = 128


class Witness:
    """What one gateway knows of the logs of others."""

    def __init__(
        self,
        identity: Identity,
        store: StateStore,
        peers: Peers,
        clock: Clock,
        every: timedelta = EVERY,
    ) -> None:
        self._identity = identity
        self._store = store
        self._peers = peers
        self._clock = clock
        self._every = every
        self._lock = threading.Lock()
        self._heard: dict[str, str] = {}
        self._taken: dict[str, int] = {}  # by site, the size of ours that it has
        self._latest: dict[str, Checkpoint] = {}  # proved, but not each of them is kept

    def hear(self, site: str, note: object) -> None:
        """Remember a checkpoint that came along; safe from any thread, and never fails."""
        if isinstance(note, str) and site in self._identity.directory.sites:
            with self._lock:
                self._heard[site] = note

    async def look(self) -> None:
        """Check what was heard since the last look."""
        with self._lock:
            heard, self._heard = self._heard, {}
        for site, note in heard.items():
            try:
                await self._check(site, note)
            except (*NOT_REACHED, PeerRefused, MessageForeign, RoutingFailed) as error:
                log.info("no proof yet", extra={"code": error.code, "site": site})
                with self._lock:  # it is asked for again, unless a newer one came
                    self._heard.setdefault(site, note)

    def offered(self, note: str, old: int, parts: object) -> dict[str, int | bool]:
        """Take a checkpoint that its own site offers, with the proof from ``old`` on.

        Returns which size is held, and whether it is the offered one: if not, the site comes again
        with the proof from there.

        Raises:
            CheckpointAltered, CheckpointForeign: not signed by the site it names.
            LogRolledBack, LogForked: it contradicts what was kept; both are kept.
        """
        site = checkpoints.parse(note).origin.rpartition("/")[2]
        tenant = self._identity.tenant
        offered = checkpoints.read(
            note, self._identity.keys_of(site), origin=origin_of(tenant, site), site=site
        )
        kept = self._newest(site)
        if kept is None:
            self._keep(site, note, offered)
            return {"size": offered.size, "kept": True}
        held = kept[0]
        error: Touched | None = None
        if offered.size < held.size:
            error = LogRolledBack(site=site, seen=held.size, size=offered.size)
        elif offered.size == held.size:
            if offered.root != held.root:
                error = LogForked(site=site, seen=held.size, size=offered.size)
        elif old != held.size:
            return {"size": held.size, "kept": False}
        else:
            proof = _proof(parts)
            if proof is None or not is_consistent(
                held.size, held.root, offered.size, offered.root, proof
            ):
                error = LogForked(site=site, seen=held.size, size=offered.size)
            else:
                self._keep(site, note, offered)
        if error:
            self._tell(site, note, error)
            raise error
        return {"size": offered.size, "kept": True}

    async def offer(self, note: str) -> None:
        """Have every site that can be reached keep the own newest checkpoint."""
        for site in self._identity.directory.sites:
            if site == self._identity.site:
                continue
            try:
                await self._offer(site, note)
            except PeerRefused as error:
                if error.peer_code in {LogForked.code, LogRolledBack.code}:
                    log.error("our log is doubted", extra={"code": error.peer_code, "site": site})  # noqa: TRY400 - no trace
            except (*NOT_REACHED, MessageForeign, RoutingFailed):
                continue  # it is offered again with the next one

    async def _offer(self, site: str, note: str) -> None:
        own = checkpoints.parse(note).size
        old = self._taken.get(site, 0)
        for _ in range(2):  # the first answer may only say where to begin
            proof = await asyncio.to_thread(self._prove, old, own) if 0 < old < own else []
            answer = await self._peers.offer(site, note, old, proof)
            size = answer.get("size")
            if answer.get("kept") is True or type(size) is not int:
                break
            old = size
        self._taken[site] = own

    def _prove(self, old: int, new: int) -> list[str]:
        tenant = self._identity.tenant
        return self._store.read(lambda held: prove_consistency(held, tenant, old, new))

    async def _check(self, site: str, note: str) -> None:
        try:
            offered = checkpoints.read(
                note,
                self._identity.keys_of(site),
                origin=origin_of(self._identity.tenant, site),
                site=site,
            )
        except Touched as error:
            await asyncio.to_thread(self._tell, site, note, error)
            return
        kept = await asyncio.to_thread(self._newest, site)
        if kept is None:
            await asyncio.to_thread(self._keep, site, note, offered)
            return
        held, at = kept
        held = max(held, self._latest.get(site, held), key=lambda one: one.size)
        if held == offered:
            return
        if trouble := await self._compare(site, held, offered):
            await asyncio.to_thread(self._tell, site, note, trouble)
        elif offered.size > held.size:
            self._latest[site] = offered  # what comes next must fit this one too
            if self._clock.now() - at >= self._every:
                await asyncio.to_thread(self._keep, site, note, offered)

    async def _compare(self, site: str, held: Checkpoint, offered: Checkpoint) -> Touched | None:
        """Ask for the proof; a receipt may also bring a checkpoint older than the one held."""
        low, high = sorted((held, offered), key=lambda one: one.size)
        proof: list[bytes] | None = []
        if low.size != high.size:
            try:
                answer = await self._peers.consistency(site, low.size, high.size)
            except PeerRefused as refused:
                if refused.peer_code == SizeBeyond.code:
                    return LogRolledBack(site=site, seen=high.size, size=low.size)
                raise
            proof = _proof(answer.get("proof"))
        if proof is None or not is_consistent(low.size, low.root, high.size, high.root, proof):
            return LogForked(site=site, seen=held.size, size=offered.size)
        return None

    def _newest(self, site: str) -> tuple[Checkpoint, datetime] | None:
        query = (
            sa.select(witnessed.c.note, witnessed.c.at)
            .where(witnessed.c.tenant == self._identity.tenant, witnessed.c.site == site)
            .where(witnessed.c.verdict == CONSISTENT)
            .order_by(witnessed.c.size.desc())
            .limit(1)
        )
        row = self._store.read(lambda held: held.execute(query).first())
        return (checkpoints.parse(row.note), from_micros(row.at)) if row else None

    def _keep(self, site: str, note: str, offered: Checkpoint) -> None:
        facts: dict[str, Fact] = {"peer": site, "size": offered.size, "checkpoint": note}
        entry = Entry(event="checkpoint.witnessed", at=self._clock.now(), facts=facts)
        self._store.write(
            lambda held: self._add(
                held, site, offered.size, verdict=CONSISTENT, note=note, entry=entry
            )
        )

    def _tell(self, site: str, note: str, error: Touched) -> None:
        """Keep what speaks against a peer, once, and say it aloud."""
        shown = note[:4096]
        size = error.facts.get("size")
        number = size if isinstance(size, int) else 0
        entry = Entry(
            event="peer.rewritten",
            at=self._clock.now(),
            facts={"peer": site, "size": number, "code": error.code},
        )

        def work(connection: sa.Connection) -> bool:
            same = (
                sa.select(witnessed.c.seen)
                .where(witnessed.c.tenant == self._identity.tenant, witnessed.c.site == site)
                .where(witnessed.c.verdict == error.code, witnessed.c.note == shown)
            )
            if connection.execute(same).first():
                return False
            self._add(connection, site, number, verdict=error.code, note=shown, entry=entry)
            return True

        if self._store.write(work):
            log.error("a peer's evidence does not fit", extra={"code": error.code, "site": site})

    def _add(
        self,
        connection: sa.Connection,
        site: str,
        size: int,
        *,
        verdict: str,
        note: str,
        entry: Entry,
    ) -> None:
        row = {
            "tenant": self._identity.tenant,
            "seen": new_id(),
            "site": site,
            "size": size,
            "verdict": verdict,
            "note": note,
            "at": to_micros(self._clock.now()),
        }
        connection.execute(sa.insert(witnessed).values(row))
        append(connection, self._identity.tenant, entry)


def _proof(parts: Any) -> list[bytes] | None:  # noqa: ANN401 - a peer's JSON
    if not isinstance(parts, list) or len(parts) > _LONGEST_PROOF:
        return None
    try:
        return [base64.b64decode(part, validate=True) for part in parts]
    except (TypeError, ValueError, binascii.Error):
        return None
