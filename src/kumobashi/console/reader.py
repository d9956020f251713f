"""Who reads a page and how: language, calendar, and the account that is signed in.

Language and calendar are switched by ``?lang=`` and ``?dates=`` on any page, which leaves a cookie;
no further address carries them. Nothing about a person ever stands in an address.
"""

from dataclasses import dataclass
from typing import Literal

from starlette.requests import Request
from starlette.responses import Response

from kumobashi.kernel import Language

Calendar = Literal["era", "western"]
_LANG, _DATES = "kumo_lang", "kumo_dates"
_A_YEAR = 365 * 24 * 3600  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """How a page is drawn for whoever asked for it."""

    lang: Language = "ja"
    calendar: Calendar = "era"


def reader_of(request: Request) -> Reader:
    """Return what the address asks for, else what the cookies remember, else Japanese with eras."""
    lang = request.query_params.get("lang") or request.cookies.get(_LANG)
    dates = request.query_params.get("dates") or request.cookies.get(_DATES)
    return Reader(
        lang="en" if lang == "en" else "ja", calendar="western" if dates == "western" else "era"
    )


def remember(request: Request, response: Response) -> None:
    """Leave the choice that the address makes as a cookie."""
    reader = reader_of(request)
    chosen = {"lang": (_LANG, reader.lang), "dates": (_DATES, reader.calendar)}
    for name, (cookie, value) in chosen.items():
        if name in request.query_params:
            response.set_cookie(
                cookie,
                value,
                max_age=_A_YEAR,
                secure=request.url.scheme == "https",
                httponly=True,
                samesite="lax",
            )
