"""What a gateway tells peers about evidence logs: its newest checkpoint, and proofs."""

import asyncio
from typing import TYPE_CHECKING, Any

from kumobashi.evidence.errors import LogForked, LogRolledBack, SizeBeyond
from kumobashi.evidence.log import prove_consistency
from kumobashi.exchange.errors import PeerRefused

if TYPE_CHECKING:
    from kumobashi.service.gateway import Gateway


class PeerEvidence:
    """The own log, and the way to those of the sites behind."""

    def __init__(self, gateway: "Gateway") -> None:
        self._gateway = gateway

    @property
    def newest(self) -> str | None:
        """The newest checkpoint of the own log."""
        return self._gateway.evidence.newest

    async def prove(self, site: str, old: int, new: int) -> list[str]:
        """Return the proof, in base64, that the log of ``site`` at ``new`` begins with ``old``.

        Raises:
            SizeBeyond: that log has not so many records.
            PeerUnreachable, PeerRefused: the way there.
            MessageForeign: no such site.
        """
        gateway = self._gateway
        gateway.identity.at(site)
        if site == gateway.identity.site:
            tenant = gateway.identity.tenant
            return await asyncio.to_thread(
                gateway.store.read, lambda held: prove_consistency(held, tenant, old, new)
            )
        try:
            answer = await gateway.peers.consistency(site, old, new)
        except PeerRefused as refused:
            if refused.peer_code == SizeBeyond.code:  # as it was said there
                raise SizeBeyond(size="?", wished=new) from None
            raise
        proof = answer.get("proof")
        return [str(part) for part in proof] if isinstance(proof, list) else []

    async def witness(self, site: str, note: str, old: int, proof: list[str]) -> dict[str, Any]:
        """Have ``site`` keep a checkpoint that another one offers it.

        Raises:
            CheckpointAltered, CheckpointForeign, LogRolledBack, LogForked: see ``Witness.offered``.
            PeerUnreachable, PeerRefused: the way there.
            MessageForeign: no such site.
        """
        gateway = self._gateway
        gateway.identity.at(site)
        if site == gateway.identity.site:
            return await asyncio.to_thread(gateway.witness.offered, note, old, proof)
        try:
            answer = await gateway.peers.offer(site, note, old, proof)
        except PeerRefused as refused:
            for kind in (LogRolledBack, LogForked):  # as it was said there
                if refused.peer_code == kind.code:
                    raise kind(site="?", seen="?", size="?") from None
            raise
        return {"size": answer.get("size"), "kept": answer.get("kept")}
