"""Measures the console's pages over a ledger of thousands of links and a year of nights.

``python -m kumobashi.testing.many_links --links 5000`` makes the sample workspace with so
many links in memory (their YAML is not read) and a state file with a transfer for each link and
night, serves the console on 127.0.0.1 and asks for each page as a browser would. It prints the
median and the 95th percentile in milliseconds, with a quiet ledger and with a commit before each.
"""

import argparse
import http.client
import json
import random
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
import uvicorn
from starlette.applications import Starlette

from kumobashi.console import console_routes, error_pages
from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.migrating import migrate
from kumobashi.exchange.reasons import Reasons
from kumobashi.exchange.sql import outgoing
from kumobashi.exchange.turns import Turns
from kumobashi.kernel import SystemClock, business_date, to_micros, to_wire
from kumobashi.planning.publishing import load_directory
from kumobashi.planning.sampling import write_sample
from kumobashi.planning.workspace import Workspace, load
from kumobashi.service.board import SiteBoard
from kumobashi.service.counting import counted
from kumobashi.service.plan_desk import PlanDesk
from kumobashi.service.planned import Planned
from kumobashi.storage.sqlite import SQLiteState

SITE = "hall-core"
_PATTERN = "notice-attributes"
_STAGES = ("delivered", "opened", "validated", "applied")


def many(workspace: Workspace, count: int) -> Workspace:
    """Return the workspace with ``count`` copies of its links that this site may send."""
    whole, documents = workspace.links[_PATTERN], dict(workspace.documents)
    links = {}
    for number in range(count):
        name = f"link-{number:05}"
        links[name] = whole.model_copy(
            update={"link": name, "name": f"業務{number:05} → お知らせ{number % 97}"}
        )
        documents[f"links/{name}.yaml"] = documents[f"links/{_PATTERN}.yaml"]
    return replace(workspace, links=links, documents=documents)


def fill(store: SQLiteState, tenant: str, links: int, days: int, today: date) -> int:
    """Write a year of nights, one transfer a link; return the rows."""
    chance = random.Random(1)
    for back in range(days - 1, -1, -1):
        on = today - timedelta(days=back)
        begun = datetime(on.year, on.month, on.day, tzinfo=UTC) - timedelta(hours=8)
        rows = [
            _night(tenant, number, on, begun + timedelta(seconds=number), chance, newest=back == 0)
            for number in range(links)
        ]
        store.write(lambda connection, rows=rows: connection.execute(sa.insert(outgoing), rows))  # type: ignore[misc]
    return links * days


def _night(
    tenant: str, number: int, on: date, begun: datetime, chance: random.Random, *, newest: bool
) -> dict[str, object]:
    drawn = chance.random()
    state = "applied" if drawn > 0.01 else "refused" if drawn > 0.004 else "held"  # noqa: PLR2004
    cause = None
    if newest and drawn > 0.97:  # noqa: PLR2004 - as when a cloud is down
        state = "sealed"
    if state != "applied":
        cause = {
            "code": "peer.unreachable" if state == "sealed" else "exchange.outside_bounds",
            "ja": "公共クラウド側が応答していません。",
            "en": "The public cloud does not answer.",
            "remedy_ja": "自動で再開します。",
            "remedy_en": "It resumes by itself.",
            "side": "public-cloud" if state == "sealed" else "hall-core",
            "since": to_wire(begun),
            "tries": 9,
        }
    people = chance.randrange(100, 400_000)
    received = {
        stage: {
            "at": to_wire(begun + timedelta(seconds=1 + place)),
            "site": "public-cloud",
            "digest": f"{number:064x}",
            "rows": people,
            "findings": 0,
            "code": None,
        }
        for place, stage in enumerate(_STAGES)
    }
    facts = {
        "released": {"extracted": people + 9, "rows": people, "without_consent": 9,
                     "quarantined": 0, "smallest_class": 10, "rows_below_five": 0, "findings": []},
        "stages": {stage: {"rows": people, "seconds": 0.4} for stage in ("extract", "release")},
        "sent": {"parts": 4, "sealed_bytes": people * 15, "payload_bytes": people * 30},
        "received": received if state == "applied" else {},
    }  # fmt: skip
    is_over = state in {"applied", "refused"}
    at = to_micros(begun)
    return {
        "tenant": tenant,
        "transfer": _id_at(at // 1000, number),
        "link": f"link-{number:05}",
        "business_date": on.isoformat(),
        "sequence": 1,
        "attempt": 1,
        "mode": "full",
        "base_transfer": None,
        "state": state,
        "plan_hash": "sha256:0",
        "bounds_accepted": False,
        "facts": facts,
        "cause": cause,
        "manifest": None,
        "started_at": at,
        "finished_at": at + 3_100_000 if is_over else None,
    }


def _id_at(millis: int, number: int) -> str:
    """Return an id as if it had been made at that time."""
    held = f"{millis:012x}"
    return f"{held[:8]}-{held[8:]}-7000-8000-{number:012x}"


def pages(links: int) -> dict[str, list[str]]:
    """Return addresses by the kind of page."""
    chance = random.Random(2)
    some = [f"link-{chance.randrange(links):05}" for _ in range(60)]
    return {
        "morning": ["/"] * 40,
        "list": ["/links"] * 20 + [f"/links?page={page}" for page in range(2, 22)],
        "list, searched": [f"/links?q={name[5:9]}" for name in some[:40]],
        "list, filtered and sorted": [
            f"/links?state={state}&sort={sort}&site=public-cloud"
            for state in ("applied", "stopped", "refused", "held")
            for sort in ("rows", "newest", "slowest", "name")
        ],
        "link": [f"/links/{name}" for name in some],
        "plans": [f"/plans?page={page}" for page in range(1, 21)],
        "plans, searched": [f"/plans?q={name[5:9]}" for name in some[:20]],
        "plan": [f"/plans/{name}" for name in some[:20]],
        "workspace": ["/workspace"] * 20,
    }


def measured(port: int, addresses: list[str], disturb: Iterator[object]) -> list[float]:
    """Return the milliseconds of each page, in order of size."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    taken = []
    for address in addresses:
        next(disturb)
        begun = time.perf_counter()
        connection.request("GET", address)
        answer = connection.getresponse()
        answer.read()
        taken.append((time.perf_counter() - begun) * 1000)
        if answer.status != http.HTTPStatus.OK:
            raise SystemExit(f"{address}: {answer.status}")
    connection.close()
    return sorted(taken)


def main() -> None:
    """Build, serve, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--links", type=int, default=5000)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--folder", type=Path, help="keep the state file here, and use it again")
    wish = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        result = bench(wish.folder or Path(made), Path(made), wish.links, wish.days)
    print(json.dumps(result, ensure_ascii=False, indent=2))  # noqa: T201 - this is the output


def bench(folder: Path, made: Path, links: int, days: int) -> dict[str, object]:
    """Return what was measured, in milliseconds and seconds."""
    clock = SystemClock()
    city = write_sample(made / "city")
    workspace = many(load(city), links)
    directory = load_directory(city, now=clock.now())
    store = SQLiteState(folder / "state.db", owner=SITE)
    migrate(store)
    ledger = Ledger(store, directory.municipality.code, clock)
    begun = time.perf_counter()
    if not ledger.outgoings(limit=1):
        fill(store, ledger.tenant, links, days, business_date(clock.now()))
    filled = time.perf_counter() - begun
    planned = Planned(directory, lambda: business_date(clock.now()))
    board = SiteBoard(
        workspace=lambda _seconds: workspace,
        directory=directory,
        planned=planned,
        ledger=ledger,
        site=SITE,
        clock=clock,
        reasons=lambda: Reasons(turns=Turns(ledger)),
    )
    begun = time.perf_counter()
    board.board()
    first = time.perf_counter() - begun
    plans = PlanDesk(
        workspace=lambda: workspace,
        directory=directory,
        planned=planned,
        site=SITE,
        folder=folder,
        clock=clock,
        count=counted,
        note=lambda _record: None,
    )
    app = Starlette(routes=console_routes(board, plans=plans), exception_handlers={**error_pages()})
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    port = server.servers[0].sockets[0].getsockname()[1]
    result: dict[str, object] = {
        "links": links,
        "transfers": links * days,
        "filled_seconds": round(filled, 1),
        "first_look_seconds": round(first, 2),
    }
    for kind, addresses in pages(links).items():
        for name, disturb in (("quiet", _quiet()), ("with commits", _commits(ledger))):
            taken = measured(port, addresses, disturb)
            result[f"{kind}, {name}"] = {
                "p50_ms": round(taken[len(taken) // 2]),
                "p95_ms": round(taken[-(-len(taken) * 95 // 100) - 1]),
                "pages": len(taken),
            }
    server.should_exit = True
    thread.join()
    store.close()
    return result


def _quiet() -> Iterator[object]:
    while True:
        yield None


def _commits(ledger: Ledger) -> Iterator[object]:
    """Change some links before each page, as in the night."""
    moving = ledger.outgoings(limit=20)
    while True:
        yield [ledger.move_out(row.transfer, None, cause=row.cause) for row in moving]


if __name__ == "__main__":
    main()
