"""Why a transfer waits, in plain words: what its own row says, and what holds for many at once.

A peer that is down, doors that are closed, a pause and the order of a link are not written into the
rows of all that wait for them: thousands would change at every probe. They are joined here, when
somebody looks.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from kumobashi.exchange.errors import Paused, WaitsItsTurn
from kumobashi.exchange.line import Line
from kumobashi.exchange.newest import Head
from kumobashi.exchange.records import Outgoing
from kumobashi.exchange.states import Out, is_under_way
from kumobashi.exchange.turns import Turns
from kumobashi.exchange.waiting import cause_of
from kumobashi.kernel import from_micros

_NOT_SENT = frozenset({Out.EXTRACTING, Out.SEALED})
Cause = Mapping[str, Any]


class Reasons:
    """Why things wait at one moment."""

    def __init__(
        self,
        *,
        turns: Turns,
        site: str = "",
        lines: Mapping[str, Line] | None = None,
        paused: Mapping[str, int] | None = None,
        behind: Callable[[str], int] = lambda _hop: 0,
    ) -> None:
        self._site = site
        self._lines = lines or {}  # by receiver
        self._paused = paused or {}
        self._turns = turns
        self._behind = behind
        self._counted: dict[str, int] = {}

    def seen(self, row: Outgoing) -> Outgoing:
        """Return the row with the reason that people should see."""
        if not is_under_way(row.state):
            return row
        cause = self._why(row.link, row.transfer, row.state, row.to_site, row.paused_at)
        if cause is None and row.in_order and row.state in _NOT_SENT:
            cause = self._turn(row)
        return replace(row, cause=dict(cause)) if cause else row

    def seen_head(self, head: Head) -> Head:
        """Return the same for what a list shows."""
        if not is_under_way(head.state):
            return head
        cause = self._why(head.link, head.transfer, head.state, head.to_site, head.paused_at)
        return replace(head, cause=cause) if cause else head

    def _why(
        self, link: str, transfer: str, state: Out, to_site: str | None, paused_at: int | None
    ) -> Cause | None:
        since = self._paused.get(link, paused_at)
        if since is not None and state in _NOT_SENT:
            cause = cause_of(Paused(transfer=transfer), side=self._site, now=from_micros(since))
            return {**cause, "calm": True}
        line = self._lines.get(to_site or "")
        if line is None or state is Out.EXTRACTING or not (found := line.cause()):
            return None
        return {**found, "behind": self._count(line.site)}

    def _turn(self, row: Outgoing) -> Cause | None:
        before = self._turns.before(row.link, row.transfer)
        if before is None:
            return None
        since = from_micros(row.started_at)
        return {**cause_of(WaitsItsTurn(before=before), side=self._site, now=since), "calm": True}

    def _count(self, hop: str) -> int:
        if hop not in self._counted:
            self._counted[hop] = self._behind(hop)
        return self._counted[hop]
