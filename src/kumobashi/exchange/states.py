"""The states of a transfer, and the moves between them. Pure: a table, and one function to ask it.

The sender's states end with the receiver's: ``delivered`` to ``applied`` come only from verified
receipts. A relay knows just whether a bundle has passed. A state says what is durably true; why
something waits is a :class:`Waiting` beside it, not a state.
"""

from enum import StrEnum

from kumobashi.exchange.errors import IllegalMove


class Out(StrEnum):
    """A transfer at the site that sends it."""

    EXTRACTING = "extracting"  # reading, coarsening and sealing; starts again after a crash
    HELD = "held"  # counts outside the approved bounds: a person decides
    SEALED = "sealed"  # sealed parts and signed manifest are durable here
    SENT = "sent"  # the next hop has all of it, durably
    DELIVERED = "delivered"  # 到達
    OPENED = "opened"  # 復号
    VALIDATED = "validated"  # 検証
    APPLIED = "applied"  # 取込
    REFUSED = "refused"  # 拒否, here or at the receiver
    CANCELLED = "cancelled"  # by a person, before it was closed at the next hop


class In(StrEnum):
    """A bundle at the site that receives it, or that passes it on."""

    ANNOUNCED = "announced"
    CLOSED = "closed"  # a relay has all parts and the manifest
    PASSED = "passed"  # the hop behind the relay has all of it
    DELIVERED = "delivered"
    OPENED = "opened"
    VALIDATED = "validated"
    APPLIED = "applied"
    REFUSED = "refused"
    SETTLED = "settled"  # a relay has handed back the last receipt
    SUPERSEDED = "superseded"  # a newer attempt of the same transfer came


OUT_MOVES: dict[Out, frozenset[Out]] = {
    Out.EXTRACTING: frozenset({Out.HELD, Out.SEALED, Out.REFUSED, Out.CANCELLED}),
    Out.HELD: frozenset({Out.EXTRACTING, Out.CANCELLED}),
    Out.SEALED: frozenset({Out.SENT, Out.REFUSED, Out.CANCELLED}),
    Out.SENT: frozenset({Out.DELIVERED, Out.REFUSED}),
    Out.DELIVERED: frozenset({Out.OPENED, Out.REFUSED}),
    Out.OPENED: frozenset({Out.VALIDATED, Out.REFUSED}),
    Out.VALIDATED: frozenset({Out.APPLIED, Out.REFUSED}),
    Out.APPLIED: frozenset(),
    Out.REFUSED: frozenset(),
    Out.CANCELLED: frozenset(),
}

IN_MOVES: dict[In, frozenset[In]] = {
    In.ANNOUNCED: frozenset({In.CLOSED, In.DELIVERED, In.REFUSED, In.SUPERSEDED}),
    In.CLOSED: frozenset({In.PASSED, In.REFUSED}),
    In.PASSED: frozenset({In.SETTLED}),
    In.DELIVERED: frozenset({In.OPENED, In.REFUSED}),
    In.OPENED: frozenset({In.VALIDATED, In.REFUSED}),
    In.VALIDATED: frozenset({In.APPLIED, In.REFUSED}),
    In.APPLIED: frozenset(),
    In.REFUSED: frozenset(),
    In.SETTLED: frozenset(),
    In.SUPERSEDED: frozenset(),
}

OUT_FINAL = frozenset({Out.APPLIED, Out.REFUSED, Out.CANCELLED})
IN_FINAL = frozenset({In.APPLIED, In.REFUSED, In.SETTLED, In.SUPERSEDED})
LEFT = frozenset({Out.SENT, Out.DELIVERED, Out.OPENED, Out.VALIDATED})
_OUT_RESTING = OUT_FINAL | {Out.HELD}


def check_out(now: Out, then: Out) -> None:
    """Raise :class:`IllegalMove` unless a sender's transfer may go from ``now`` to ``then``."""
    if then not in OUT_MOVES[now]:
        raise IllegalMove(now=now.value, then=then.value)


def check_in(now: In, then: In) -> None:
    """Raise :class:`IllegalMove` unless a received bundle may go from ``now`` to ``then``."""
    if then not in IN_MOVES[now]:
        raise IllegalMove(now=now.value, then=then.value)


def is_under_way(state: Out) -> bool:
    """Whether the gateway still has work to do on a transfer without a person."""
    return state not in _OUT_RESTING
