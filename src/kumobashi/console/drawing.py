"""Jinja2 as the console uses it: everything escaped, nothing undefined, words in one language."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import cache, partial
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from kumobashi.console import formatting, items, labels, reading, reconciling, wording
from kumobashi.console.answering import SAFE_HEADERS, Addresses
from kumobashi.console.permits import is_open_to
from kumobashi.console.reader import Reader, reader_of
from kumobashi.directory.models import By
from kumobashi.exchange.views import RED, Light, Progress, Words
from kumobashi.identity import Role, Session
from kumobashi.kernel import Language, Zone, from_wire
from kumobashi.monitoring.points import PATTERNS, POINTS
from kumobashi.monitoring.wording import KINDS
from kumobashi.planning.sentences import untied
from kumobashi.release import gate_bars, gate_learning, gate_words

HERE = Path(__file__).parent
HTMX = "vendor/htmx-4.0.1.min.js"  # npm htmx.org 4.0.1, dist/htmx.min.js; licence beside it
TOKENS = "vendor/digital-go-jp-design-tokens-1.1.9.css"  # npm, dist/tokens.css; licence beside it
_KEPT = (
    "q",
    "state",
    "site",
    "system",
    "contact",
    "sort",
    "page",
    "transfer",
    "of",
    "link",
    "since",
    "until",
    "topic",
    "by",
    "before",
)
"""Of an address, what stays when language or calendar change."""
MENU = (
    ("/", "morning"),
    ("/links", "overview"),
    ("/faults", "faults"),
    ("/status", "status"),
    ("/plans", "plans"),
    ("/agreements", "agreements"),
    ("/ties", "ties"),
    ("/campaigns", "campaigns"),
    ("/workspace", "workspace"),
    ("/changes", "record"),
    ("/evidence", "evidence"),
    ("/accounts", "accounts"),
)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        {
            "HTMX": HTMX,
            "TOKENS": TOKENS,
            "K_WANTED": reading.K_WANTED,
            "Light": Light,
            "Mark": reading.Mark,
            "Progress": Progress,
            "RED": RED,
            "Verdict": reconciling.Verdict,
            "balances": reconciling.balances,
            "bars": reading.bars,
            "clock": formatting.clock,
            "dots": reading.dots,
            "effect": reading.effect,
            "entry_kinds": KINDS,
            "gate_bars": gate_bars,
            "gate_learning": gate_learning,
            "gate_words": gate_words,
            "item_name": items.item_name,
            "number": formatting.number,
            "overdue": reading.overdue,
            "plain_time": formatting.plain_time,
            "reached": reading.reached,
            "parts_left": reading.parts_left,
            "patterns": PATTERNS,
            "points": POINTS,
            "short_digest": formatting.short_digest,
            "signs": labels.SIGNS,
            "size": formatting.size,
            "stage_of": reading.stage_of,
            "untied": untied,
            "way": reading.way,
        }
    )
    return environment


def draw(template: str, request: Request, *, status: int = 200, **values: object) -> HTMLResponse:
    """Draw ``template`` for whoever asks, as an answer that no cache keeps."""
    reader = reader_of(request)
    text = (
        _environment()
        .get_template(template)
        .render(
            lang=reader.lang,
            reader=reader,
            url=Addresses(request.scope.get("root_path", "")),
            here=_here(request),
            menu=_menu(request),
            session=getattr(request.state, "session", None),
            is_training=getattr(request.app.state, "is_training", False),
            **_words(reader),
            **values,
        )
    )
    return HTMLResponse(
        text,
        status_code=status,
        headers={**SAFE_HEADERS, "Cache-Control": "no-store", "Content-Language": reader.lang},
    )


def _menu(request: Request) -> list[tuple[str, str]]:
    """Return the pages that this console has, and that whoever asks may see."""
    there = {getattr(route, "path", "") for route in request.app.routes}
    session = getattr(request.state, "session", None)
    account = session.account if isinstance(session, Session) else None
    return [(path, key) for path, key in MENU if path in there and is_open_to(account, path)]


def _here(request: Request) -> Mapping[str, object]:
    """Return path and query of this page, without what a cookie remembers."""
    root = request.scope.get("root_path", "")
    query = {key: held for key in _KEPT if (held := request.query_params.get(key))}
    path = request.url.path.removeprefix(root)
    if request.method == "GET":
        return {"path": path, "query": query}
    # What answers a form has no address of its own: it belongs to the page above it.
    above = (page for page, _ in MENU if page != "/" and path.startswith(f"{page}/"))
    return {"path": next(above, "/"), "query": {}}


def _words(reader: Reader) -> Mapping[str, object]:
    lang = reader.lang

    def w(words: Words) -> str:
        return wording.pick(words, lang)

    def t(key: str, **facts: object) -> str:
        return wording.say(key, lang, **facts)

    def said(pair: tuple[str, str]) -> str:
        return pair[0] if lang == "ja" else pair[1]

    def day(on: date) -> str:
        return formatting.day(on, lang, reader.calendar)

    def short_day(on: date) -> str:
        return formatting.short_day(on, lang)

    def moment(at: datetime) -> str:
        return formatting.moment(at, lang, reader.calendar)

    def near(at: datetime, now: datetime) -> str:
        return formatting.near(at, now, lang)

    def seconds(length: float | None) -> str:
        return formatting.seconds(length, lang)

    def span(length: timedelta) -> str:
        return formatting.span(length, lang)

    return {
        "t": t,
        "w": w,
        "said": said,
        "day": day,
        "short_day": short_day,
        "moment": moment,
        "near": near,
        "seconds": seconds,
        "span": span,
        "light_word": lambda light: w(labels.LIGHTS[light]),
        "mark_word": lambda mark: w(labels.MARKS[mark]),
        "progress_word": lambda progress: w(labels.PROGRESS[progress]),
        "verdict_word": lambda verdict: w(labels.VERDICTS[verdict]),
        "zone_word": lambda zone: w(labels.ZONES[zone]),
        "count_word": lambda label: w(labels.COUNTS[label]) if label in labels.COUNTS else label,
        "mode_word": lambda mode: w(labels.MODES[mode]) if mode in labels.MODES else mode,
        "form_word": lambda form: w(labels.FORMS[form]) if form in labels.FORMS else form,
        "zone_of": lambda zone: w(labels.ZONES[Zone(zone)]) if zone in set(Zone) else zone,
        "by_word": lambda by: By(by).ja if lang == "ja" and by in set(By) else by,
        "day_of": lambda text: day(date.fromisoformat(text)) if text else "",
        "moment_of": lambda text: moment(from_wire(text)) if text else "",
        "role_word": lambda role: role.ja if lang == "ja" else role.value,
        "role_text": lambda text: _role(text, lang),
        "stage_word": partial(labels.stage, lang=lang),
        "finding_word": partial(labels.finding, lang=lang),
    }


def _role(text: str, lang: Language) -> str:
    """Return how a role that a record names is called; it may be one that there was once."""
    held = next((role for role in Role if role.value == text), None)
    return held.ja if held and lang == "ja" else text
