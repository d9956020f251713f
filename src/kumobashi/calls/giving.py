"""Let out of a request what the plan says: the asking gateway looks before anything is signed.

The service's file names the items that the asking system gives (``request``), and the plan judged
them. A member of the body or a parameter of the query that is none of them was judged by nobody,
so the request does not leave. Values in the path stand in the permitted template already.

>>> request = Request(method="POST", path="/totals?page=2", headers=(), body=b'{"amount": 5}')
>>> check_given(request, frozenset({"amount"}), link="totals")
>>> try:
...     check_given(request, frozenset({"name"}), link="totals")
... except ItemNotPermitted as error:
...     print(error.say("en"))
The link totals lets only these items be given: name.
"""

import json
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import parse_qsl

from kumobashi.calls.binary_http import Request
from kumobashi.calls.permission_errors import ItemNotPermitted

# Of a query, what says how much of an answer is wanted says nothing about a person.
PAGING: Final = frozenset({"limit", "offset", "page", "per_page", "cursor", "sort", "order"})


def check_given(request: Request, given: frozenset[str], *, link: str) -> None:
    """Raise unless body and query hold nothing but ``given`` items.

    Raises:
        ItemNotPermitted: they hold another one, or the body is no JSON. Names of members are not
            repeated: whoever asks may have put a person into them.
    """
    permitted = ", ".join(sorted(given)) or "-"
    query = request.path.partition("?")[2]
    try:
        names = {name for name, _ in parse_qsl(query, keep_blank_values=True)} - PAGING
        if request.body:
            names |= set(_names(json.loads(request.body)))
    except (ValueError, RecursionError):
        raise ItemNotPermitted(link=link, permitted=permitted) from None
    if not names <= given:
        raise ItemNotPermitted(link=link, permitted=permitted)


def _names(value: Any, *, is_member: bool = False) -> Iterator[str]:  # noqa: ANN401 - any JSON
    """Give the names of all members at any depth."""
    if isinstance(value, dict):
        for name, held in value.items():
            yield name
            yield from _names(held, is_member=True)
    elif isinstance(value, list):
        for one in value:
            yield from _names(one, is_member=is_member)
    elif not is_member and value is not None:
        raise ValueError  # a value of no item
