"""The console's routes: an overview, a page per link, its findings as CSV and all of it as JSON.

    console_routes(overview) ──► Starlette routes     error_pages() ──► handlers for 404, 405, 500

Every page answers GET only, changes nothing, and asks for the views anew each time.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from inspect import isawaitable
from math import ceil

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from kumobashi.console import labels, wording
from kumobashi.console.answering import SAFE_HEADERS, Addresses, Assets
from kumobashi.console.drawing import HERE, draw
from kumobashi.console.export import findings_csv, link_json
from kumobashi.console.reading import CALLS_FOR_PEOPLE, counts, matching, red_first, target_days
from kumobashi.exchange.views import Light, LinkView, Overview, TransferView
from kumobashi.kernel import KumobashiError, Language, Zone

FINDINGS_PER_PAGE = 50
POLL_SECONDS = 3  # while something runs
_LONGEST_SEARCH = 100  # characters
_SERVER_ERROR = 500

OverviewSource = Callable[[], Awaitable[Overview] | Overview]
HistorySource = Callable[[str], Awaitable[Sequence[TransferView]] | Sequence[TransferView]]
ZoneSource = Callable[[], Mapping[str, Zone]]


def console_routes(
    overview: OverviewSource,
    *,
    transfer_history: HistorySource | None = None,
    zones: ZoneSource | None = None,
) -> list[BaseRoute]:
    """Return the routes of the console, to be put at the root of an application.

    Args:
        overview: gives the present views, at once or as an awaitable.
        transfer_history: gives a link's earlier transfers, newest first, for its page alone;
            without it the page draws ``LinkView.history``.
        zones: gives the zone of each site by its id, drawn beside the way when known.
    """
    console = _Console(overview=overview, transfer_history=transfer_history, zones=zones)
    return [
        Route("/", _guarded(console.list_links), methods=["GET"], name="console"),
        Route("/links/{link}", _guarded(console.show_link), methods=["GET"], name="console-link"),
        Route("/links/{link}/findings.csv", _guarded(console.save_findings), methods=["GET"]),
        Route("/links/{link}/link.json", _guarded(console.save_link), methods=["GET"]),
        Mount("/static", Assets(directory=HERE / "static"), name="console-static"),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Console:
    overview: OverviewSource
    transfer_history: HistorySource | None
    zones: ZoneSource | None

    async def list_links(self, request: Request) -> Response:
        """Answer with 連携状況一覧."""
        overview = await self._overview()
        state = _light(request.query_params.get("state", ""))
        text = request.query_params.get("q", "").strip()[:_LONGEST_SEARCH]
        lang = _lang(request)
        return draw(
            "overview.html",
            lang=lang,
            url=_addresses(request),
            same_page={"path": "/", "query": {"state": state or "", "q": text}},
            overview=overview,
            answer=answer(overview, lang),
            counts=counts(overview.links),
            days=target_days(overview),
            calls=[link for link in red_first(overview.links) if link.light in CALLS_FOR_PEOPLE],
            links=red_first(matching(overview.links, light=state, text=text)),
            state=state,
            text=text,
            zones=self._zones(),
            poll=POLL_SECONDS
            if any(link.light is Light.RUNNING for link in overview.links)
            else None,
        )

    async def show_link(self, request: Request) -> Response:
        """Answer with the page of one link, of its newest or of an earlier transfer."""
        overview, link = await self._link(request)
        transfer = _chosen(link, request.query_params.get("transfer", ""))
        held = len(transfer.findings) if transfer else 0
        pages = max(ceil(held / FINDINGS_PER_PAGE), 1)
        page = min(_positive(request.query_params.get("page", "")), pages)
        past = transfer is not None and transfer is not link.latest
        query = {
            "transfer": transfer.transfer if transfer and past else "",
            "page": page if page > 1 else "",
        }
        return draw(
            "link.html",
            lang=_lang(request),
            url=_addresses(request),
            same_page={"path": f"/links/{link.link}", "query": query},
            overview=overview,
            link=link,
            transfer=transfer,
            past=past,
            first=(page - 1) * FINDINGS_PER_PAGE,
            findings=transfer.findings[(page - 1) * FINDINGS_PER_PAGE :][:FINDINGS_PER_PAGE]
            if transfer
            else (),
            page=page,
            pages=pages,
            zones=self._zones(),
            poll=POLL_SECONDS if link.light is Light.RUNNING and not past else None,
        )

    async def save_findings(self, request: Request) -> Response:
        """Answer with the findings as a file for Excel."""
        _, link = await self._link(request)
        transfer = _chosen(link, request.query_params.get("transfer", ""))
        if transfer is None:
            raise HTTPException(404)
        name = f"findings-{transfer.business_date.isoformat()}-{transfer.sequence}.csv"
        return _file(findings_csv(transfer, _lang(request)), "text/csv; charset=utf-8", name)

    async def save_link(self, request: Request) -> Response:
        """Answer with everything known about the link, as a file for programs."""
        overview, link = await self._link(request)
        return _file(link_json(overview, link), "application/json", "link.json")

    async def _overview(self) -> Overview:
        found = self.overview()
        return await found if isawaitable(found) else found

    async def _link(self, request: Request) -> tuple[Overview, LinkView]:
        overview = await self._overview()
        wanted = request.path_params["link"]
        for link in overview.links:
            if link.link == wanted:
                if self.transfer_history is None:
                    return overview, link
                earlier = self.transfer_history(wanted)
                return overview, replace(
                    link, history=tuple(await earlier if isawaitable(earlier) else earlier)
                )
        raise HTTPException(404)

    def _zones(self) -> Mapping[str, Zone]:
        return self.zones() if self.zones else {}


def answer(overview: Overview, lang: Language) -> str:
    """Return the one sentence that says how things stand."""
    found = counts(overview.links)
    total = len(overview.links)
    if not found:
        return wording.say("answer_none", lang)
    words = [(count, wording.pick(labels.LIGHTS[light], lang)) for light, count in found]
    if len(words) == 1:
        return wording.say("answer_one", lang, total=total, label=words[0][1])
    items = [wording.say("answer_item", lang, count=count, label=label) for count, label in words]
    return wording.say(
        "answer_some", lang, total=total, list=wording.say("answer_comma", lang).join(items)
    )


def error_pages() -> dict[int, Callable[[Request, Exception], Response]]:
    """Return ``exception_handlers`` for Starlette: a page for people, a problem for programs."""

    def failed(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else _SERVER_ERROR
        if "text/html" in request.headers.get("accept", ""):
            return _error_page(request, status)
        problem = {
            "type": "about:blank",
            "status": status,
            "title": wording.say(f"error_{status}", "en"),
        }
        return JSONResponse(problem, status, SAFE_HEADERS, media_type="application/problem+json")

    return {404: failed, 405: failed, _SERVER_ERROR: failed}


def _guarded(
    page: Callable[[Request], Awaitable[Response]],
) -> Callable[[Request], Awaitable[Response]]:
    """Show what the views refuse, and what is not there, as pages in the same tone."""

    async def shown(request: Request) -> Response:
        try:
            return await page(request)
        except HTTPException as error:
            return _error_page(request, error.status_code)
        except KumobashiError as error:
            return _error_page(request, max(error.status, _SERVER_ERROR), error)

    return shown


def _error_page(request: Request, status: int, error: KumobashiError | None = None) -> Response:
    lang = _lang(request)
    key = f"error_{status}" if f"error_{status}" in wording.TEXT else "error_500"
    return draw(
        "error.html",
        lang=lang,
        url=_addresses(request),
        status=status,
        same_page={"path": "/", "query": {}},
        title=wording.say(key, lang),
        why=error.say(lang) if error else wording.say(f"{key}_why", lang),
        remedy=error.remedy(lang) if error else "",
        code=error.code if error else str(status),
    )


def _lang(request: Request) -> Language:
    return "en" if request.query_params.get("lang") == "en" else "ja"


def _addresses(request: Request) -> Addresses:
    return Addresses(request.scope.get("root_path", ""), _lang(request))


def _light(name: str) -> Light | None:
    return Light(name) if name in set(Light) else None


def _positive(text: str) -> int:
    return max(int(text), 1) if text.isascii() and text.isdecimal() and len(text) < 10 else 1  # noqa: PLR2004


def _chosen(link: LinkView, transfer: str) -> TransferView | None:
    if not transfer:
        return link.latest
    runs = (link.latest, *link.history) if link.latest else link.history
    for run in runs:
        if run.transfer == transfer:
            return run
    raise HTTPException(404)


def _file(body: bytes, media_type: str, name: str) -> Response:
    headers = {
        **SAFE_HEADERS,
        "Cache-Control": "no-store",
        "Content-Disposition": f'attachment; filename="{name}"',
    }
    return Response(body, media_type=media_type, headers=headers)
