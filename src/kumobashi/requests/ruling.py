"""What may be decided about a request, how far it may be put off, what is said with it. Pure."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from kumobashi.crypto.canonical import digest
from kumobashi.requests.deadlines import Extension, Rules, Step
from kumobashi.requests.errors import (
    AnswerMissing,
    ClauseUnfit,
    ExtendedFar,
    ReasonMissing,
    RequesterUnchecked,
    RequestUnfit,
)
from kumobashi.requests.records import Details, Request, Ruling
from kumobashi.requests.states import Act, Kind, Outcome, State, check_act

_LONGEST_TEXT: Final = 1_000
_FAR: Final = 366  # days; a day that was set further ahead is a slip of the pen


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody wants to be decided."""

    outcome: Outcome
    clauses: tuple[str, ...] = ()
    reason: str = ""


def ruling_of(held: Request, wish: Wish, rules: Rules, *, on: date, by: str) -> Ruling:
    """Return what is to be decided.

    Raises:
        RequestMove, ClauseUnfit, ReasonMissing, RequesterUnchecked, AnswerMissing: it cannot be.
    """
    if held.state is State.ASKED and wish.outcome is not Outcome.REFUSED:
        check_act(held.state, Act.DECIDE)
    clauses = tuple(dict.fromkeys(wish.clauses))
    if not wish.outcome.needs_two and clauses:
        raise ClauseUnfit(clause=clauses[0], known="")
    for clause in clauses or ("",) * wish.outcome.needs_two:
        if rules.refusal(clause, held.kind, wish.outcome.value, on) is None:
            known = [
                one.code
                for one in rules.refusals
                if held.kind.value in one.kinds and wish.outcome.value in one.outcomes
            ]
            raise ClauseUnfit(clause=clause, known=", ".join(known))
    if wish.outcome.needs_two:
        reason_in(wish.reason)
    if wish.outcome is not Outcome.REFUSED and held.details.identity is None:
        raise RequesterUnchecked
    answer = held.details.answer if wish.outcome is not Outcome.REFUSED else None
    if held.kind is Kind.DISCLOSURE and wish.outcome is not Outcome.REFUSED and answer is None:
        raise AnswerMissing
    said = wish.reason.strip()
    reason = digest(text_in("reason", said).encode()) if said else None
    return Ruling(outcome=wish.outcome, clauses=clauses, reason=reason, answer=answer, by=by)


def extension_of(
    held: Request, rules: Rules, *, on: date, days: int | None, until: date | None
) -> Extension:
    """Return how far a deadline is put off; raise ``ExtendedFar``."""
    rows = rules.of(held.kind, held.received_on)
    step = Step.SPECIAL if until is not None else Step.LONGER
    row = rows[step]
    if until is not None:
        counted = held.due(on, rules).counted
        if days is None and 0 < (until - counted).days <= _FAR:
            return Extension(step=step, told=on, until=until)
        most, most_en = "いまの期限より後の日", "a day after the deadline"
    else:
        longest = row.days or 0
        wished = longest if days is None else days
        if 1 <= wished <= longest:
            return Extension(step=step, told=on, days=wished)
        most, most_en = f"{longest}日まで", f"at most {longest} days"
    raise ExtendedFar(article=row.article_ja, most=most, most_en=most_en)


def decided(held: Request, ruling: Ruling, rules: Rules, *, on: date, by: str) -> Details:
    """Return what is on record once it is decided, and how late that is."""
    due = held.due(on, rules)
    late = max((on - due.day).days, 0) if due.is_late(on) else 0
    return replace(
        held.details,
        proposal=None,
        decision=ruling,
        decided_on=on,
        decided_by=by,
        days_late=late,
    )


def text_in(field: str, value: str) -> str:
    """Return what somebody wrote, without what stands around it; raise ``RequestUnfit``."""
    said = value.strip()
    is_plain = all(one.isprintable() or one == "\n" for one in said)
    if not said or len(said) > _LONGEST_TEXT or not is_plain:
        raise RequestUnfit(
            field=field,
            expected_ja=f"1〜{_LONGEST_TEXT}字",
            expected=f"1 to {_LONGEST_TEXT} characters",
        )
    return said


def reason_in(value: str) -> str:
    """Return a reason; raise ``ReasonMissing`` or ``RequestUnfit``."""
    if not value.strip():
        raise ReasonMissing
    return text_in("reason", value)
