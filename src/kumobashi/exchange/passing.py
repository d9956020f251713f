"""Hand what is here of a bundle to the next hop: announce, put the key and the parts, close.

What was passed already is remembered for the time being; the next hop says it again when asked.
"""

import asyncio

from kumobashi.exchange.changes import Changes, Key
from kumobashi.exchange.peers import Peers
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
        self._passed: dict[Key, set[str]] = {}

    async def parts(self, hop: str, key: Key, announcement: Announcement) -> None:
        """Pass on the parts that are here and not there yet."""
        passed = self._passed.get(key)
        if passed is None:
            passed = self._passed[key] = await self._announce(hop, key, announcement)
        held = self._spool.held(*key)
        for part in announcement.parts:
            hex_ = part.digest.removeprefix("sha256:")
            if part.digest in passed or hex_ not in held:
                continue
            with self._spool.open(*key, hex_) as body:
                await self._peers.put_part(hop, *key, part, body)
            passed.add(part.digest)
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

    async def _announce(self, hop: str, key: Key, announcement: Announcement) -> set[str]:
        answer = await self._peers.announce(hop, announcement)
        document = await asyncio.to_thread(self._keys.taken, *key)
        if document is not None:
            self._peers.require_keys(hop, answer)
            await self._peers.put_key(hop, *key, document)
        return set(map(str, answer.get("have", ())))
