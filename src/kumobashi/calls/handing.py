"""Give a call to the next gateway: over a connection of ours, or by letting it be fetched."""

from collections.abc import Mapping
from dataclasses import dataclass

from kumobashi.calls.posting import Answered, NoAnswer, Poster
from kumobashi.calls.signing import PATH
from kumobashi.calls.sites import Sites
from kumobashi.calls.waiting import Waiting


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

        Raises:
            NotConnected: nothing was handed on.
            NoAnswer, TooLong: it was, and what came back is no answer.
            CallsWaiting: too many wait to be fetched.
        """
        if sites.may_open(sites.here, hop):
            return await self.poster.send(
                "POST",
                sites.entry(hop).url + PATH,
                headers=fields,
                body=body,
                seconds=seconds,
                largest=largest,
            )
        try:
            return await self.waiting.hold(hop, fields, body, seconds=seconds, largest=largest)
        except TimeoutError:
            raise NoAnswer(is_late=True) from None
