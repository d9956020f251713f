"""How long a scrape takes with thousands of links, and what counting calls costs.

    python -m kumobashi.testing.metrics_page --links 5000 --days 35

A real gateway with that many link files and that many nights in its state is scraped over HTTP: the
first time, while parts are still being read, and then again and again, a second apart.
"""

import argparse
import asyncio
import http.client
import json
import tempfile
import time
from pathlib import Path

import uvicorn

from kumobashi.calls.metering import ANSWERED, ASKER, Meter
from kumobashi.kernel import business_date
from kumobashi.planning.sampling import write_sample
from kumobashi.service.app import application
from kumobashi.service.gateway import Gateway
from kumobashi.service.settings import read_settings
from kumobashi.storage.sqlite import SQLiteState
from kumobashi.testing.many_links import fill

SITE = "hall-core"
_PATTERN = "notice-attributes"
_CALLS = 200_000


def main() -> None:
    """Build, serve, scrape, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--links", type=int, default=5000)
    parser.add_argument("--days", type=int, default=35)
    parser.add_argument("--scrapes", type=int, default=120)
    wish = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        result = asyncio.run(bench(Path(made), wish.links, wish.days, wish.scrapes))
    print(json.dumps(result, indent=2))  # noqa: T201 - this is the output


async def bench(folder: Path, links: int, days: int, scrapes: int) -> dict[str, object]:
    """Return what was measured."""
    city = write_sample(folder / "city")
    written = (city / "links" / f"{_PATTERN}.yaml").read_text("utf-8")
    for number in range(links):
        name = f"link-{number:05}"
        text = written.replace(f"link: {_PATTERN}", f"link: {name}")
        (city / "links" / f"{name}.yaml").write_text(text, "utf-8")
    gateway = Gateway(read_settings(city, SITE, {}))
    store = gateway.store
    assert isinstance(store, SQLiteState)
    await asyncio.to_thread(
        fill, store, gateway.identity.tenant, links, days, business_date(gateway.clock.now())
    )
    app = application(gateway)
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.05)
    port = server.servers[0].sockets[0].getsockname()[1]
    result = await asyncio.to_thread(scrape, port, scrapes)
    server.should_exit = True
    await serving
    await gateway.aclose()
    return {"links": links, "transfers": links * days, **result, "meter_us": meter_cost()}


def scrape(port: int, scrapes: int) -> dict[str, object]:
    """Scrape again and again; return milliseconds, bytes and the age of the oldest part."""
    taken, size, text = [], 0, ""
    connection = http.client.HTTPConnection("127.0.0.1", port)

    for _ in range(scrapes):
        begun = time.perf_counter()
        connection.request("GET", "/metrics")
        body = connection.getresponse().read()
        taken.append((time.perf_counter() - begun) * 1000)
        size, text = len(body), body.decode()
        time.sleep(1)
    connection.close()
    ages = [
        float(line.rpartition(" ")[2])
        for line in text.splitlines()
        if line.startswith("kumobashi_metrics_age_seconds{")
    ]
    half = len(taken) // 2
    return {
        "first_ms": round(taken[0]),
        "while files and state are read for the first time": _spread(taken[1:half]),
        "afterwards": _spread(taken[half:]),
        "bytes": size,
        "oldest_part_seconds": round(max(ages), 1),
        "parts": len(ages),
    }


def _spread(taken: list[float]) -> dict[str, int]:
    held = sorted(taken)
    return {
        "p50_ms": round(held[len(held) // 2]),
        "p95_ms": round(held[-(-len(held) * 95 // 100) - 1]),
        "worst_ms": round(held[-1]),
    }


def meter_cost() -> float:
    """Return the microseconds that counting one call takes."""
    meter, begun = Meter(), time.perf_counter()
    for number in range(_CALLS):
        meter.note(ASKER, ANSWERED, number / _CALLS)
    return round((time.perf_counter() - begun) / _CALLS * 1e6, 2)


if __name__ == "__main__":
    main()
