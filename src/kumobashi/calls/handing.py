"""Give a call to the next gateway: over a connection of ours, or by letting it be fetched."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from kumobashi.calls.parts import PARTS_TYPE
from kumobashi.calls.posting import Answered, NoAnswer, Poster
from kumobashi.calls.signing import ANSWER_FIELD, PATH
from kumobashi.calls.sites import Sites
from kumobashi.calls.waiting import Waiting
from kumobashi.calls.wire import LARGEST_ANSWER, LARGEST_HELD, PROBLEM_TYPE
from kumobashi.crypto.client_tls import ClientTls
from kumobashi.exchange.entrances import shown_at

_SERVER_ERROR: Final = 500


@dataclass(frozen=True, slots=True)
class Handing:
    """How one gateway hands calls on."""

    poster: Poster
    waiting: Waiting
    tls: ClientTls

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
            NotConnected, NotLetIn: nothing was handed on.
            NoAnswer, TooLong: it was, and what came back is no answer.
            CallsWaiting: too many wait to be fetched.
        """
        if sites.may_open(sites.here, hop):
            url = sites.entry(hop).url
            return await self._post(
                hop, url, fields=fields, body=body, seconds=seconds, largest=largest
            )
        largest = min(largest, LARGEST_ANSWER)
        try:
            return await self.waiting.hold(hop, fields, body, seconds=seconds, largest=largest)
        except TimeoutError:
            raise NoAnswer(is_late=True) from None

    async def _post(
        self,
        hop: str,
        url: str,
        *,
        fields: Mapping[str, str],
        body: bytes,
        seconds: float,
        largest: int,
    ) -> Answered:
        try:
            async with asyncio.timeout(seconds):
                came = await self.poster.begin(
                    "POST",
                    url + PATH,
                    headers=fields,
                    body=body,
                    seconds=seconds,
                    largest=largest,
                    shown=shown_at(url, hop, self.tls),
                )
                if came.rest is not None and came.fields.get("content-type") != PARTS_TYPE:
                    came = await came.whole(min(largest, LARGEST_HELD))
        except TimeoutError:
            raise NoAnswer(is_late=True) from None
        if came.status >= _SERVER_ERROR and not _is_gateways(came.fields):
            raise NoAnswer(is_late=False)  # a page of what stands before the gateway
        return came


def _is_gateways(fields: Mapping[str, str]) -> bool:
    """Whether an answer has the form of a gateway's, signed by the answering one or a refusal."""
    return ANSWER_FIELD in fields or fields.get("content-type") in {PROBLEM_TYPE, PARTS_TYPE}
