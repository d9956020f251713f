"""Whether an agreement lets a transfer go, when it begins and ends, and what has to be reminded of.

Pure. Days are Japanese calendar dates; a term ends at midnight behind its last day.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from kumobashi.agreements.errors import (
    AgreementEnded,
    NotInForce,
    OtherLink,
    OutsideTerm,
    PlanDrifted,
)
from kumobashi.agreements.offices import TURN, Offices, Power
from kumobashi.agreements.processors import Fault, faults
from kumobashi.agreements.records import Agreement
from kumobashi.agreements.states import FINAL, WAITING, Act, State
from kumobashi.kernel import business_date


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is about to be sent."""

    link: str
    plan_hash: str
    business_date: date
    today: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminder:
    """What somebody has to see to (督促)."""

    kind: str  # waiting, late, ending, blocked, permission
    days: int  # waited, over the deadline, or left
    ja: str
    en: str
    is_red: bool


def check_covers(agreement: Agreement, wanted: Wanted) -> None:
    """Raise :class:`NotCovered` unless the agreement lets this go today."""
    application, name = agreement.application, agreement.name
    if application.link != wanted.link:
        raise OtherLink(number=name, covers=application.link, link=wanted.link)
    if agreement.state in FINAL:
        raise ended(agreement)
    if agreement.state is not State.IN_FORCE:
        state = agreement.state
        raise NotInForce(number=name, link=wanted.link, state=state.value, state_ja=state.ja)
    for on in (wanted.today, wanted.business_date):
        if not agreement.is_in_term(on):
            raise OutsideTerm(
                number=name,
                link=wanted.link,
                on=on.isoformat(),
                first=application.first.isoformat(),
                last=application.last.isoformat(),
            )
    if application.plan.hash != wanted.plan_hash:
        raise PlanDrifted(
            number=name,
            link=wanted.link,
            changes="事前点検の内容が違います",
            changes_en="its plan is another",
        )


def ended(agreement: Agreement) -> AgreementEnded:
    """Return the error that says that an agreement is over, and since when."""
    return AgreementEnded(
        number=agreement.name,
        link=agreement.application.link,
        state=agreement.state.value,
        state_ja=agreement.state.ja,
    )


def act_due(agreement: Agreement, today: date) -> Act | None:
    """Return what the gateway has to do to an agreement today by itself."""
    if agreement.state not in {State.DECIDED, State.IN_FORCE}:
        return None
    if today > agreement.application.last:
        return Act.EXPIRE
    if agreement.state is State.DECIDED and agreement.is_in_term(today):
        return None if faults(agreement.register, today) else Act.BEGIN
    return None


def blocked_by(agreement: Agreement, today: date) -> list[Fault]:
    """Return the processors that keep an agreement from coming into force, or should have ended."""
    return [] if agreement.state in FINAL else faults(agreement.register, today)


def waits_for(agreement: Agreement) -> tuple[str, Power | None]:
    """Return whom an agreement waits for: a section's name, and the power that is needed."""
    power = TURN.get(agreement.state)
    match power:
        case Power.APPLY:
            return agreement.application.applicant_section, power
        case Power.REVIEW:
            return agreement.application.owner_section, power
        case Power.CONCUR:
            return "総務課", power
        case Power.DECIDE:
            return "決定権者", power
        case None:
            return "", None


def reminders(agreement: Agreement, offices: Offices, now: datetime) -> Sequence[Reminder]:
    """Return what somebody has to see to, the reddest first."""
    today, found = business_date(now), []
    if agreement.state in WAITING:
        waited = (today - business_date(agreement.since)).days
        limit = offices.days.get(agreement.state)
        section, _ = waits_for(agreement)
        is_late = limit is not None and waited > limit
        over = waited - limit if limit is not None else 0
        found.append(
            Reminder(
                kind="late" if is_late else "waiting",
                days=over if is_late else waited,
                ja=f"{section}で {waited} 日待っています"
                + (f"（期限 {limit} 日を {over} 日過ぎました）" if is_late else ""),
                en=f"has waited {waited} days" + (f", {over} over the deadline" if is_late else ""),
                is_red=is_late,
            )
        )
    if agreement.state in {State.DECIDED, State.IN_FORCE}:
        left = (agreement.application.last - today).days
        if offices.warn_days and left <= max(offices.warn_days):
            step = min((one for one in offices.warn_days if left <= one), default=left)
            found.append(
                Reminder(
                    kind="ending",
                    days=left,
                    ja=f"期間があと {left} 日で終わります（{step} 日前のお知らせ）",
                    en=f"its term ends in {left} days ({step} days' notice)",
                    is_red=left <= min(offices.warn_days),
                )
            )
    if agreement.state in {State.DECIDED, State.IN_FORCE}:
        for fault in faults(agreement.register, today):
            is_blocked = agreement.state is State.DECIDED
            found.append(
                Reminder(
                    kind="blocked" if is_blocked else "permission",
                    days=0,
                    ja=f"再委託台帳: {fault.name}（{fault.ja}）"
                    + ("。効力を始められません" if is_blocked else ""),
                    en=f"processor {fault.name}: {fault.en}"
                    + ("; it cannot come into force" if is_blocked else ""),
                    is_red=True,
                )
            )
    return sorted(found, key=lambda one: not one.is_red)
