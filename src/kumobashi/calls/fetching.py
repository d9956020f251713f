"""Fetch the calls that wait elsewhere for this site, and bring their answers back.

Where connections open outward only, nobody can hand a call over. So this gateway keeps a long poll
open to the sites that hold calls for it, does with what comes what it would have done had it been
handed over, and posts the answer. A poll is renewed before the call that it brought is looked at.
A relay asks for calls only while somebody asks it.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Final

from kumobashi.calls.bridging import After
from kumobashi.calls.header import FIELD
from kumobashi.calls.posting import Answered, NoAnswer, NotConnected, Poster
from kumobashi.calls.signing import read_call
from kumobashi.calls.sites import CurrentSites
from kumobashi.calls.streams import WHOLE, Pieces, TooLong
from kumobashi.calls.wire import LARGEST_REQUEST, overhead
from kumobashi.crypto.canonical import digest
from kumobashi.crypto.client_tls import ClientTls
from kumobashi.crypto.http_signatures import EMPTY_BODY, sign_request
from kumobashi.crypto.keys import SigningKey
from kumobashi.exchange.entrances import NotLetIn, shown_at
from kumobashi.kernel import Clock, KumobashiError, new_id

log = logging.getLogger(__name__)
WAITING_PATH: Final = "/peer/v1/calls/waiting"
ANSWERS_PATH: Final = "/peer/v1/calls/answers/"
STATUS_FIELD: Final = "kumobashi-answer-status"
POLL_SECONDS: Final = 20.0
_GRACE_SECONDS: Final = 5.0
_POLLS: Final = 3  # open to each site, so that one is always there while others come back
_MOST_AT_ONCE: Final = 256
_LOOK_SECONDS: Final = 0.5
_FIRST_REST, _LONGEST_REST = 0.2, 5.0
_ANSWER_SECONDS: Final = 30.0
_TRIES: Final = 3
_TAKEN: Final = 202
Answer = Callable[[Mapping[str, str], bytes, str], Awaitable[Answered]]


@dataclass
class Fetcher:
    """Fetches for one site; belongs to one event loop."""

    site: str
    key: SigningKey
    clock: Clock
    sites: CurrentSites
    poster: Poster
    tls: ClientTls
    answer: Answer  # what is done with a call: fields, body, and where it was fetched
    holders: Callable[[], frozenset[str]]  # where calls may wait for this site just now
    _polls: dict[str, list[asyncio.Task[None]]] = field(default_factory=dict)
    _under_way: set[asyncio.Task[None]] = field(default_factory=set)

    async def keep_fetching(self) -> None:
        """Keep polls open to whoever may hold calls."""
        try:
            while True:
                wanted = self.holders()
                for site in wanted - self._polls.keys():
                    self._polls[site] = [
                        asyncio.create_task(self._keep_asking(site), name=f"fetch from {site}")
                        for _ in range(_POLLS)
                    ]
                for site in self._polls.keys() - wanted:
                    for poll in self._polls.pop(site):
                        poll.cancel()
                await asyncio.sleep(_LOOK_SECONDS)
        finally:
            tasks = [*(one for held in self._polls.values() for one in held), *self._under_way]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep_asking(self, site: str) -> None:
        rest = _FIRST_REST
        while True:
            while len(self._under_way) >= _MOST_AT_ONCE:
                await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)
            try:
                came = await self._ask(site)
            except NotLetIn as error:
                told = {"from": site, "reason": str(error)}
                log.warning("the entrance does not take our client certificate", extra=told)
                came = Answered(status=0, headers=(), body=b"")
            except (NotConnected, NoAnswer, TooLong, KumobashiError) as error:
                log.debug("no calls fetched", extra={"from": site, "kind": type(error).__name__})
                came = Answered(status=0, headers=(), body=b"")
            if came.status in {200, 204}:
                rest = _FIRST_REST
            else:
                await asyncio.sleep(rest * random.uniform(0.5, 1.0))  # noqa: S311 - jitter
                rest = min(_LONGEST_REST, rest * 2)
            if came.status == 200:  # noqa: PLR2004 - HTTP
                doing = asyncio.create_task(self._do(site, came), name="answer a fetched call")
                self._under_way.add(doing)
                doing.add_done_callback(self._under_way.discard)

    async def _ask(self, site: str) -> Answered:
        url = self.sites().entry(site).url
        address = url + WAITING_PATH
        return await self.poster.send(
            "POST",
            address,
            headers=self._signed(address, EMPTY_BODY),
            body=b"",
            seconds=POLL_SECONDS + _GRACE_SECONDS,
            largest=LARGEST_REQUEST + overhead(LARGEST_REQUEST),
            shown=shown_at(url, site, self.tls),
        )

    async def _do(self, site: str, came: Answered) -> None:
        """Answer one call, and bring the answer to where the call waited."""
        if FIELD not in came.fields:
            log.warning("what was fetched is no call", extra={"from": site})
            return
        try:
            call = read_call(came.fields).call
            answered = await self.answer(came.fields, came.body, site)
            if answered.rest is None:
                await self._bring(site, call, answered)
            else:
                await self._bring_pieces(site, call, answered, answered.rest)
        except KumobashiError as error:
            log.warning("a fetched call was not answered", extra={"code": error.code, "from": site})
        except Exception:
            log.exception("a fetched call was not answered")

    async def _bring_pieces(self, site: str, call: str, answered: Answered, rest: Pieces) -> None:
        """Bring a large answer, one piece after the other; each waits until it can be read."""
        number, after = 0, After.MORE
        held = bytearray(answered.body)
        async with aclosing(rest):
            while after is After.MORE:
                try:
                    while len(held) < WHOLE and after is After.MORE:
                        piece = await anext(rest, None)
                        held += piece or b""
                        after = After.MORE if piece is not None else After.END
                except (NoAnswer, TooLong) as error:
                    kind = type(error).__name__
                    log.warning("a large answer broke off", extra={"kind": kind, "to": site})
                    after = After.BROKEN
                sent = replace(answered, body=bytes(held), rest=None)
                if not await self._bring(site, f"{call}/{number}/{after}", sent):
                    return
                number += 1
                held.clear()

    async def _bring(self, site: str, call: str, answered: Answered) -> bool:
        """Bring an answer, or a piece of one; return whether somebody took it."""
        url = self.sites().entry(site).url
        address = url + ANSWERS_PATH + call
        for number in range(_TRIES):  # an answer may come twice: the second finds nobody
            try:
                came = await self.poster.send(
                    "POST",
                    address,
                    headers=self._answer_fields(address, answered),
                    body=answered.body,
                    seconds=_ANSWER_SECONDS,
                    largest=LARGEST_REQUEST,
                    shown=shown_at(url, site, self.tls),
                )
            except (NotConnected, NotLetIn, NoAnswer):
                await asyncio.sleep(_FIRST_REST * (number + 1))
            else:
                return came.status == _TAKEN
        log.warning("an answer could not be brought back", extra={"to": site})
        return False

    def _answer_fields(self, address: str, answered: Answered) -> dict[str, str]:
        """Return the fields of the answer, with this site's signature beside the answerer's."""
        fields, hop = answered.fields, self._signed(address, digest(answered.body))
        both: dict[str, str] = {
            name: f"{fields[name]}, {hop[name]}"
            for name in ("signature-input", "signature")
            if name in fields
        }
        return {**fields, **hop, **both, STATUS_FIELD: str(answered.status)}

    def _signed(self, address: str, body_digest: str) -> dict[str, str]:
        return sign_request(
            method="POST",
            target_uri=address,
            content_digest=body_digest,
            site=self.site,
            key=self.key,
            created=self.clock.now(),
            nonce=new_id(),
        )
