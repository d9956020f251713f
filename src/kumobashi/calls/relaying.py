"""What lies between: a relay hands calls on and answers back, and reads neither.

It checks the asking site's signature and who handed the call over, so that nothing unsigned goes
on, takes its own time off the budget and signs the hop beside the signature that came. The body is
sealed to the answering site, the answer to the asking one. A relay keeps no journal: what both ends
sign is proof enough, and a call that dies here is told to whoever asks.
"""

from dataclasses import dataclass, field

from kumobashi.calls.errors import (
    CallForeign,
    CallOver,
    CertificateRefused,
    PeerAway,
    PeerSilent,
    Side,
)
from kumobashi.calls.handing import Handing
from kumobashi.calls.posting import Answered, NoAnswer, NotConnected
from kumobashi.calls.pressure import Place
from kumobashi.calls.signing import PATH
from kumobashi.calls.sites import CurrentSites, Sites
from kumobashi.calls.streams import LARGEST_STREAM, Streams, TooLong
from kumobashi.calls.taking import Taken
from kumobashi.calls.wire import BUDGET, overhead, told_on
from kumobashi.crypto.canonical import digest
from kumobashi.crypto.http_signatures import sign_request
from kumobashi.crypto.keys import SigningKey
from kumobashi.exchange.entrances import NotLetIn
from kumobashi.kernel import Clock, new_id
from kumobashi.observe import tracing
from kumobashi.observe.trace_context import HEADER, outgoing

_GRACE_SECONDS = 0.2
_OWN_MILLISECONDS = 5


@dataclass
class Relaying:
    """Hands calls on; belongs to one event loop."""

    site: str
    key: SigningKey
    clock: Clock
    sites: CurrentSites
    handing: Handing
    _places: dict[tuple[str, str], Place] = field(default_factory=dict)
    _streams: Streams = field(default_factory=lambda: Streams("中継", Side.RELAY))

    async def answer(self, taken: Taken) -> Answered:
        """Return what came back, as it came.

        Raises:
            CallOver, CallsWaiting, CertificateRefused, PeerAway, PeerSilent: told by this relay,
                and not signed for.
        """
        header, sites = taken.header, self.sites()
        if taken.left <= 0:
            raise CallOver(budget_ms=header.budget_ms, side=Side.RELAY)
        hop = sites.next_hop(header.answering_site)
        if hop is None or hop in {self.site, taken.relay, header.asking_site}:
            raise PeerAway(**about(header.answering_site, sites))
        way = (hop, header.answering_site)  # a site behind it that hangs keeps no other waiting
        place = self._places.get(way) or self._places.setdefault(
            way, Place(what=hop, side=Side.RELAY)
        )
        address = sites.entry(hop).url + PATH
        async with place.call(seconds=taken.left, budget_ms=header.budget_ms) as trial:
            try:
                with tracing.client("call.hand_on", link=header.link, to=hop, call=header.call):
                    came = await self.handing.send(
                        hop,
                        sites,
                        fields=self._fields(taken, address),
                        body=taken.body,
                        seconds=taken.left + _GRACE_SECONDS,
                        largest=LARGEST_STREAM + overhead(LARGEST_STREAM),
                    )
            except NotLetIn as error:
                trial.answered()
                why = error.told() | about(hop, sites)
                raise CertificateRefused(**why, side=Side.RELAY) from None
            except NotConnected:
                trial.failed()
                raise PeerAway(**about(hop, sites)) from None
            except NoAnswer:
                trial.failed()
                raise PeerSilent(**about(hop, sites)) from None
            except TooLong:
                trial.answered()
                raise CallForeign(field="answer", side=Side.ANSWERING_GATEWAY) from None
            trial.answered()
            rest = await self._streams.let(came.rest)
            headers = told_on(came.headers)
            return Answered(status=came.status, headers=headers, body=came.body, rest=rest)

    def _fields(self, taken: Taken, address: str) -> dict[str, str]:
        """Return the fields for the next hop: those that came, with this relay's signature."""
        fields = taken.proof.fields
        hop = sign_request(
            method="POST",
            target_uri=address,
            content_digest=digest(taken.body),
            site=self.site,
            key=self.key,
            created=self.clock.now(),
            nonce=new_id(),
        )
        came = {HEADER: taken.trace.text()} if taken.trace else {}  # also where nothing is traced
        return {
            **fields,
            **hop,
            **(outgoing() or came),
            "signature-input": f"{fields['signature-input']}, {hop['signature-input']}",
            "signature": f"{fields['signature']}, {hop['signature']}",
            BUDGET: str(max(0, round(taken.left * 1000) - _OWN_MILLISECONDS)),
        }


def about(site: str, sites: Sites) -> dict[str, object]:
    """Return what an error says about a site."""
    return {"site": site, "site_name": sites.entry(site).name, "contact": sites.contact(site)}
