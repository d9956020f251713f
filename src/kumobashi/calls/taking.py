"""Prove who asks, before anything else: the same at the answering side and at every relay.

The common header, the signature of the asking site, the digest of the body, the window of time,
that it was never seen before, and that the last hop may call here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from kumobashi.calls.errors import CallForeign
from kumobashi.calls.header import CallHeader
from kumobashi.calls.seen import Seen
from kumobashi.calls.signing import PATH, Proof, check_call, hop_signature, read_call
from kumobashi.calls.sites import CurrentSites, Sites
from kumobashi.calls.wire import BUDGET
from kumobashi.crypto.errors import NoncesFull, SignatureReplayed
from kumobashi.crypto.http_signatures import NonceMemory, claimed_site, verify_request
from kumobashi.kernel import Clock
from kumobashi.observe.trace_context import HEADER, Spot, parse


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A call that was proven to come from where it says."""

    header: CallHeader
    proof: Proof
    body: bytes
    relay: str | None  # that handed it over; none: the asking site itself did
    left: float  # seconds that the asking side still waits
    trace: Spot | None = None  # that whoever handed it over is in


@dataclass
class Entrance:
    """Where calls of other gateways come in; belongs to one event loop."""

    tenant: str
    site: str
    clock: Clock
    sites: CurrentSites
    nonces: NonceMemory = field(default_factory=NonceMemory)

    def take(
        self, fields: Mapping[str, str], body: bytes, *, fetched_from: str | None = None
    ) -> Taken:
        """Prove who asks; nothing of this concerns systems yet.

        ``fetched_from`` is the site that held the call until this one came for it.

        Raises:
            CallFailed, CryptoFailed: turned away; nothing was taken.
        """
        now, sites = self.clock.now(), self.sites()
        header = read_call(fields)
        if header.tenant != self.tenant:
            raise CallForeign(field="tenant")
        proof = check_call(
            fields, header, body=body, keys=sites.keys_of(header.asking_site), now=now
        )
        relay = self._relay(fields, header, sites, fetched_from)
        self.nonces.remember(header.asking_site, header.call, now)
        left = _left(fields, header, self.clock)
        return Taken(
            header=header,
            proof=proof,
            body=body,
            relay=relay,
            left=left,
            trace=parse(fields.get(HEADER)),
        )

    def remember(self, seen: Iterable[Seen]) -> None:
        """Take none of these calls again; they were taken before this process began."""
        for at, asking_site, call in seen:
            try:
                self.nonces.remember(asking_site, call, at)
            except NoncesFull:  # the newest are left out, and nothing new is taken for a while
                return
            except SignatureReplayed:
                continue

    def _relay(
        self,
        fields: Mapping[str, str],
        header: CallHeader,
        sites: Sites,
        fetched_from: str | None,
    ) -> str | None:
        """Check who handed the call over: the asking site itself, or a relay that signs for it."""
        hop_fields = hop_signature(fields)
        caller = header.asking_site
        if hop_fields is not None:
            caller = claimed_site(fields)
            verify_request(
                method="POST",
                target_uri=sites.entry(self.site).url + PATH,
                headers=hop_fields,
                keys=sites.keys_of(caller),
                now=self.clock.now(),
                body_digest=None,  # the same field that the asking site signed
                nonces=self.nonces,
            )
        came_rightly = (
            sites.may_open(caller, self.site) if fetched_from is None else caller == fetched_from
        )
        if not came_rightly:
            raise CallForeign(field="connects_to")
        return caller if hop_fields is not None else None


def _left(fields: Mapping[str, str], header: CallHeader, clock: Clock) -> float:
    """Return the seconds left: what the last hop says, but never more than was signed."""
    said = fields.get(BUDGET, "")
    if said.isascii() and said.isdigit() and len(said) < 10:  # noqa: PLR2004 - far enough
        return min(int(said), header.budget_ms) / 1000
    return min(header.budget_ms / 1000, (header.until - clock.now()) / timedelta(seconds=1))
