"""Whether a release rule measures what it sends out of the hall: nothing leaves unmeasured."""

from kumobashi.directory.models import SiteFile, SiteKind
from kumobashi.policy.questions import Reason, Where
from kumobashi.release.columns import BaseDate, CampaignCode, Constant, Suppress, Token
from kumobashi.release.gates import Gate
from kumobashi.release.rules import ReleaseRule

_EXAMPLE = "gate: {k: 5, population: residents, on_fail: refuse}"


def is_outside_hall(site: SiteFile) -> bool:
    """Whether a site stands outside the hall: every cloud does, whoever runs it."""
    return site.kind is not SiteKind.ON_PREMISES


def tells_attributes(rule: ReleaseRule) -> bool:
    """Whether an attribute leaves beside a token: what differs from row to row.

    What a campaign's code tells is not coarser or finer; the plan shows it (``predicate_only``).
    """
    same = Token | Constant | BaseDate | Suppress | CampaignCode
    return any(not isinstance(column, same) for column in rule.released)


def against_gate(rule: ReleaseRule, receiver: SiteFile, *, where: Where) -> tuple[Reason, ...]:
    """Return the reason why a link may not run with the gate that its rule has, or lacks."""
    if not is_outside_hall(receiver) or not tells_attributes(rule) or isinstance(rule.gate, Gate):
        return ()
    is_waived = rule.gate is not None
    ja = "は gate を省いていますが、" if is_waived else "に gate（危険度のしきい値）がありません。"
    en = "waives its gate" if is_waived else "has no gate"
    return (
        Reason(
            code="planning.gate_waived" if is_waived else "planning.gate_missing",
            ja=f"提供ルール「{rule.release}」{ja}庁外の{receiver.name}へは、測ってからでなければ"
            "出せません",
            en=f"The release rule {rule.release} {en}; to {receiver.site}, which is outside the"
            " hall, nothing leaves unmeasured",
            where=where,
            remedy_ja="しきい値を gate に書いてください。符号だけを送るなら要りません。",
            remedy_en="Write thresholds as gate; a rule that sends tokens alone needs none.",
            example=_EXAMPLE,
        ),
    )
