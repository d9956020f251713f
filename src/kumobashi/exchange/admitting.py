"""What a site lets a peer announce: no bundle beyond all measure, and not too much at one time.

Parts that are not closed yet prove nothing and cost room, so each sender has a quota of them: bytes
and transfers of the site's profile. What is over it is refused with a code that says to come again.
"""

import logging
from datetime import datetime

import sqlalchemy as sa

from kumobashi.directory.entries import ProfileEntry
from kumobashi.exchange.errors import BundleTooLarge, StrangeCaller, TooMuchUnclosed
from kumobashi.exchange.identity import Identity
from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.records import Incoming, incoming_of
from kumobashi.exchange.sql import incoming
from kumobashi.exchange.states import In
from kumobashi.exchange.waiting import cause_of
from kumobashi.kernel import from_wire, to_micros
from kumobashi.messages.announcement import Announcement
from kumobashi.messages.errors import MessageExpired, MessageForeign, PartTooLarge
from kumobashi.messages.manifest import LIVES, Manifest
from kumobashi.storage.spool import Spool

log = logging.getLogger(__name__)
MOST_PARTS = 100_000
_FEW = 1_000  # parts that may be of any size
_SMALL_BYTES = 1_024  # on the average
_LOCK = 0x71746  # one announcement of a municipality at a time


def refuse_strange(caller: str, announcement: Announcement, identity: Identity) -> None:
    """Refuse what this caller may not announce here, or what this site would never take.

    Raises:
        BundleTooLarge: beyond all measure.
        MessageForeign: another municipality, sender or receiver than may come this way.
        PartTooLarge: larger than this site declares.
        StrangeCaller: a caller that hands nothing over here.
    """
    if announcement.tenant != identity.tenant:
        raise MessageForeign(field="tenant")
    here = identity.here
    # The own site hands over what a courier brought; the manifest's signature says from whom.
    origin_is_caller = caller in {announcement.from_site, identity.site}
    if not identity.may_call(caller):
        raise StrangeCaller(site=caller)
    if not origin_is_caller and identity.at(caller).role != "relay":
        raise MessageForeign(field="from_site")
    identity.at(announcement.from_site)
    if here.role != "relay" and announcement.to_site != identity.site:
        raise MessageForeign(field="to_site")
    identity.at(announcement.to_site)
    refuse_beyond_measure(announcement, here.profile)
    for part in announcement.parts:
        if part.bytes > here.largest_part_bytes:
            raise PartTooLarge(bytes=part.bytes, limit=here.largest_part_bytes)


def refuse_unlike(announced: Announcement, manifest: Manifest) -> None:
    """Raise :class:`MessageForeign` unless a manifest is the announced bundle's."""
    for name in ("tenant", "transfer", "attempt", "link", "from_site", "to_site", "business_date"):
        if getattr(manifest, name) != getattr(announced, name):
            raise MessageForeign(field=name)
    if announced.parts and announced.parts != manifest.parts:
        raise MessageForeign(field="parts")


def refuse_beyond_measure(announcement: Announcement, profile: ProfileEntry) -> None:
    """Raise :class:`BundleTooLarge` for what this site would never take, before any part comes."""
    parts, size = len(announcement.parts), announcement.sealed_bytes
    if size > profile.unclosed_bytes:
        raise BundleTooLarge(what="sealed_bytes", got=size, limit=profile.unclosed_bytes)
    if parts > MOST_PARTS:
        raise BundleTooLarge(what="parts", got=parts, limit=MOST_PARTS)
    if parts > _FEW and size // parts < _SMALL_BYTES:
        raise BundleTooLarge(what="parts", got=parts, limit=max(_FEW, size // _SMALL_BYTES))


def refuse_over_quota(
    held: sa.Connection, tenant: str, announcement: Announcement, profile: ProfileEntry
) -> None:
    """Raise :class:`TooMuchUnclosed` when its sender has too much announced and unclosed here.

    Runs in the commit that notes the announcement, so that two at once cannot both be the last. An
    earlier attempt of the same transfer gives way to this one and does not count.
    """
    if held.dialect.name == "postgresql":  # SQLite has one writer; here others may announce as well
        held.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK, sa.func.hashtext(tenant))))
    open_ = sa.cast(incoming.c.announcement["sealed_bytes"].as_string(), sa.BigInteger)
    query = sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(open_), 0)).where(
        incoming.c.tenant == tenant,
        incoming.c.state == In.ANNOUNCED.value,
        incoming.c.from_site == announcement.from_site,
        incoming.c.transfer != announcement.transfer,
    )
    count, size = held.execute(query).one()
    site = announcement.from_site
    if count + 1 > profile.unclosed_transfers:
        raise TooMuchUnclosed(site=site, what="transfers", limit=profile.unclosed_transfers)
    if int(size) + announcement.sealed_bytes > profile.unclosed_bytes:
        raise TooMuchUnclosed(site=site, what="bytes", limit=profile.unclosed_bytes)


def sweep(ledger: Ledger, spool: Spool, site: str) -> list[Incoming]:
    """Refuse what was announced and never closed while it could be; return what was swept.

    A bundle lives for :data:`LIVES`; a close after that is refused, so its parts are of no use.
    """
    now = ledger.clock.now()
    query = sa.select(incoming).where(
        incoming.c.tenant == ledger.tenant,
        incoming.c.state == In.ANNOUNCED.value,
        incoming.c.started_at < to_micros(now - LIVES),
    )
    old = ledger.store.read(lambda held: [incoming_of(row) for row in held.execute(query)])
    swept = []
    for bundle in old:
        expires = from_wire(str(bundle.announcement["created"])) + LIVES
        if expires > now:
            continue
        cause = cause_of(MessageExpired(expires=_day(expires)), side=site, now=now)
        swept.append(ledger.move_in(bundle, In.REFUSED, cause=cause))
        spool.forget(bundle.transfer, bundle.attempt)
        log.warning(
            "swept: announced and never closed",
            extra={"code": MessageExpired.code, "transfer": bundle.transfer},
        )
    return swept


def _day(at: datetime) -> str:
    return at.date().isoformat()
