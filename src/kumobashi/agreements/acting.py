"""Decide whether somebody may do something to an agreement, and what the move says. Pure.

Four eyes: whoever wrote or submitted the application neither reviews, concurs nor decides; who
reviewed does not concur. A deputy counts as two persons, the one who acts and the one acted for.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from kumobashi.agreements.contents import Application
from kumobashi.agreements.errors import (
    AccountLocked,
    ApplicantDecides,
    ClockBehind,
    ReviewerConcurs,
    WrongSection,
)
from kumobashi.agreements.moves import Move
from kumobashi.agreements.offices import Actor, Offices, Power, Standing, standing_of
from kumobashi.agreements.states import BY_GATEWAY, Act, State, check_act
from kumobashi.kernel import business_date, to_wire

APPLYING = frozenset({Act.CREATE, Act.EDIT, Act.SUBMIT})
JUDGING = frozenset({Act.REVIEW, Act.CONCUR, Act.APPROVE, Act.REFUSE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody wants to do."""

    act: Act
    note: str = ""
    conditions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Dated:
    """When a move counts; ``clock`` is what the clock said, if that was earlier."""

    at: datetime
    clock: datetime | None = None


def applicants(moves: Iterable[Move]) -> frozenset[str]:
    """Return everybody who wrote or submitted any of it, in whatever round."""
    return frozenset[str]().union(*(move.persons for move in moves if move.act in APPLYING))


def reviewers(moves: Iterable[Move]) -> frozenset[str]:
    """Return who reviewed in these moves."""
    return frozenset[str]().union(*(move.persons for move in moves if move.act is Act.REVIEW))


def check_four_eyes(
    act: Act, persons: Collection[str], history: Iterable[Move], this_round: Iterable[Move]
) -> None:
    """Raise :class:`FourEyes` when one of ``persons`` has done what excludes them."""
    if act not in JUDGING:
        return
    if both := sorted(applicants(history) & set(persons)):
        raise ApplicantDecides(person=both[0], act=act.value, act_ja=act.ja)
    if act is Act.CONCUR and (both := sorted(reviewers(this_round) & set(persons))):
        raise ReviewerConcurs(person=both[0])


def check_section(standing: Standing, act: Act, application: Application) -> None:
    """Raise :class:`WrongSection` unless it is the applicants', or the data's owner's, to do."""
    expected: set[str] = set()
    if Power.APPLY in standing.powers:
        expected.add(application.applicant_section)
    if Power.REVIEW in standing.powers:
        expected.add(application.owner_section)
    is_free = bool(standing.powers & {Power.CONCUR, Power.DECIDE})
    if not is_free and standing.section not in expected:
        raise WrongSection(
            account=standing.actor.account,
            section=standing.section,
            expected="・".join(sorted(expected)),
            act=act.value,
            act_ja=act.ja,
        )


def may_act(
    offices: Offices,
    actor: Actor,
    act: Act,
    *,
    state: State,
    application: Application,
    history: Iterable[Move],
    this_round: Iterable[Move],
    now: datetime,
) -> Standing:
    """Return in which capacity somebody may do this now.

    Raises:
        IllegalAct: the state does not allow it, or only the gateway does it.
        AccountLocked, NotAMember, DeputyNotNamed, WrongSection, FourEyes: they may not.
    """
    check_act(state if act not in BY_GATEWAY else State.REFUSED, act)  # never a person's
    if actor.is_locked:
        raise AccountLocked(account=actor.account)
    standing = standing_of(offices, actor, act, state, business_date(now))
    check_section(standing, act, application)
    check_four_eyes(act, standing.persons, history, this_round)
    return standing


def dated(act: Act, now: datetime, last: datetime | None) -> Dated:
    """Return when a move counts, whose clock may be behind that of the move before.

    Withdrawing is never kept back by a clock: it is dated like the move before, and notes what the
    clock said. Everything else is refused, and possible again once the clocks agree.

    Raises:
        ClockBehind: the move would be dated before the one that it follows.
    """
    if last is None or now >= last:
        return Dated(at=now)
    if act is Act.WITHDRAW or act is Act.SUPERSEDE:
        return Dated(at=last, clock=now)
    raise ClockBehind(now=to_wire(now), before=to_wire(last))
