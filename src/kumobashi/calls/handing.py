"""Give a call to the next gateway: over a connection of ours, or by letting it be fetched."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from kumobashi.calls.posting import Answered, NoAnswer, Poster
from kumobashi.calls.signing import ANSWER_FIELD, PATH
from kumobashi.calls.sites import Sites
from kumobashi.calls.waiting import Waiting
from kumobashi.calls.wire import PROBLEM_TYPE
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

        Raises:
            NotConnected, NotLetIn: nothing was handed on.
            NoAnswer, TooLong: it was, and what came back is no answer.
            CallsWaiting: too many wait to be fetched.
        """
        if sites.may_open(sites.here, hop):
            url = sites.entry(hop).url
            came = await self.poster.send(
                "POST",
                url + PATH,
                headers=fields,
                body=body,
                seconds=seconds,
                largest=largest,
                shown=shown_at(url, hop, self.tls),
            )
            if came.status >= _SERVER_ERROR and not _is_gateways(came.fields):
                raise NoAnswer(is_late=False)  # a page of what stands before the gateway
            return came
        try:
            return await self.waiting.hold(hop, fields, body, seconds=seconds, largest=largest)
        except TimeoutError:
            raise NoAnswer(is_late=True) from None


def _is_gateways(fields: Mapping[str, str]) -> bool:
    """Whether an answer has the form of a gateway's, signed by the answering one or a refusal."""
    return ANSWER_FIELD in fields or fields.get("content-type") == PROBLEM_TYPE
