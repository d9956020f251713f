"""Hand what is here of a bundle to the next hop: announce, put the key and the parts, close.

What was passed already is remembered for the time being; the next hop says it again when asked.
"""

import asyncio
from dataclasses import dataclass

from kumobashi.exchange.changes import Changes, Key
from kumobashi.exchange.peers import Answer, Peers
from kumobashi.exchange.transfer_keys import TransferKeys
from kumobashi.kernel import crashpoint
from kumobashi.messages.announcement import Announcement
from kumobashi.storage.spool import Spool


class Passing:
    """The bundles that a relay passes on, and how far each has come."""

    def __init__(self, peers: Peers, spool: Spool, keys: TransferKeys, changes: Changes) -> None:
        self._peers = peers
        self._spool = spool
        self._keys = keys
        self._changes = changes
        self._passed: dict[Key, _Passed] = {}

    async def parts(self, hop: str, key: Key, announcement: Announcement) -> None:
        """Pass on the parts that are here and not there yet."""
        passed = self._passed.get(key)
        if passed is None:
            answer = await self._peers.announce(hop, announcement)
            passed = self._passed[key] = _Passed(answer, set(map(str, answer.get("have", ()))))
        await self._key(hop, key, passed)
        held = self._spool.held(*key)
        for part in announcement.parts:
            hex_ = part.digest.removeprefix("sha256:")
            if part.digest in passed.parts or hex_ not in held:
                continue
            with self._spool.open(*key, hex_) as body:
                await self._peers.put_part(hop, *key, part, body)
            passed.parts.add(part.digest)
            crashpoint("relaying.part_passed")
            self._changes.tell(key)

    async def again(self, hop: str, key: Key, announcement: Announcement, manifest: str) -> None:
        """Hand all of it over once more to a hop that has forgotten it."""
        self.forget(key)
        await self.parts(hop, key, announcement)
        await self.close(hop, key, manifest)

    async def close(self, hop: str, key: Key, manifest: str) -> None:
        """Hand the signed manifest over: all parts are there."""
        await self._peers.close_attempt(hop, *key, manifest)
        self.forget(key)

    def forget(self, key: Key) -> None:
        """Ask the next hop anew for what it has."""
        self._passed.pop(key, None)

    async def _key(self, hop: str, key: Key, passed: "_Passed") -> None:
        """Pass the key on as soon as it is here: it comes between announcement and parts."""
        if passed.has_key:
            return
        document = await asyncio.to_thread(self._keys.taken, *key)
        if document is not None:
            self._peers.require_keys(hop, passed.answer)
            await self._peers.put_key(hop, *key, document)
            passed.has_key = True


@dataclass(slots=True)
class _Passed:
    answer: Answer  # to the announcement
    parts: set[str]
    has_key: bool = False
