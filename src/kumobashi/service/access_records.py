"""Records of the evidence log: who looked at a resident for which purpose, who was refused what.

A look is always a record. Refusals can be many, so of the same one within an hour the first, the
tenth, the hundredth … are records, each with the count so far. What an address would say of a
resident is in neither, and of somebody who did not prove who they are, not even the name they gave.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from starlette.requests import Request

from kumobashi.evidence.entries import Entry
from kumobashi.identity.unusual import Noticed
from kumobashi.kernel import Clock

if TYPE_CHECKING:
    from kumobashi.identity import Account

LOCAL_API = "local-api"
WITHIN = timedelta(hours=1)
MOST_KEPT = 1_000  # different refusals that are counted at a time; then the oldest is forgotten
_TEN = 10


class Refusals:
    """Counts the same refusal; bounded."""

    def __init__(self) -> None:
        self._counts: OrderedDict[tuple[str, ...], tuple[datetime, int]] = OrderedDict()
        self._turn = threading.Lock()

    def count(self, key: tuple[str, ...], now: datetime) -> int | None:
        """Count one; return how many there were if that is to be a record."""
        with self._turn:
            since, before = self._counts.get(key, (now, 0))
            if now - since > WITHIN:
                since, before = now, 0
            self._counts[key] = (since, before + 1)
            if len(self._counts) > MOST_KEPT:
                self._counts.popitem(last=False)
        return before + 1 if _is_power_of_ten(before + 1) else None


class AccessRecords:
    """Meets ``console.access_ports.AccessBook`` with the evidence log of a site."""

    def __init__(self, note: Callable[[Entry], None], clock: Clock) -> None:
        self._note = note
        self._clock = clock
        self._refusals = Refusals()

    def looked(self, account: "Account", *, page: str, purpose: str) -> None:
        """Note that somebody saw something of a resident."""
        facts = {"code": page, "purpose": purpose, "role": account.role.value}
        by = f"account:{account.name}"
        self._note(Entry(event="access.looked", at=self._clock.now(), by=by, facts=facts))

    def reviewed(self, by: "Account", *, of: "Account", is_kept: bool) -> None:
        """Note what was said of an account when access was reviewed."""
        facts = {
            "account": of.name,
            "role": of.role.value,
            "act": "keep" if is_kept else "take-away",
        }
        said = f"account:{by.name}"
        self._note(Entry(event="access.reviewed", at=self._clock.now(), by=said, facts=facts))

    def explained(self, by: "Account", noticed: Noticed) -> None:
        """Note what was found of a day on which somebody did what they never do."""
        found = noticed.finding
        facts = {
            "id": found.id,
            "code": found.rule.value,
            "account": found.by,
            "act": noticed.answer.value if noticed.answer else None,
        }
        said = f"account:{by.name}"
        self._note(Entry(event="access.explained", at=self._clock.now(), by=said, facts=facts))

    def refused(self, account: "Account | None", *, page: str, code: str) -> None:
        """Note that somebody asked for what they may not do."""
        by, now = f"account:{account.name}" if account else LOCAL_API, self._clock.now()
        count = self._refusals.count((by, page, code), now)
        if count is None:
            return
        role = account.role.value if account else None
        facts = {"code": page, "reason": code, "role": role, "counts": {"attempts": count}}
        self._note(Entry(event="access.refused", at=now, by=by, facts=facts))


def call_code(request: Request) -> str:
    """Return how records call a call: the parts of its address that it chose are left out."""
    chosen = {str(value) for value in request.path_params.values()}
    path = request.scope["path"]
    for value in sorted(chosen, key=len, reverse=True):
        if value:
            path = path.replace(f"/{value}", "/-")
    return f"{request.method.lower()}:{path.strip('/')}"


def _is_power_of_ten(count: int) -> bool:
    while count % _TEN == 0:
        count //= _TEN
    return count == 1
