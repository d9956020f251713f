"""What a watch beside the gateway is told: ways, troubles, causes, and how far each link is.

Asked every few seconds by ``kumobashi watch``, so it costs little: what seldom changes (names,
sites, deadlines) is given once, and again only when it has changed.
"""

import asyncio
import hashlib
import json
import threading
import time
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kumobashi.exchange.views import Board, Light, LinkRow
from kumobashi.kernel import to_wire
from kumobashi.service.beating import Known
from kumobashi.service.board import SiteBoard
from kumobashi.service.endpoint import Endpoint
from kumobashi.service.gateway import Gateway
from kumobashi.service.local_api import guarded, plain

_SETTLED_SECONDS = 20.0
_TROUBLED = frozenset({Light.WAITING, Light.STOPPED, Light.REFUSED})


def watch_routes(gateway: Gateway, endpoint: Endpoint, board: SiteBoard) -> list[Route]:
    """Return the route that a watch asks."""
    api = _WatchApi(gateway, endpoint, board)
    return [Route("/api/v1/watch", guarded(gateway, api.look), methods=["GET"])]


class _WatchApi:
    def __init__(self, gateway: Gateway, endpoint: Endpoint, board: SiteBoard) -> None:
        self._gateway = gateway
        self._endpoint = endpoint
        self._board = board
        self._lock = threading.Lock()
        self._held: tuple[float, str, dict[str, Any]] | None = None

    async def look(self, request: Request) -> Response:
        """Return what is known now; ``known`` is the version of the settled part one has."""
        known = request.query_params.get("known", "")[:64]
        return JSONResponse(await asyncio.to_thread(self._look, known))

    def _look(self, known: str) -> dict[str, Any]:
        gateway = self._gateway
        board = self._board.board()
        version, settled = self._fresh(board)
        beating, pulsing = self._endpoint.beating, gateway.pulsing
        return {
            "site": board.site,
            "at": to_wire(gateway.clock.now()),
            "incarnation": gateway.process,
            "version": version,
            "settled": None if known == version else settled,
            "ways": [_way(one) for one in list(beating.known.values())],
            "heard": {site: to_wire(at) for site, at in list(pulsing.heard.items())},
            "troubles": [one.plain() for one in pulsing.troubles()],
            "links": {row.link: _state(row) for row in board.rows if row.started},
            "causes": self._causes(board),
        }

    def _fresh(self, board: Board) -> tuple[str, dict[str, Any]]:
        """Return the settled part with its version, not older than some seconds."""
        now = time.monotonic()
        with self._lock:
            if self._held is None or now - self._held[0] > _SETTLED_SECONDS:
                settled = self._settled(board)
                text = json.dumps(settled, sort_keys=True).encode()
                self._held = (now, hashlib.sha256(text).hexdigest(), settled)
            return self._held[1], self._held[2]

    def _settled(self, board: Board) -> dict[str, Any]:
        """Return names, contacts and deadlines."""
        directory = self._gateway.directory
        declared = self._endpoint.wiring.workspace(seconds_old=_SETTLED_SECONDS).every_link
        return {
            "municipality": [board.municipality_code, board.municipality_name],
            "sites": {
                name: {"name": entry.name, "contact": entry.contact, "role": entry.role}
                for name, entry in directory.sites.items()
            },
            "contacts": {
                name: {"name": entry.name, "phone": entry.phone, "hours": entry.hours}
                for name, entry in directory.contacts.items()
            },
            "links": {
                row.link: {
                    "name": row.name,
                    "daily": row.daily,
                    "deadline": row.deadline,
                    "sites": [site for site, _ in row.sites],
                    "contact": declared[row.link].contact if row.link in declared else None,
                }
                for row in board.rows
            },
        }

    def _causes(self, board: Board) -> list[dict[str, Any]]:
        """Return why links wait or were refused, one for each cause, with the links it stops."""
        gathered: dict[tuple[str, str, Light], list[LinkRow]] = {}
        for row in board.rows:
            if row.light in _TROUBLED and row.cause_code and row.cause_side:
                key = (row.cause_code, row.cause_side, row.light)
                gathered.setdefault(key, []).append(row)
        found = []
        for (code, side, light), rows in gathered.items():
            view = self._board.link(rows[0].link)
            cause = view.latest.cause if view and view.latest else None
            if cause is None or cause.is_calm:
                continue
            found.append(
                {
                    "code": code,
                    "side": side,
                    "light": light.value,
                    "stage": view.latest.state if view and view.latest else "",
                    "what": plain(cause.what),
                    "remedy": plain(cause.remedy),
                    "since": to_wire(cause.since),
                    "tries": cause.tries,
                    "next_try": to_wire(cause.next_try) if cause.next_try else None,
                    "links": [row.link for row in rows],
                }
            )
        return found


def _state(row: LinkRow) -> list[str]:
    return [to_wire(row.started) if row.started else "", row.light.value]


def _way(known: Known) -> dict[str, Any]:
    beat = known.beat
    return {
        "to_site": beat.to_site,
        "way": list(beat.way),
        "at": to_wire(beat.at),
        "seconds": beat.seconds,
        "broken_from": beat.broken_from,
        "broken_to": beat.broken_to,
        "code": beat.code,
        "broken_since": to_wire(known.broken_since) if known.broken_since else None,
        "whole_at": to_wire(known.whole_at) if known.whole_at else None,
        "words": [
            {
                "site": word.site,
                "came": to_wire(word.came),
                "left": to_wire(word.left),
                "troubles": [one.plain() for one in word.troubles],
            }
            for word in beat.words
        ],
    }
