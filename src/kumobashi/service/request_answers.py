"""What a request of a resident is answered with: the record of what was sent, composed and checked.

The record is canonical JSON and goes to whoever asked for it; the book keeps its digest alone. A
paper that shows it takes the file back and is printed only if it is the one that was decided on.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from kumobashi.crypto.canonical import canonical, digest
from kumobashi.exchange.holdings import OVER, Keeping
from kumobashi.exchange.traces import Presence
from kumobashi.requests.errors import AnswerUnlike
from kumobashi.requests.records import Request

Json = dict[str, Any]
_GONE = frozenset(one.value for one in (Keeping.DELETED, *OVER))


def composed(
    request: Request, told: list[Json], *, municipality: str, site: str, first: date, last: date
) -> Json:
    """Return the answer; ``told`` is what ``PersonTrace`` says of the resident."""
    return {
        "request": request.request,
        "kind": request.kind.value,
        "municipality": municipality,
        "site": site,
        "first": first.isoformat(),
        "last": last.isoformat(),
        "transfers": told,
        "receivers": receivers(told),
    }


def receivers(told: list[Json]) -> list[Json]:
    """Return who may hold the resident's data still, and what would delete it there.

    A deletion takes a whole transfer, for all residents in it: nothing here deletes one row.
    """
    return [
        {
            "transfer": line["transfer"],
            "link": line["link"],
            "to_site": line["to_site"],
            "to_name": line["to_name"],
            "presence": line["presence"],
            "state": line["holding"]["state"] if line["holding"] else None,
            "state_ja": line["holding"]["state_ja"] if line["holding"] else "保持の記録なし",
            "due": line["holding"]["due"] if line["holding"] else None,
            "deletion": f"kumobashi deletion request {line['transfer']}",
        }
        for line in told
        if line["presence"] != Presence.ABSENT.value
        and (line["holding"] is None or line["holding"]["state"] not in _GONE)
    ]


def digest_of(answer: Mapping[str, Any]) -> str:
    """Return the digest that the book keeps; raises ``TypeError`` or ``ValueError``."""
    return digest(canonical(answer))


def check_answer(request: Request, answer: Mapping[str, Any]) -> None:
    """Raise :class:`AnswerUnlike` for another answer than the one that was decided on."""
    decision = request.details.decision
    kept = decision.answer if decision else request.details.answer
    try:
        is_it = kept is not None and digest_of(answer) == kept
    except (TypeError, ValueError):
        is_it = False
    if not is_it:
        raise AnswerUnlike(digest=kept or "-")
