"""Which links a suspension is about, and whether one stands. Pure."""

from collections.abc import Sequence

from kumobashi.requests.carrying_errors import NotSuspended, ScopeNeeded, ScopeWider
from kumobashi.requests.records import Request
from kumobashi.requests.states import Outcome


def scope_of(held: Request, links: Sequence[str]) -> tuple[str, ...]:
    """Return the links that are suspended; empty: all. Raise ``ScopeWider`` or ``ScopeNeeded``."""
    asked, wished = held.details.links, tuple(sorted(set(links)))
    for link in wished:
        if asked and link not in asked:
            raise ScopeWider(link=link, known="、".join(asked))
    decision = held.details.decision
    if not wished and decision is not None and decision.outcome is Outcome.PARTLY:
        raise ScopeNeeded
    return wished or asked


def check_suspends(held: Request) -> None:
    """Raise ``NotSuspended`` where nothing is suspended by a request, or not any more."""
    if held.details.suspended is None or held.details.lifted_on is not None:
        raise NotSuspended
