"""Whether a link of either kind may be used now: permitted, approved, and as it was approved."""

from kumobashi.exchange.errors import Drifted
from kumobashi.planning.approval import drift
from kumobashi.planning.approvals import ApprovalFile
from kumobashi.planning.decided import Decided
from kumobashi.planning.errors import PlanRefused


def check_ready(decided: Decided, approval: ApprovalFile | None) -> None:
    """Raise unless a plan permits its link and is the one that was approved.

    Raises:
        PlanRefused: the plan does not permit it.
        ApprovalMissing: nobody approved it.
        Drifted: the decision has changed since it was approved.
    """
    link = decided.link.link
    if not decided.is_permitted:
        first = decided.reasons[0]
        raise PlanRefused(link=link, reason=first.ja, reason_en=first.en)
    if changed := drift(decided, approval):
        raise Drifted(link=link, changes="、".join(change.ja for change in changed))
