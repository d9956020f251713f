"""What of a transfer is in a target's table, and so what deleting it deletes: pure.

A link owns its table. A **full** transfer replaced all rows, a **difference** changed some and left
the others; either way the table afterwards is what its newest transfer says. So the rows are held
under the newest applied transfer of the link:

- deleting the newest deletes every row of the table; a difference cannot follow it, a full one can;
- deleting an older one deletes no row: what it brought was replaced, or is held under the newest,
  which is named (``taken_over_by``).

>>> new, old = Standing("t2", is_applied=True), Standing("t2", is_applied=True)
>>> decide("t2", new).takes_rows, decide("t1", old).taken_over_by
(True, 't2')
"""

from typing import NamedTuple

from kumobashi.storage.errors import NeverApplied


class Standing(NamedTuple):
    """What the target says of a link."""

    newest: str | None  # its transfer
    is_applied: bool  # whether the transfer in question ever was


class Decision(NamedTuple):
    """What to do."""

    takes_rows: bool
    taken_over_by: str | None


def decide(transfer: str, standing: Standing) -> Decision:
    """Return what deleting a transfer deletes.

    Raises:
        NeverApplied: the target knows nothing of it: an older state of it was restored.
    """
    if not standing.is_applied:
        raise NeverApplied(transfer=transfer)
    if standing.newest == transfer:
        return Decision(takes_rows=True, taken_over_by=None)
    return Decision(takes_rows=False, taken_over_by=standing.newest)
