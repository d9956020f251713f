"""連携状況一覧 of thousands of links: what is wished for, what is kept, in which order, which page.

All pure. What people typed is read once into a :class:`Wish`; what makes no sense is as if it had
not been typed.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import lru_cache

from kumobashi.console.paging import ROWS_PER_PAGE, Page, page_number, paged
from kumobashi.console.reading import ORDER, SPOKEN
from kumobashi.exchange.views import Light, LinkRow

LONGEST_SEARCH = 100  # characters


class Sort(StrEnum):
    """In which order links come."""

    URGENT = "urgent"
    NAME = "name"
    NEWEST = "newest"
    ROWS = "rows"
    SLOWEST = "slowest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a reader of the list asks for; empty texts ask for everything."""

    q: str = ""
    state: str = ""
    site: str = ""
    system: str = ""
    contact: str = ""
    sort: str = ""
    page: int = 1

    def but(self, **other: str | int) -> dict[str, str | int]:
        """Return the query of the same wish with something else, from its first page on."""
        wish = {**asdict(self), "page": 1, **other}
        return {key: value for key, value in wish.items() if value not in {"", 1}}

    @property
    def narrows(self) -> bool:
        """Whether some links are left out."""
        return any((self.q, self.state, self.site, self.system, self.contact))


def wish_of(query: Mapping[str, str]) -> Wish:
    """Read a wish from an address.

    >>> wish_of({"state": "nonsense", "page": "-3", "q": " 税 "})
    Wish(q='税', state='', site='', system='', contact='', sort='', page=1)
    """
    state, sort = query.get("state", ""), query.get("sort", "")
    return Wish(
        q=query.get("q", "").strip()[:LONGEST_SEARCH],
        state=state if state in set(Light) else "",
        site=query.get("site", "")[:LONGEST_SEARCH],
        system=query.get("system", "")[:LONGEST_SEARCH],
        contact=query.get("contact", "")[:LONGEST_SEARCH],
        sort=sort if sort in set(Sort) and sort != Sort.URGENT else "",
        page=page_number(query.get("page", "")),
    )


def listed(rows: Iterable[LinkRow], wish: Wish, *, per_page: int = ROWS_PER_PAGE) -> Page[LinkRow]:
    """Return the page that is wished for; beyond the last one, the last."""
    found = in_order(kept(rows, wish), Sort(wish.sort or Sort.URGENT))
    return paged(found, wish.page, per_page=per_page)


def kept(rows: Iterable[LinkRow], wish: Wish) -> list[LinkRow]:
    """Keep what the wish asks for; every word of its text must be in a name."""
    words = folded(wish.q).split()
    return [
        row
        for row in rows
        if (not wish.state or row.light == wish.state)
        and (not wish.system or wish.system in {row.from_system, row.to_system})
        and (not wish.site or any(site == wish.site for site, _ in row.sites))
        and (not wish.contact or (row.contact is not None and row.contact.name == wish.contact))
        and (not words or all(word in _names(row) for word in words))
    ]


def in_order(rows: Iterable[LinkRow], sort: Sort) -> list[LinkRow]:
    """Sort; what has no value comes last, what is alike goes by name."""
    by_name = sorted(rows, key=lambda row: (row.name, row.link))
    match sort:
        case Sort.NAME:
            return by_name
        case Sort.URGENT:
            return sorted(by_name, key=lambda row: _URGENCY[row.light])
        case Sort.NEWEST:
            return sorted(by_name, key=lambda row: -row.started.timestamp() if row.started else 0)
        case Sort.ROWS:
            return sorted(by_name, key=lambda row: 1 if row.rows is None else -row.rows)
        case Sort.SLOWEST:
            return sorted(by_name, key=lambda row: 1.0 if row.seconds is None else -row.seconds)


_URGENCY = {light: number for number, light in enumerate(ORDER)}


def lights(rows: Iterable[LinkRow]) -> tuple[tuple[Light, int], ...]:
    """Count the lights that are there, in the order they are spoken."""
    found = Counter(row.light for row in rows)
    return tuple((light, found[light]) for light in SPOKEN if found[light])


def choices(rows: Sequence[LinkRow]) -> dict[str, list[tuple[str, str]]]:
    """Return what the filters offer, by filter: value and name, sorted by name."""
    sites = {site: name for row in rows for site, name in row.sites}
    systems = {row.from_system: row.from_name for row in rows}
    systems |= {row.to_system: row.to_name for row in rows}
    contacts = {row.contact.name: row.contact.name for row in rows if row.contact}
    by_filter = {"site": sites, "system": systems, "contact": contacts}
    return {
        key: sorted(found.items(), key=lambda item: (item[1], item[0]))
        for key, found in by_filter.items()
    }


def folded(text: str) -> str:
    """Fold what people type alike: full and half width, case, hiragana and katakana.

    >>> folded("ｺｸﾎ") == folded("こくほ") == folded("コクホ")
    True
    """
    plain = unicodedata.normalize("NFKC", text).casefold()
    return plain.translate(_KATAKANA)


_KATAKANA = {code: code + 0x60 for code in range(ord("ぁ"), ord("ゖ") + 1)}


def _names(row: LinkRow) -> str:
    return folded_names(row.link, row.name, row.from_name, row.to_name, row.to_site_name)


@lru_cache(maxsize=20_000)
def folded_names(*names: str) -> str:
    """Return what a search looks into, folded once."""
    return folded(" ".join(names))
