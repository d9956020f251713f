"""Unusual access at one site: read from its evidence, a new record once.

What was said of a finding stands in the same log, so nothing of it can be taken back unnoticed.
"""

import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, TypeVar

import sqlalchemy as sa

from kumobashi.console.permits import PERMITS, page_code
from kumobashi.evidence.log import size_of, stored
from kumobashi.exchange.evidence_search import first_number, read_body
from kumobashi.identity.roles import ABOUT_A_PERSON
from kumobashi.identity.unusual import KEPT, Answer, Habits, Look, Noticed
from kumobashi.kernel import Clock, from_wire
from kumobashi.service.entrances import ENTRANCES

T = TypeVar("T")
_EVENTS: Final = (b'"event":"access.', b'"event":"individual.read"', b'"event":"person.audited"')
OF_PERSONS: Final = frozenset(
    {page_code(*key) for key, permit in PERMITS.items() if permit.purpose}
    | {page_code(*key) for key, one in ENTRANCES.items() if one.deed in ABOUT_A_PERSON}
)
"""Pages and calls that would show one resident, as records call them."""


class AccessWatch:
    """What is to be looked into; it remembers how far it has read."""

    def __init__(
        self,
        read: Callable[[Callable[[sa.Connection], Any]], Any],
        *,
        tenant: str,
        clock: Clock,
    ) -> None:
        """``read`` does work on a connection that sees the site's evidence."""
        self._read = read
        self._tenant = tenant
        self._clock = clock
        self._habits = Habits()
        self._answers: dict[str, tuple[Answer, str, datetime]] = {}
        self._next: int | None = None
        self._turn = threading.Lock()

    def noticed(self) -> list[Noticed]:
        """Return the findings of the last month, those that nobody answered first."""
        now = self._clock.now()
        with self._turn:
            self._read(lambda connection: self._go_on(connection, now))
            self._habits.forget(now)
            found = self._habits.findings(now)
            answers = dict(self._answers)
        shown = [_with(Noticed(finding=one), answers.get(one.id)) for one in found]
        return sorted(shown, key=lambda one: one.answer is not None)

    def _go_on(self, connection: sa.Connection, now: datetime) -> None:
        if self._next is None:
            self._next = first_number(connection, self._tenant, now - KEPT)
        end = size_of(connection, self._tenant)
        for _, _, body in stored(connection, self._tenant, self._next, end):
            if any(event in body for event in _EVENTS):
                self._take(read_body(body))
        self._next = max(self._next, end)

    def _take(self, said: Mapping[str, Any]) -> None:
        try:
            at = from_wire(str(said.get("at")))
            if said.get("event") == "access.explained":
                by = str(said.get("by")).removeprefix("account:")
                self._answers[str(said.get("id"))] = Answer(str(said.get("act"))), by, at
            elif (look := look_of(said, at)) is not None:
                self._habits.add(look)
        except ValueError:
            return  # what a touched record says counts for nothing; ``verify`` names it


def look_of(said: Mapping[str, Any], at: datetime) -> Look | None:
    """Return the look that a record speaks of; none: it speaks of none."""
    event, counts = said.get("event"), said.get("counts")
    if event not in {"access.looked", "access.refused", "individual.read", "person.audited"}:
        return None
    is_refused, code = event == "access.refused", str(said.get("code", event))
    times = counts.get("attempts", 1) if is_refused and isinstance(counts, Mapping) else 1
    return Look(
        by=str(said.get("by")).removeprefix("account:"),
        at=at,
        role=str(said.get("role", "")),
        code=code,
        is_refused=is_refused,
        is_of_person=not is_refused or code in OF_PERSONS,
        times=int(times),
    )


def _with(noticed: Noticed, answer: tuple[Answer, str, datetime] | None) -> Noticed:
    if answer is None:
        return noticed
    said, by, at = answer
    return Noticed(finding=noticed.finding, answer=said, answered_by=by, answered_at=at)
