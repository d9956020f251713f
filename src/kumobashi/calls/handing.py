"""Give a call to the next gateway: over a connection of ours, or by letting it be fetched."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from kumobashi.calls.parts import PARTS_TYPE
from kumobashi.calls.posting import Answered, NoAnswer, Poster
from kumobashi.calls.signing import PATH
from kumobashi.calls.sites import Sites
from kumobashi.calls.waiting import Waiting
from kumobashi.calls.wire import LARGEST_ANSWER, LARGEST_HELD


@dataclass(frozen=True, slots=True)
class Handing:
    """How one gateway hands calls on."""

    poster: Poster
    waiting: Waiting

    async def send(
        self,
        hop: str,
        sites: Sites,
        *,
        fields: Mapping[str, str],
        body: bytes,
        seconds: float,
        largest: int,
    ) -> Answered:
        """Hand a call to ``hop`` and return what comes back.

        Of an answer in parts ``rest`` follows as it comes; whatever else comes is held whole, and
        so is what is fetched.

        Raises:
            NotConnected: nothing was handed on.
            NoAnswer, TooLong: it was, and what came back is no answer.
            CallsWaiting: too many wait to be fetched.
        """
        if sites.may_open(sites.here, hop):
            return await self._post(sites.entry(hop).url + PATH, fields, body, seconds, largest)
        largest = min(largest, LARGEST_ANSWER)
        try:
            return await self.waiting.hold(hop, fields, body, seconds=seconds, largest=largest)
        except TimeoutError:
            raise NoAnswer(is_late=True) from None

    async def _post(
        self, address: str, fields: Mapping[str, str], body: bytes, seconds: float, largest: int
    ) -> Answered:
        try:
            async with asyncio.timeout(seconds):
                came = await self.poster.begin(
                    "POST", address, headers=fields, body=body, seconds=seconds, largest=largest
                )
                if came.rest is None or came.fields.get("content-type") == PARTS_TYPE:
                    return came
                return await came.whole(min(largest, LARGEST_HELD))
        except TimeoutError:
            raise NoAnswer(is_late=True) from None
