"""A real sender against a real HTTP server that has real limits: 413, 429, time-outs, hours."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import sqlalchemy as sa
import uvicorn
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kumobashi.exchange.adopting import name_receivers
from kumobashi.exchange.deeds import Deeds
from kumobashi.exchange.sql import outgoing
from kumobashi.exchange.states import Out
from kumobashi.messages.manifest import verify_manifest
from kumobashi.testing.outboxes import HOP, Outbox, found_workspace, outbox, sealed_row
from kumobashi.testing.signing_peer import peer_app

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)  # a Friday, noon in Japan


class Limited:
    """What stands before the peer: it answers by itself when something is beyond its limits."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.largest_body: int | None = None
        self.busy = 0  # answers with 429 before it takes anything
        self.retry_after = "1"
        self.cut = 0  # bodies that are cut off in the middle
        self.calls: list[tuple[float, str, int]] = []  # when it began, what, the answer's status
        self.refused_at = 0.0
        self.open = self.most_open = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            await self._answer(scope, receive, send)
        finally:
            self.open -= 1

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        status, began = 0, time.monotonic()

        async def noting(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        headers = dict(scope["headers"])
        size = int(headers.get(b"content-length", b"0"))
        if self.busy:
            self.busy -= 1
            answer = PlainTextResponse("later", 429, {"retry-after": self.retry_after})
        elif self.largest_body is not None and size > self.largest_body:
            answer = PlainTextResponse("too large", 413)
        elif self.cut and scope["method"] == "PUT":
            self.cut -= 1
            raise ConnectionAbortedError  # uvicorn ends the connection, or answers 500
        else:
            await self.app(scope, receive, noting)
            self.calls.append((began, scope["method"], status))
            return
        await answer(scope, receive, noting)
        if status == 429:
            self.refused_at = time.monotonic()
        self.calls.append((began, scope["method"], status))


class Clock:
    def __init__(self, at: datetime | None = None) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at or datetime.now(UTC)


@asynccontextmanager
async def standing(
    folder: Path, profile: str, clock: Clock | None = None
) -> AsyncIterator[tuple[Outbox, Limited, Callable[[], Awaitable[None]]]]:
    """Give a sender, the limits of its peer, and what starts the peer."""
    ports = found_workspace(folder, profile)
    out = outbox(folder, clock)
    app, ledger = peer_app(folder)
    limited = Limited(app)
    config = uvicorn.Config(
        limited, host="127.0.0.1", port=ports[HOP], log_level="critical", lifespan="off"
    )
    server = uvicorn.Server(config)
    serving: list[asyncio.Task[None]] = []

    async def start() -> None:
        serving.append(asyncio.create_task(server.serve()))
        while not server.started:  # noqa: ASYNC110 - uvicorn tells nobody
            await asyncio.sleep(0.01)

    try:
        yield out, limited, start
    finally:
        await out.aclose()
        server.should_exit = True
        with suppress(Exception):
            await asyncio.gather(*serving)
        ledger.store.close()


def put(
    out: Outbox, count: int = 1, *, link: str = "a-link", body: int = 200_000, part: int = 1 << 22
) -> list[str]:
    rows = [
        sealed_row(
            out.here,
            out.spool,
            link,
            number,
            body=Random(number).randbytes(body),
            now=datetime.now(UTC),
            part_bytes=part,
        )
        for number in range(count)
    ]
    out.ledger.store.write(lambda held: held.execute(sa.insert(outgoing), rows).rowcount)
    return [str(row["transfer"]) for row in rows]


async def until(done: Callable[[], bool], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not done():  # noqa: ASYNC110 - what others do is looked at
            await asyncio.sleep(0.02)


def applied(out: Outbox, transfers: list[str]) -> bool:
    return all(row.state is Out.APPLIED for row in out.ledger.several(transfers))


async def test_parts_become_smaller_when_the_peer_says_413(tmp_path: Path) -> None:
    async with standing(tmp_path / "w", "at_once: 4") as (out, limited, start):
        limited.largest_body = 60_000
        (transfer,) = put(out)
        out.dispatcher.start()
        await start()
        await until(lambda: applied(out, [transfer]))

        row = out.ledger.outgoing(transfer)
        mine = {out.here.signing.kid: out.here.signing.public}
        manifest = verify_manifest(row.manifest or "", mine)
        assert row.attempt == manifest.attempt > 1
        assert max(part.bytes for part in manifest.parts) <= 60_000
        assert sum(part.bytes for part in manifest.parts) == 200_000
        assert out.lines.to(HOP).part_bytes <= 60_000, "the next one is cut right at once"
        assert out.spool.held(transfer, 1) == frozenset()


async def test_429_is_heeded_and_nothing_else_is_called_meanwhile(tmp_path: Path) -> None:
    async with standing(tmp_path / "w", "at_once: 4") as (out, limited, start):
        limited.busy, limited.retry_after = 2, "2"
        transfers = put(out, 5, body=2_000)
        await start()
        out.dispatcher.start()
        await until(lambda: applied(out, transfers))

        after = [at - limited.refused_at for at, _, _ in limited.calls if at > limited.refused_at]
        on_their_way = [wait for wait in after if wait < 0.7]
        assert len(on_their_way) <= 2, "of the four that were under way two were refused"
        assert min(wait for wait in after if wait >= 0.7) >= 1.9
        assert out.lines.to(HOP).pace.permitted < out.lines.to(HOP).pace.per_minute
        assert all(row.attempt == 1 for row in out.ledger.several(transfers))


async def test_a_peer_that_is_down_is_probed_by_one_call_and_no_row_is_written(
    tmp_path: Path,
) -> None:
    async with standing(tmp_path / "w", "at_once: 4") as (out, limited, start):
        transfers = put(out, 40, body=500)
        out.dispatcher.start()
        line = out.lines.to(HOP)
        await until(lambda: line.health.failures >= 3)

        assert line.pace.last_minute(asyncio.get_running_loop().time()) <= 4 + 3
        assert all(row.cause is None for row in out.ledger.several(transfers))
        seen = out.dispatcher.reasons().seen(out.ledger.outgoing(transfers[-1]))
        assert seen.cause is not None
        assert seen.cause["code"] == "exchange.peer_unreachable"
        assert (seen.cause["side"], seen.cause["behind"]) == (HOP, 40)
        assert seen.cause["next_try"]

        await start()
        await until(lambda: applied(out, transfers))
        assert limited.most_open <= 4


async def test_what_an_older_version_began_is_taken_up(tmp_path: Path) -> None:
    async with standing(tmp_path / "w", "at_once: 4") as (out, _, start):
        (transfer,) = put(out, body=500)
        forgotten = sa.update(outgoing).values(to_site=None)
        out.ledger.store.write(lambda held: held.execute(forgotten).rowcount)
        await start()

        assert name_receivers(out.ledger, out.here) == 1
        assert name_receivers(out.ledger, out.here) == 0
        out.dispatcher.start()
        await until(lambda: applied(out, [transfer]))


async def test_what_was_known_of_a_peer_survives_a_restart(tmp_path: Path) -> None:
    async with standing(tmp_path / "w", "at_once: 4") as (out, _, _):
        put(out, 1, body=500)
        out.dispatcher.start()
        await until(lambda: out.lines.to(HOP).health.failures >= 3)
        failures = out.lines.to(HOP).health.failures
        await out.aclose()

        again = outbox(tmp_path / "w")
        health = again.lines.to(HOP).health
        assert health.is_down
        assert health.failures >= failures
        await again.aclose()


async def test_closed_doors_wait_visibly_and_open_by_themselves(tmp_path: Path) -> None:
    clock = Clock(NOW)
    office = 'open: {days: [mon, tue, wed, thu], opens: "08:30", closes: "17:15"}'
    async with standing(tmp_path / "w", office, clock) as (out, limited, start):
        (transfer,) = put(out, body=500)
        await start()
        out.dispatcher.start()
        await asyncio.sleep(0.3)

        assert limited.calls == []
        seen = out.dispatcher.reasons().seen(out.ledger.outgoing(transfer))
        assert seen.cause is not None
        assert seen.cause["code"] == "exchange.doors_closed"
        assert seen.cause["next_try"] == "2026-11-22T23:30:00.000000Z"  # Monday, 8:30 in Japan
        assert out.lines.to(HOP).state().standing == "closed"

        clock.at = NOW + timedelta(days=3)
        out.dispatcher.wake()
        await until(lambda: bool(limited.calls), 20)


async def test_a_body_that_is_cut_off_is_put_again_and_only_what_is_missing(
    tmp_path: Path,
) -> None:
    async with standing(tmp_path / "w", "at_once: 2") as (out, limited, start):
        limited.cut = 2
        (transfer,) = put(out, body=300_000, part=20_000)
        await start()
        out.dispatcher.start()
        await until(lambda: applied(out, [transfer]))

        taken = [status for _, method, status in limited.calls if method == "PUT"]
        assert taken.count(201) == 15, "each part was new once"
        assert out.ledger.outgoing(transfer).attempt == 1


async def test_the_quota_of_what_is_not_closed_is_kept_and_others_go_on(tmp_path: Path) -> None:
    quota = "at_once: 2, unclosed_bytes: 250000, unclosed_transfers: 100"
    async with standing(tmp_path / "w", quota) as (out, _, start):
        transfers = put(out, 4, body=100_000)
        too_large = put(out, 1, link="too-large", body=300_000)
        await start()
        out.dispatcher.start()
        await until(lambda: applied(out, transfers))

        def refused() -> bool:
            cause = out.ledger.outgoing(too_large[0]).cause
            return cause is not None and "exchange.bundle_too_large" in cause["ja"]

        await until(refused, 20)
        assert out.ledger.outgoing(too_large[0]).attempt == 1, "smaller parts are no remedy"
        assert not out.lines.to(HOP).health.is_down


async def test_a_pause_stops_it_between_two_parts_and_a_cancel_leaves_nothing(
    tmp_path: Path,
) -> None:
    slow = "at_once: 1, requests_per_minute: 60"
    async with standing(tmp_path / "w", slow) as (out, limited, start):
        (transfer,) = put(out, body=400_000, part=20_000)
        await start()
        out.dispatcher.start()
        deeds = Deeds(out.ledger)
        await until(lambda: any(method == "PUT" for _, method, _ in limited.calls))
        deeds.pause(transfer)
        await asyncio.sleep(2.5)
        before = len(limited.calls)
        await asyncio.sleep(2.5)

        assert len(limited.calls) == before, "nothing is carried while it is paused"
        deeds.cancel(transfer)
        assert out.ledger.outgoing(transfer).state is Out.CANCELLED
        deeds.resume_link("a-link")
        await asyncio.sleep(1.5)
        assert len(limited.calls) == before, "what was cancelled stays where it is"
