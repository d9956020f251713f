"""Take up transfers that an older version began: their rows do not say who the receiver is."""

import logging

import sqlalchemy as sa

from kumobashi.crypto.errors import CryptoFailed
from kumobashi.exchange.identity import Identity
from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.sql import outgoing
from kumobashi.exchange.states import LEFT, Out
from kumobashi.messages.errors import MessageFailed
from kumobashi.messages.manifest import verify_manifest

log = logging.getLogger(__name__)


def name_receivers(ledger: Ledger, identity: Identity) -> int:
    """Write the receiver into rows that lack it, from their own manifests; return how many.

    What is not sealed yet is told when it is. Without its receiver a row would have no turn.
    """
    states = [state.value for state in (Out.SEALED, *LEFT)]
    mine = sa.and_(outgoing.c.tenant == ledger.tenant, outgoing.c.to_site.is_(None))
    query = sa.select(outgoing.c.transfer, outgoing.c.manifest).where(
        mine, outgoing.c.state.in_(states)
    )
    keys = identity.keys_of(identity.site)
    named = 0
    for transfer, manifest in ledger.store.read(lambda held: held.execute(query).all()):
        try:
            to_site = verify_manifest(manifest or "", keys).to_site
        except (CryptoFailed, MessageFailed) as error:
            extra = {"code": error.code, "transfer": transfer}
            log.warning("the manifest of a transfer cannot be read", extra=extra)
            continue
        change = sa.update(outgoing).where(mine, outgoing.c.transfer == transfer)
        ledger.store.write(
            lambda held, change=change, to_site=to_site: (
                held.execute(  # type: ignore[misc]
                    change.values(to_site=to_site)
                ).rowcount
            )
        )
        named += 1
    return named
