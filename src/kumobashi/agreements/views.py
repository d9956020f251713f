"""An agreement as pages, the terminal and printed papers show it. Pure: values in, values out."""

from dataclasses import dataclass
from datetime import date, datetime

from kumobashi.agreements.acting import may_act
from kumobashi.agreements.errors import AgreementFailed
from kumobashi.agreements.offices import Actor, Offices
from kumobashi.agreements.processors import faults, level_of
from kumobashi.agreements.records import Agreement
from kumobashi.agreements.states import FINAL, WAITING, Act, State, possible
from kumobashi.agreements.terms import Reminder, reminders, waits_for


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemView:
    """One item that flows."""

    name: str
    ja: str
    form: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileView:
    """One attachment."""

    name: str
    digest: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessorView:
    """One line of the register; ``fault`` says why its permission does not hold."""

    level: int
    name: str
    address: str
    task: str
    place: str
    jurisdiction: str
    under: str | None
    permission: str | None
    permitted_until: date | None
    fault: str | None
    fault_en: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveView:
    """One line of the history."""

    number: int
    act: str
    act_ja: str
    before: str
    after: str
    at: datetime
    by: str
    instead_of: str | None  # 代決: for whom
    section: str
    title: str
    note: str
    conditions: tuple[str, ...]
    clock: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepView:
    """One step of the way, as it is drawn."""

    state: str
    ja: str
    standing: str  # done, now (whose turn it is), ahead
    move: MoveView | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementView:
    """One agreement."""

    agreement: str
    number: str | None
    name: str
    state: str
    state_ja: str
    revision: int
    link: str
    applicant_section: str
    owner_section: str
    basis: str
    purpose: str
    items: tuple[ItemView, ...]
    conditions: tuple[str, ...]
    first: date
    last: date
    plan_hash: str
    plan_number: str
    attachments: tuple[FileView, ...]
    processors: tuple[ProcessorView, ...]
    supersedes: str | None
    waits_for: str
    reminders: tuple[Reminder, ...]
    moves: tuple[MoveView, ...]
    head: int  # number of the last move, to be shown when somebody decides

    @property
    def is_red(self) -> bool:
        """Whether somebody must act."""
        return any(one.is_red for one in self.reminders)


_WAY = (
    (State.DRAFT, Act.CREATE),
    (State.APPLIED, Act.SUBMIT),
    (State.OWNER_REVIEW, Act.REVIEW),
    (State.GENERAL_AFFAIRS_CONCUR, Act.CONCUR),
    (State.DECIDED, Act.APPROVE),
    (State.IN_FORCE, Act.BEGIN),
)


def view_of(agreement: Agreement, offices: Offices, now: datetime, today: date) -> AgreementView:
    """Return an agreement as people see it."""
    application = agreement.application
    bad = {one.name: one for one in faults(agreement.register, today)}
    is_over = agreement.state in FINAL
    return AgreementView(
        agreement=agreement.agreement,
        number=agreement.row.number,
        name=agreement.name,
        state=agreement.state.value,
        state_ja=agreement.state.ja,
        revision=agreement.row.revision,
        link=application.link,
        applicant_section=application.applicant_section,
        owner_section=application.owner_section,
        basis=application.basis,
        purpose=application.purpose,
        items=tuple(ItemView(name=i.name, ja=i.ja, form=i.form) for i in application.items),
        conditions=agreement.conditions,
        first=application.first,
        last=application.last,
        plan_hash=application.plan.hash,
        plan_number=application.plan.number,
        attachments=tuple(
            FileView(name=one.name, digest=one.digest, size=one.size)
            for one in application.attachments
        ),
        processors=tuple(
            ProcessorView(
                level=level_of(one, agreement.register),
                name=one.name,
                address=one.address,
                task=one.task,
                place=one.place,
                jurisdiction=one.jurisdiction,
                under=one.under,
                permission=one.permission,
                permitted_until=one.permitted_until,
                fault=bad[one.name].ja if one.name in bad and not is_over else None,
                fault_en=bad[one.name].en if one.name in bad and not is_over else None,
            )
            for one in agreement.register
        ),
        supersedes=application.supersedes,
        waits_for=waits_for(agreement)[0],
        reminders=tuple(reminders(agreement, offices, now)),
        moves=tuple(_move(agreement, at) for at in range(len(agreement.moves))),
        head=agreement.head.number,
    )


def steps_of(view: AgreementView) -> tuple[StepView, ...]:
    """Return the way from draft to force, each step with the move that took it last."""
    states = [state.value for state, _ in _WAY]
    reached = states.index(view.state) if view.state in states else -1
    ended_at = -1
    if reached < 0:  # refused, withdrawn, expired: as far as it came
        came = [move.before for move in view.moves if move.before != move.after]
        ended_at = max((states.index(one) for one in came[-1:] if one in states), default=0)
    begun = max((m.number for m in view.moves if m.act == Act.RETURN.value), default=0)
    furthest = reached if reached >= 0 else ended_at
    turn = min(reached + 1, len(_WAY) - 1) if reached >= 0 else -1  # whose turn it is
    found = []
    for at, (state, act) in enumerate(_WAY):
        taken = [m for m in view.moves if m.act == act.value]
        taken = [m for m in taken if m.number > begun or act is Act.CREATE]
        standing = "now" if at == turn else "done" if at <= furthest else "ahead"
        found.append(
            StepView(
                state=state.value,
                ja=act.ja,
                standing=standing,
                move=taken[-1] if taken and at <= furthest else None,
            )
        )
    return tuple(found)


def acts_for(
    agreement: Agreement, offices: Offices, actor: Actor, now: datetime
) -> tuple[Act, ...]:
    """Return what somebody may do to an agreement at this moment."""
    found = []
    for act in possible(agreement.state):
        try:
            may_act(
                offices,
                actor,
                act,
                state=agreement.state,
                application=agreement.application,
                history=agreement.moves,
                this_round=agreement.this_round(),
                now=now,
            )
        except AgreementFailed:
            continue
        found.append(act)
    return tuple(found)


def is_waiting(view: AgreementView) -> bool:
    """Whether an office has to act on it, or somebody has to see to it."""
    return view.state in {state.value for state in WAITING} or bool(view.reminders)


def _move(agreement: Agreement, at: int) -> MoveView:
    move = agreement.moves[at]
    return MoveView(
        number=move.number,
        act=move.act.value,
        act_ja=move.act.ja,
        before=move.before.value,
        after=move.after.value,
        at=move.at,
        by=move.by,
        instead_of=move.instead_of,
        section=move.section,
        title=move.title,
        note=move.note,
        conditions=move.conditions,
        clock=move.clock,
    )
