"""Take in what a medium brought, through the same inbox and the same receipts as over a line.

The index and the manifest are verified here again, whoever read them first; parts are compared with
their digests by the inbox, so a transfer that came by line as well is applied once.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from kumobashi.courier.arrivals import Arrival, Arrivals
from kumobashi.courier.carrying import LongestDays
from kumobashi.courier.content import Papers, Said
from kumobashi.courier.errors import CourierNotAllowed, NoRoom
from kumobashi.courier.index import Kind
from kumobashi.courier.reading import Reader, check_key, verified
from kumobashi.courier.settling import Settling
from kumobashi.exchange.identity import Identity
from kumobashi.exchange.inbox import Inbox
from kumobashi.kernel import Clock
from kumobashi.messages.announcement import Announcement
from kumobashi.messages.errors import MessageForeign
from kumobashi.messages.manifest import Manifest, verify_manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """A bundle whose parts may come: those that are held, and how the attempt stands."""

    have: tuple[str, ...]  # digests
    state: str  # ``open``, ``closed``, ``finished`` or ``superseded``


class Arriving:
    """The side that reads media in."""

    def __init__(
        self,
        *,
        identity: Identity,
        inbox: Inbox,
        arrivals: Arrivals,
        settling: Settling,
        longest_days: LongestDays,
        room: Path,
        clock: Clock,
    ) -> None:
        """Make it; ``room`` lies on the disk that parts are kept on."""
        self._identity = identity
        self._inbox = inbox
        self._arrivals = arrivals
        self._settling = settling
        self._longest_days = longest_days
        self._room = room
        self._clock = clock

    def begin(self, token: str) -> Arrival:
        """Take note of a medium by its signed index.

        Raises:
            MediumExpired, MediumKnown, MessageForeign, SignatureInvalid, UnknownKey, FieldWrong
        """
        index = verified(token, self._reader(), now=self._clock.now())
        return self._arrivals.begin(index, token)

    def refuse(self, code: str, *, medium: str | None) -> None:
        """Note that a medium was refused before anything on it was used."""
        self._arrivals.refuse(code, medium=medium)

    async def announce(self, medium: str, papers: Papers) -> Announced:
        """Take manifest and key; nothing of the bundle comes in before both are verified.

        Raises:
            SignatureInvalid, UnknownKey, FieldWrong, MessageForeign: not the bundle of the medium.
            MediumKeyless, KeyUnlike, SealFailed, BundleUnreadable: not the key of the manifest.
            MessageReplayed, SecretErased: another key came before, or it was destroyed here.
            CourierNotAllowed: the link does not permit media here.
            BundleExpired, NoRoom
        """
        arrival = await asyncio.to_thread(self._arrivals.get, medium)
        manifest = await asyncio.to_thread(self._check, arrival, papers)
        said = Announcement(
            tenant=manifest.tenant,
            transfer=manifest.transfer,
            attempt=manifest.attempt,
            link=manifest.link,
            from_site=manifest.from_site,
            to_site=manifest.to_site,
            business_date=manifest.business_date,
            parts=manifest.parts,
            sealed_bytes=manifest.sealed_bytes,
            created=manifest.created,
        )
        answer = await self._inbox.announce(self._identity.site, said.encode())
        if papers.key is not None:
            key = (manifest.transfer, manifest.attempt)
            await self._inbox.key(self._identity.site, *key, papers.key)
        return Announced(have=tuple(answer["have"]), state=str(answer["state"]))

    async def part(self, medium: str, hex_: str, body: AsyncIterator[bytes]) -> bool:
        """Take one part; return whether it is new. Durable when this returns."""
        arrival = await asyncio.to_thread(self._arrivals.get, medium)
        key = _bundle_of(arrival)
        return await self._inbox.part(self._identity.site, *key, hex_, body)

    async def close(self, medium: str, token: str) -> str:
        """Hand the bundle over to this site's receiver; return the state of the attempt.

        Raises:
            PartsMissing: other media bring them.
        """
        arrival = await asyncio.to_thread(self._arrivals.get, medium)
        answer = await self._inbox.close(self._identity.site, *_bundle_of(arrival), token)
        return str(answer["state"])

    def receipts(self, medium: str, said: Sequence[Said]) -> dict[str, str]:
        """Take receipts; return by transfer how it stands now.

        Raises:
            SignatureInvalid, UnknownKey, ReceiptForeign, ReceiptOutOfOrder, ReceiptContradicts
        """
        arrival = self._arrivals.get(medium)
        if arrival.kind is not Kind.RECEIPTS:
            raise MessageForeign(field="kind")
        return self._settling.receipts(arrival.from_site, said)

    def end(self, medium: str) -> None:
        """Note that everything on the medium is here."""
        self._arrivals.end(medium)

    def _check(self, arrival: Arrival, papers: Papers) -> Manifest:
        manifest = verify_manifest(papers.manifest, self._identity.keys_of(arrival.from_site))
        if (manifest.transfer, manifest.attempt) != _bundle_of(arrival):
            raise MessageForeign(field="transfer")
        said = {
            "tenant": (manifest.tenant, self._identity.tenant),
            "from_site": (manifest.from_site, arrival.from_site),
            "to_site": (manifest.to_site, self._identity.site),
        }
        for field, (theirs, ours) in said.items():
            if theirs != ours:
                raise MessageForeign(field=field)
        if self._longest_days(manifest.link) is None:
            raise CourierNotAllowed(link=manifest.link)
        manifest.refuse_expired(self._clock.now())
        check_key(papers.key, manifest, self._identity.sealing)
        free = shutil.disk_usage(self._room).free
        if manifest.sealed_bytes > free:
            raise NoRoom(claimed_bytes=manifest.sealed_bytes, free_bytes=free)
        return manifest

    def _reader(self) -> Reader:
        return Reader(
            tenant=self._identity.tenant,
            site=self._identity.site,
            key=self._identity.sealing,
            keys_of=self._identity.keys_of,
        )


def _bundle_of(arrival: Arrival) -> tuple[str, int]:
    if arrival.transfer is None or arrival.attempt is None:
        raise MessageForeign(field="kind")
    return arrival.transfer, arrival.attempt
