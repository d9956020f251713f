"""One page of a long list, and the number that an address asks for. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Generic, TypeVar

Row = TypeVar("Row")
ROWS_PER_PAGE = 50
_LONGEST_NUMBER = 9  # digits


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[Row]):
    """Some rows of what was found, and where they stand in it."""

    rows: tuple[Row, ...]
    found: int  # on all pages
    page: int
    pages: int
    first: int  # number of the first row, from 1


def page_number(text: str) -> int:
    """Read a page's number; what is none is the first page.

    >>> page_number("3"), page_number("-3"), page_number("９"), page_number("1" * 10)
    (3, 1, 1, 1)
    """
    is_number = text.isascii() and text.isdecimal() and len(text) <= _LONGEST_NUMBER
    return max(int(text), 1) if is_number else 1


def paged(found: Sequence[Row], wanted: int, *, per_page: int = ROWS_PER_PAGE) -> Page[Row]:
    """Return the page that is wanted; beyond the last one, the last.

    >>> paged("abcde", 2, per_page=2).rows
    ('c', 'd')
    """
    pages = max(ceil(len(found) / per_page), 1)
    page = min(wanted, pages)
    first = (page - 1) * per_page
    return Page(
        rows=tuple(found[first : first + per_page]),
        found=len(found),
        page=page,
        pages=pages,
        first=first + 1,
    )
