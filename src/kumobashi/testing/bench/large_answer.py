"""One large answer through the gateways: how fast, and how much memory each takes for it."""

import asyncio
import json
import time
from typing import Any

import aiohttp

from kumobashi.testing.bench.calls_stage import Stage
from kumobashi.testing.bench.errors import PipelineFailed

_LOOK_SECONDS = 0.01


async def large_answer(stage: Stage, mib: int) -> dict[str, Any]:
    """Ask for an answer of so many mebibytes; return how it went.

    ``more_mib`` is, for each gateway, the most memory that it held while it came beyond what it
    held before.

    Raises:
        PipelineFailed: it did not come whole.
    """
    # The number of the resident says how large the answer is to be: the system is ours.
    asked = json.dumps({"resident_no": f"9{mib:09d}", "fiscal_year": "2026"}).encode()
    before = {site: used for site, (_, used) in stage.used().items()}
    most = dict(before)
    size, began = 0, time.perf_counter()
    first: float | None = None

    async def look() -> None:
        while True:
            for site, (_, used) in stage.used().items():
                most[site] = max(most[site], used)
            await asyncio.sleep(_LOOK_SECONDS)

    looking = asyncio.create_task(look())
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.post(stage.url, data=asked, headers=stage.headers) as answer,
        ):
            if answer.status != 200:  # noqa: PLR2004 - HTTP
                raise PipelineFailed(way="calls", says=(await answer.text())[:300])
            end = b""
            async for piece in answer.content.iter_any():
                first = first or time.perf_counter() - began
                size += len(piece)
                end = (end + piece)[-2:]
    except aiohttp.ClientError as error:
        raise PipelineFailed(way="calls", says=type(error).__name__) from None
    finally:
        looking.cancel()
    if end != b"]}":
        raise PipelineFailed(way="calls", says="not the whole answer")
    seconds = time.perf_counter() - began
    return {
        "asked_mib": mib,
        "came_mib": round(size / (1 << 20), 1),
        "seconds": round(seconds, 2),
        "first_seconds": round(first or seconds, 3),
        "more_mib": {site: round((most[site] - before[site]) / (1 << 20), 1) for site in before},
    }
