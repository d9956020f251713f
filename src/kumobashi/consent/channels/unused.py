"""Which addresses nothing rests on any more, once some consents of a resident have ended."""

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa

from kumobashi.consent.channels.ending import end_of_resident
from kumobashi.consent.channels.states import Channel, Reason
from kumobashi.consent.records import Record
from kumobashi.consent.sql import records
from kumobashi.consent.states import LIVE


def end_unused(
    connection: sa.Connection,
    tenant: str,
    subject: str,
    ended: Collection[Record],
    *,
    now: datetime,
    by: str,
) -> list[str]:
    """End the addresses that only ``ended`` named, or all where no record of hers is left alive.

    An address that was never named stays as long as she has any live record: it may be named next.
    """
    live = records.c.state.in_(sorted(state.value for state in LIVE))
    mine = sa.and_(records.c.tenant == tenant, records.c.subject == subject, live)
    left = list(connection.execute(sa.select(records.c.channel).where(mine)).scalars())
    unused = {one.channel for one in ended if one.channel} - {Channel(one) for one in left if one}
    channels = unused if left else frozenset(Channel)
    return end_of_resident(
        connection, tenant, subject, Reason.CONSENT, channels=channels, now=now, by=by
    )
