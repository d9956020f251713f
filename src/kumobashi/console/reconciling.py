"""Whether the counts agree: where rows are released, from end to end, and at every hop.

All pure. A count that has not come yet leaves its line open; a wrong one is never hidden.
"""

from dataclasses import dataclass
from enum import StrEnum

from kumobashi.console.reading import stage_of
from kumobashi.exchange.views import Progress, TransferView


class Verdict(StrEnum):
    """Whether the counts of one line agree."""

    AGREES = "agrees"
    DIFFERS = "differs"
    OPEN = "open"  # some are not known yet


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """A count and what it counts: a label of ``wording`` or the name of a site."""

    label: str
    value: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """One line of the reconciliation: ``left`` is the sum, or each, of ``right``."""

    left: Count
    right: tuple[Count, ...]
    adds_up: bool  # True: left = a + b + c; False: left = a = b = c
    unit: str  # "rows" or "parts"

    @property
    def verdict(self) -> Verdict:
        """Whether it agrees; a count that is known and wrong outweighs one that is missing."""
        known = [count.value for count in self.right if count.value is not None]
        if self.left.value is None:
            return Verdict.OPEN
        complete = len(known) == len(self.right)
        if self.adds_up:
            wrong = sum(known) > self.left.value or (complete and sum(known) != self.left.value)
        else:
            wrong = any(value != self.left.value for value in known)
        if wrong:
            return Verdict.DIFFERS
        return Verdict.AGREES if complete else Verdict.OPEN

    @property
    def difference(self) -> int:
        """By how much the first wrong count is off."""
        if self.left.value is None:
            return 0
        known = [count.value for count in self.right if count.value is not None]
        if self.adds_up:
            return sum(known) - self.left.value
        return next((value - self.left.value for value in known if value != self.left.value), 0)


def balances(transfer: TransferView) -> tuple[Balance, ...]:
    """Reconcile rows where they are released, rows from end to end, and parts at every hop."""
    rows_at = {receipt.stage: receipt.rows for receipt in transfer.receipts}
    sealed = stage_of(transfer, "seal")
    sent = sealed.rows if sealed else None
    is_difference = transfer.mode == "difference"
    released = Count(label="released", value=transfer.rows_released)
    opened = Count(label="opened", value=rows_at.get("opened"))
    ends = [Count(label="applied", value=transfer.rows_applied)]
    if is_difference:
        ends.append(Count(label="deleted", value=transfer.rows_deleted))
    if transfer.rows_set_aside:
        ends.append(Count(label="quarantined", value=transfer.rows_set_aside))
    carried = stage_of(transfer, "carry")
    left_out = transfer.gate.suppressed if transfer.gate else 0  # who would stand out
    lines = [
        Balance(
            left=Count(label="extracted", value=transfer.rows_extracted),
            right=(
                Count(label="released", value=transfer.rows_released),
                Count(label="without_consent", value=transfer.rows_without_consent),
                Count(label="quarantined", value=transfer.rows_quarantined),
                *([Count(label="left_out", value=left_out)] if left_out else []),
            ),
            adds_up=True,
            unit="rows",
        ),
        Balance(
            left=Count(label="sent", value=sent),
            # A difference sends what changed of the rows that may leave.
            right=(*(() if is_difference else (released,)), opened),
            adds_up=False,
            unit="rows",
        ),
        Balance(left=opened, right=tuple(ends), adds_up=True, unit="rows"),
    ]
    if transfer.hops and carried and carried.parts_total is not None:
        lines.append(
            Balance(
                left=Count(label="cut_into", value=carried.parts_total),
                right=tuple(
                    Count(
                        label=hop.name, value=hop.parts if hop.progress is Progress.DONE else None
                    )
                    for hop in transfer.hops
                ),
                adds_up=False,
                unit="parts",
            )
        )
    return tuple(lines)
