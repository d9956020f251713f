"""Who may do what to agreements: members of sections, their powers, and deputies with dates.

Pure values; :func:`offices_of` makes them from ``agreements:`` of ``kumobashi.yaml``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final

from kumobashi.agreements.errors import DeputyNotNamed, NotAMember
from kumobashi.agreements.states import Act, State
from kumobashi.directory.agreement_models import AgreementRules
from kumobashi.identity.roles import Deed, Role, may


class Power(StrEnum):
    """What a member may do; the first is for applicants, the others for who decides."""

    APPLY = "apply"
    REVIEW = "review"
    CONCUR = "concur"
    DECIDE = "decide"

    def is_of(self, role: Role) -> bool:
        """Whether an account's role may hold it: who only looks, or audits, never acts."""
        deeds = (Deed.PROPOSE, Deed.APPROVE) if self is Power.APPLY else (Deed.APPROVE,)
        return any(may(role, deed) for deed in deeds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One account of a section."""

    account: str
    section: str
    powers: frozenset[Power]
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deputy:
    """One account acts for another, both days included."""

    account: str
    instead_of: str
    first: date
    last: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Offices:
    """The rules of one municipality."""

    members: Mapping[str, Member] = field(default_factory=dict)
    deputies: tuple[Deputy, ...] = ()
    is_required: bool = False
    letters: str = "総"
    days: Mapping[State, int] = field(default_factory=dict)  # that a step may take
    warn_days: tuple[int, ...] = (90, 30, 7)

    def section_of(self, account: str) -> str:
        """Return the section of an account; empty when it is in none."""
        member = self.members.get(account)
        return member.section if member else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who asks, as the accounts file has them at this moment."""

    account: str
    role: Role
    is_locked: bool = False
    instead_of: str | None = None  # 代決: for whom
    instead_role: Role | None = None  # what that account is; none: there is no such account


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """In which capacity somebody acts: whose section, title and powers count."""

    actor: Actor
    section: str
    title: str
    powers: frozenset[Power]

    @property
    def persons(self) -> frozenset[str]:
        """Everybody that acts: a deputy counts as both."""
        other = self.actor.instead_of
        return frozenset({self.actor.account, *({other} if other else ())})


TURN: Final[Mapping[State, Power]] = {
    State.DRAFT: Power.APPLY,
    State.APPLIED: Power.REVIEW,
    State.OWNER_REVIEW: Power.CONCUR,
    State.GENERAL_AFFAIRS_CONCUR: Power.DECIDE,
}
"""Whose turn it is."""


def power_for(act: Act, state: State) -> frozenset[Power]:
    """Return the powers of which one is needed for an act in a state."""
    if act in {Act.CREATE, Act.EDIT, Act.SUBMIT}:
        return frozenset({Power.APPLY})
    if act is Act.WITHDRAW:
        # Before the decision the applicant takes it back; afterwards any office may stop it.
        is_decided = state in {State.DECIDED, State.IN_FORCE}
        return frozenset(Power) if is_decided else frozenset({Power.APPLY})
    if act is Act.REGISTER:
        return frozenset({Power.APPLY if state is State.DRAFT else Power.CONCUR})
    single = {
        Act.REVIEW: Power.REVIEW,
        Act.CONCUR: Power.CONCUR,
        Act.APPROVE: Power.DECIDE,
        Act.REFUSE: Power.DECIDE,
    }
    return frozenset({single.get(act) or TURN.get(state, Power.DECIDE)})


def standing_of(offices: Offices, actor: Actor, act: Act, state: State, on: date) -> Standing:
    """Return in which capacity somebody may do this.

    Raises:
        NotAMember: whoever it acts for lacks the power, or the role of one of the two does.
        DeputyNotNamed: it is no deputy of that person on this day.
    """
    if actor.instead_of is not None and not any(
        one.account == actor.account
        and one.instead_of == actor.instead_of
        and one.first <= on <= one.last
        for one in offices.deputies
    ):
        raise DeputyNotNamed(account=actor.account, instead_of=actor.instead_of, on=on.isoformat())
    needed = power_for(act, state)
    member = offices.members.get(actor.instead_of or actor.account)
    held = member.powers & needed if member else frozenset[Power]()
    roles = {actor.role} if actor.instead_of is None else {actor.role, actor.instead_role}
    held = frozenset(p for p in held if all(role and p.is_of(role) for role in roles))
    if member is None or not held:
        raise NotAMember(
            account=actor.account,
            act=act.value,
            act_ja=act.ja,
            power=", ".join(sorted(power.value for power in needed)),
        )
    return Standing(actor=actor, section=member.section, title=member.title, powers=held)


def offices_of(rules: AgreementRules) -> Offices:
    """Return the values that the file says."""
    return Offices(
        members={
            name: Member(
                account=name,
                section=member.section,
                powers=frozenset(Power(one) for one in member.may),
                title=member.title,
            )
            for name, member in rules.members.items()
        },
        deputies=tuple(
            Deputy(account=one.deputy, instead_of=one.instead_of, first=one.first, last=one.last)
            for one in rules.deputies
        ),
        is_required=rules.required,
        letters=rules.letters,
        days={
            State.APPLIED: rules.deadlines.applied,
            State.OWNER_REVIEW: rules.deadlines.owner_review,
            State.GENERAL_AFFAIRS_CONCUR: rules.deadlines.general_affairs_concur,
        },
        warn_days=tuple(sorted(rules.warn_days, reverse=True)),
    )
