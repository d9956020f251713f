"""What a release asks of the ties with a service, answered by the agent's rules for many at once.

The agent decides on one tie. A release has hundreds of thousands, but few different terms: each
pair of a state and terms is decided once, and a join does the rest. How often a tie was used is
counted apart, for only that differs from tie to tie.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from kumobashi.ties.agent import Ask, Offered, Reason, Standing, decide, offered_of
from kumobashi.ties.states import State
from kumobashi.ties.terms import Channel, Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which items of residents a transfer carries for a service, and how it will use them."""

    service: str
    items: frozenset[str]
    channel: Channel


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What counts of a tie, the same for a great many."""

    service: str
    state: State
    terms: Terms


def offered_at_hall(row: sa.Row[Any]) -> Offered | None:
    """Return what counts of a service for transfers, wherever it is served.

    That matters to who counts its calls and notices; transfers are counted where they begin.
    """
    offered = offered_of(row)
    return replace(offered, system=None) if offered else None


def why_not(asked: Asked, tie: Standing, offered: Offered | None, now: datetime) -> Reason | None:
    """Return why a transfer may not rest on a tie, its frequency aside; nothing: it may."""
    ask = Ask(tie="", items=asked.items, channel=asked.channel, at=now)
    decision = decide(tie, offered, ask, used=0, now=now)
    return None if decision.is_permitted else decision.reason
