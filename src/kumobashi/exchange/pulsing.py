"""The pulse along the ways of this site: asked here, handed on there, joined into what is known.

    question ──► relay ──► relay ──► receiver
    words    ◄── signed by each, the nearest first

How a way is found to be broken: the last site that gave a word says which next one did not answer.
Words are verified here with the keys of the directory; one that does not fit ends what is believed.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from kumobashi.exchange.errors import StrangeCaller
from kumobashi.exchange.identity import Identity
from kumobashi.exchange.line import NOT_REACHED
from kumobashi.exchange.peers import Peers
from kumobashi.kernel import Clock, KumobashiError, new_id
from kumobashi.messages.errors import MessageForeign
from kumobashi.messages.media_types import FORMAT
from kumobashi.messages.pulses import (
    NOT_UNDERSTOOD,
    Pulse,
    PulseWord,
    Trouble,
    sign_word,
    verify_word,
    words_of,
)
from kumobashi.routing.finding import route

BUDGET_SECONDS = 8.0  # for the whole way, there and back
_HOP_SECONDS = 0.5  # what a site keeps for its own answer
_LATE = "exchange.peer_unreachable"
Troubles = Callable[[], Sequence[Trouble]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """What one pulse brought back."""

    to_site: str
    way: tuple[str, ...]  # the sites it had to pass, this one first
    at: datetime  # when it was asked, by the clock here
    seconds: float  # until the answer, by the monotonic clock here
    words: tuple[PulseWord, ...]  # verified, the nearest site first
    broken_from: str | None  # the last site that gave a word, where the way ends too early
    broken_to: str | None  # the one that did not answer it
    code: str | None  # why

    @property
    def is_whole(self) -> bool:
        """Whether it reached the end and came back."""
        return self.code is None


class Pulsing:
    """Asks along ways, and answers those of others."""

    def __init__(
        self, identity: Identity, peers: Peers, clock: Clock, troubles: Troubles = tuple
    ) -> None:
        self._identity = identity
        self._peers = peers
        self._clock = clock
        self.troubles = troubles
        self.heard: dict[str, datetime] = {}  # when each site last sent a pulse by here

    async def ask(self, to_site: str, budget: float = BUDGET_SECONDS) -> Beat:
        """Send a pulse to ``to_site`` and return what came of it; a failure is a result."""
        identity = self._identity
        hops = route(identity.directory.sites, identity.site, to_site)
        way = (identity.site, *(hop.to_site for hop in hops))
        pulse = Pulse(
            tenant=identity.tenant,
            from_site=identity.site,
            to_site=to_site,
            id=new_id(),
            at=self._clock.now(),
            budget_ms=int(budget * 1000),
        )
        began = time.monotonic()
        tokens, code = await self._hand_on(pulse, budget)
        words, code = self._believed(pulse, way, tokens, code)
        last = words[-1].site if words else identity.site
        if not code and last != to_site:
            code = (words[-1].next_code if words else None) or _LATE
        return Beat(
            to_site=to_site,
            way=way,
            at=pulse.at,
            seconds=time.monotonic() - began,
            words=words,
            broken_from=last if code else None,
            broken_to=_after(way, last) if code else None,
            code=code,
        )

    async def answer(self, caller: str, body: bytes) -> dict[str, object]:
        """Answer a pulse of a peer; one for another site is handed on first.

        Raises:
            FieldWrong, FormatUnknown: not a pulse.
            StrangeCaller: the directory lets nobody call from there.
            MessageForeign: of another municipality, or to a site nobody knows.
        """
        came = self._clock.now()
        identity = self._identity
        pulse = Pulse.decode(body)
        if not identity.may_call(caller):
            raise StrangeCaller(site=caller)
        if pulse.tenant != identity.tenant:
            raise MessageForeign(field="tenant")
        identity.at(pulse.to_site)
        self.heard[pulse.from_site] = came
        tokens: Sequence[str] = ()
        code, next_site = None, None
        if pulse.to_site != identity.site:
            next_site = identity.next_hop(pulse.to_site)
            left = pulse.budget_ms / 1000 - _HOP_SECONDS
            tokens, code = await self._hand_on(pulse, left)
        word = PulseWord(
            tenant=identity.tenant,
            site=identity.site,
            pulse=pulse.id,
            came=came,
            left=self._clock.now(),
            next_site=next_site,
            next_code=code,
            troubles=tuple(await asyncio.to_thread(self.troubles)),
        )
        mine = await asyncio.to_thread(sign_word, word, identity.asks_with)
        return {"format": FORMAT, "words": [mine, *tokens]}

    async def _hand_on(self, pulse: Pulse, seconds: float) -> tuple[Sequence[str], str | None]:
        """Return the words of the sites behind, and why the next one gave none."""
        if seconds <= 0:
            return (), _LATE
        hop = self._identity.next_hop(pulse.to_site)
        asked = Pulse(
            tenant=pulse.tenant,
            from_site=pulse.from_site,
            to_site=pulse.to_site,
            id=pulse.id,
            at=pulse.at,
            budget_ms=max(1, int(seconds * 1000)),
        )
        try:
            async with asyncio.timeout(seconds):
                answer = await self._peers.pulse(hop, asked.encode())
        except TimeoutError:
            return (), _LATE
        except NOT_REACHED as error:
            return (), error.code
        except KumobashiError as error:
            refused = getattr(error, "peer_code", error.code)
            # An older release answers; it has no words for this.
            return (), "monitor.pulse_unknown" if refused in NOT_UNDERSTOOD else error.code
        return words_of(answer), None

    def _believed(
        self, pulse: Pulse, way: Sequence[str], tokens: Sequence[str], code: str | None
    ) -> tuple[tuple[PulseWord, ...], str | None]:
        words: list[PulseWord] = []
        for site, token in zip(way[1:], tokens, strict=False):
            try:
                words.append(verify_word(token, pulse, site, self._identity.keys_of(site)))
            except KumobashiError as error:
                return tuple(words), error.code
        if words and code is None and words[-1].site != pulse.to_site:
            code = words[-1].next_code
        return tuple(words), code


def _after(way: Sequence[str], site: str) -> str | None:
    at = way.index(site)
    return way[at + 1] if at + 1 < len(way) else None
