"""The network of the simulated world: requests wait, get lost, come twice, come late."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol

from kumobashi.exchange.errors import PeerRefused, PeerUnreachable
from kumobashi.exchange.inbox import Inbox
from kumobashi.exchange.lines import Lines
from kumobashi.exchange.peers import Answer
from kumobashi.exchange.refusals import Refusal
from kumobashi.kernel import KumobashiError
from kumobashi.messages.announcement import Announcement
from kumobashi.messages.media_types import TAKES_KEYS
from kumobashi.messages.parts import Part
from kumobashi.messages.recall import Recall
from kumobashi.testing.simulation.disks import Life

_TIMEOUT_SECONDS = 5.0
_LATE_SECONDS = 30.0
Handler = Callable[[Inbox], Awaitable[Any]]


@dataclass(slots=True, kw_only=True)
class Weather:
    """How bad the network is, as chances of one request."""

    lost: float = 0.0
    answer_lost: float = 0.0
    twice: float = 0.0
    late: float = 0.0  # given up by the caller, and delivered long after
    altered: float = 0.0  # a bit of a part
    slowest_seconds: float = 0.5

    def clear(self) -> None:
        """Let every request through."""
        self.lost = self.answer_lost = self.twice = self.late = self.altered = 0.0


class Host(Protocol):
    """A site as the network sees it."""

    inbox: Inbox | None  # none while its process is down

    def spawn(self, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        """Run something in that site's process."""


class Network:
    """Carries calls between hosts."""

    def __init__(
        self, chance: random.Random, weather: Weather, on_receipts: Callable[[list[str]], None]
    ) -> None:
        self.hosts: dict[str, Host] = {}
        self.weather = weather
        self._on_receipts = on_receipts  # hears every signed receipt as it is handed over
        self._chance = chance
        self._stray: set[asyncio.Task[None]] = set()

    async def call(self, site: str, handler: Handler) -> Answer:
        """Bring a request to ``site`` and its answer back, or fail as a real line fails."""
        weather, chance = self.weather, self._chance
        await asyncio.sleep(chance.uniform(0.0, weather.slowest_seconds))
        if chance.random() < weather.lost:
            await asyncio.sleep(_TIMEOUT_SECONDS)
            raise _unreachable(site)
        if chance.random() < weather.late:
            self._send_stray(site, handler, chance.uniform(0.0, _LATE_SECONDS))
            await asyncio.sleep(_TIMEOUT_SECONDS)
            raise _unreachable(site)
        if chance.random() < weather.twice:
            self._send_stray(site, handler, chance.uniform(0.0, _LATE_SECONDS))
        answer = await self._deliver(site, handler)
        await asyncio.sleep(chance.uniform(0.0, weather.slowest_seconds))
        if chance.random() < weather.answer_lost:
            raise _unreachable(site)
        self._on_receipts([str(token) for token in answer.get("receipts", ())])
        return answer

    async def _deliver(self, site: str, handler: Handler) -> dict[str, Any]:
        host = self.hosts[site]
        if host.inbox is None:
            raise _unreachable(site)
        task = host.spawn(_handled(handler, host.inbox))
        await asyncio.wait([task])
        if task.cancelled() or not isinstance(task.exception(), Exception | None):
            raise _unreachable(site)  # its process was killed meanwhile
        error = task.exception()
        if isinstance(error, KumobashiError):
            refusal = Refusal(
                status=error.status, code=error.code, says="", retryable=error.retryable, missing=()
            )
            raise PeerRefused(
                site=site, site_name=site, peer_code=error.code, peer_says="", refusal=refusal
            )
        if error is not None:
            raise error
        answer = task.result()
        return dict(answer) if isinstance(answer, dict) else {}

    def _send_stray(self, site: str, handler: Handler, seconds: float) -> None:
        """Deliver a request that nobody waits for."""

        async def stray() -> None:
            await asyncio.sleep(seconds)
            with suppress(PeerUnreachable, PeerRefused):
                await self._deliver(site, handler)

        task = asyncio.get_running_loop().create_task(stray())
        self._stray.add(task)
        task.add_done_callback(self._stray.discard)


class SimulatedPeers:
    """Meets ``Peers`` for one life of one site; the lines are real."""

    def __init__(
        self, network: Network, site: str, lines: Lines, life: Life, chance: random.Random
    ) -> None:
        self.lines = lines
        self._network, self._site, self._life, self._chance = network, site, life, chance

    async def announce(self, site: str, announcement: Announcement) -> Answer:
        """Tell ``site`` what is coming."""
        body = announcement.encode()
        return await self._call(site, lambda inbox: inbox.announce(self._site, body))

    async def put_part(
        self, site: str, transfer: str, attempt: int, part: Part, body: BinaryIO
    ) -> None:
        """Give ``site`` one part."""
        sent, hex_ = body.read(), part.digest.removeprefix("sha256:")
        if self._chance.random() < self._network.weather.altered:
            sent = bytes([sent[0] ^ 1]) + sent[1:]
        await self._call(
            site, lambda inbox: inbox.part(self._site, transfer, attempt, hex_, _pieces(sent))
        )

    def require_keys(self, _site: str, answer: Answer) -> None:
        """Expect that the other side takes keys: all sites are of this release."""
        assert TAKES_KEYS in answer["takes"], "every inbox says so"

    async def put_key(self, site: str, transfer: str, attempt: int, document: bytes) -> None:
        """Give ``site`` the wrapped key."""
        await self._call(site, lambda inbox: inbox.key(self._site, transfer, attempt, document))

    async def close_attempt(self, site: str, transfer: str, attempt: int, manifest: str) -> Answer:
        """Hand over the signed manifest."""
        return await self._call(
            site, lambda inbox: inbox.close(self._site, transfer, attempt, manifest)
        )

    async def status(
        self, site: str, transfer: str, attempt: int, *, after: int, seen: str, wait: int
    ) -> Answer:
        """Ask how it stands."""
        return await self._call(
            site,
            lambda inbox: inbox.status(
                self._site, transfer, attempt, after=after, seen=seen, wait=wait
            ),
        )

    async def recall(self, site: str, recall: Recall) -> Answer:
        """Ask whether what ``site`` signed is still there."""
        body = recall.encode()
        return await self._call(site, lambda inbox: inbox.recall(self._site, body))

    def hear(self, _site: str, _checkpoint: object) -> None:
        """Leave logs of evidence alone: the simulated world has none."""

    async def aclose(self) -> None:
        """Nothing is open."""

    async def _call(self, site: str, handler: Handler) -> Answer:
        async with self.lines.to(site).call():
            self._life.step("before a request")
            answer = await self._network.call(site, handler)
            self._life.step("after an answer")
        return answer


async def _handled(handler: Handler, inbox: Inbox) -> Any:  # noqa: ANN401 - any answer
    return await handler(inbox)


async def _pieces(body: bytes) -> AsyncIterator[bytes]:
    half = len(body) // 2
    yield body[:half]
    await asyncio.sleep(0)
    yield body[half:]


def _unreachable(site: str) -> PeerUnreachable:
    return PeerUnreachable(site=site, site_name=site, reason_ja="応答なし", reason="no answer")
