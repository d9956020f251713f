"""One end of calls: who this gateway is, what it permits, and what it records with."""

from dataclasses import dataclass, field

from kumobashi.calls.handing import Handing
from kumobashi.calls.journal import Journal
from kumobashi.calls.metering import Meter
from kumobashi.calls.permits import Permits
from kumobashi.calls.posting import Poster
from kumobashi.calls.sites import CurrentSites
from kumobashi.crypto.keys import SealKey, SigningKey
from kumobashi.kernel import Clock


@dataclass(frozen=True, kw_only=True)
class Here:
    """What the asking and the answering side of one gateway share."""

    tenant: str
    site: str
    key: SigningKey = field(repr=False)
    sealing: SealKey = field(repr=False)
    clock: Clock
    sites: CurrentSites
    permits: Permits
    journal: Journal
    poster: Poster  # to systems
    handing: Handing  # to other gateways
    meter: Meter = field(default_factory=Meter)
