"""Which step a failure belongs to, and how it is told: where it stopped and whose it is to mend."""

from typing import Final

from kumobashi.calls.errors import AnswerUntrusted, CallForeign, NotHere, Side
from kumobashi.calls.interconnection.errors import ProbeUnfit
from kumobashi.calls.interconnection.steps import Outcome, Stage, Step
from kumobashi.calls.permission_errors import LinkChanging, LinkNotReady, NotPermitted, PlanDiffers
from kumobashi.crypto.errors import SignatureExpired
from kumobashi.kernel import KumobashiError

_PLANS: Final = frozenset(
    kind.code for kind in (LinkChanging, LinkNotReady, NotHere, NotPermitted, PlanDiffers)
)
_UNTRUSTED: Final = frozenset(kind.code for kind in (AnswerUntrusted, CallForeign))


def stage_of(error: KumobashiError) -> Stage:
    """Return what a failure on the way to the other gateway is about.

    >>> stage_of(SignatureExpired())
    <Stage.CLOCK: 'clock'>
    >>> stage_of(PlanDiffers(link="payments"))
    <Stage.PLAN_THERE: 'plan_there'>
    """
    code = str(error.problem()["code"])
    if code == SignatureExpired.code:
        return Stage.CLOCK
    if code in _PLANS:
        return Stage.PLAN_THERE
    if code.startswith("crypto.") or code in _UNTRUSTED:
        return Stage.SIGNATURE
    return Stage.WAY


def failed(stage: Stage, error: KumobashiError, *, site: str) -> Step:
    """Return the step that failed; ``site`` is where, unless the error knows better."""
    told = error.problem()
    at = told.get("site") or told.get("said_by") or site
    code, side = str(told["code"]), told.get("side")
    ja, en = str(told["detail"]), str(told["title"])
    if stage is Stage.PLAN:
        side = Side.ASKING_GATEWAY
    elif code == ProbeUnfit.code:
        side = Side.ANSWERING_GATEWAY  # it knows another version of the test
    return Step(
        stage=stage,
        outcome=Outcome.FAILED,
        ja=ja,
        en=en,
        site=str(at),
        side=Side(str(side)) if side in set(Side) else None,
        code=code,
        remedy_ja=str(told.get("remedy", "")),
        remedy_en=str(told.get("remedy_en", "")),
    )
