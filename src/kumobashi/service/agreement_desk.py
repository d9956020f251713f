"""What the local API and the console do with agreements: apply, judge, look, print."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kumobashi.agreements import (
    Act,
    Actor,
    Agreement,
    Application,
    Book,
    Item,
    PlanSeen,
    State,
    reading,
)
from kumobashi.agreements.acting import Wish
from kumobashi.agreements.attaching import Attachments
from kumobashi.agreements.auditing import Audit, Fault, audit
from kumobashi.agreements.errors import AgreementForged, AttachmentLost, IllegalAct
from kumobashi.agreements.models import ApplicationWish
from kumobashi.agreements.offices import Offices
from kumobashi.agreements.placeholders import Around, placeholders
from kumobashi.agreements.printing import SHEETS
from kumobashi.agreements.processors import Processor
from kumobashi.agreements.views import AgreementView, acts_for, view_of
from kumobashi.console.ports import Offer
from kumobashi.crypto.canonical import canonical
from kumobashi.identity import Account, Accounts
from kumobashi.identity.errors import AccountUnknown
from kumobashi.kernel import business_date
from kumobashi.planning.errors import PlanRefused
from kumobashi.planning.plan import Plan
from kumobashi.planning.workspace import Workspace

PAGE = 50
NOTICE = "notice"
TEMPLATES = Path("templates") / "agreements"
"""Where the staff's own templates lie in a workspace."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A page of the list; ``after`` asks for the next, ``unreadable`` were tampered with."""

    views: tuple[AgreementView, ...]
    unreadable: tuple[Fault, ...]
    after: str | None


class AgreementDesk:
    """Knows the book, the accounts and the plans of one site."""

    def __init__(
        self,
        *,
        book: Book,
        accounts: Accounts,
        attachments: Attachments,
        workspace: Callable[[], Workspace],
        planned: Callable[[Workspace, str], Plan],
    ) -> None:
        self.book = book
        self._accounts = accounts
        self._attachments = attachments
        self._workspace = workspace
        self._planned = planned

    # -- who ------------------------------------------------------------------------------------

    def actor(self, account: str, instead_of: str | None = None) -> Actor:
        """Return somebody as the accounts file has them now; raise ``AccountUnknown``."""
        mine = self._accounts.get(account)
        other = self._other(instead_of) if instead_of else None
        return Actor(
            account=mine.name,
            role=mine.role,
            is_locked=mine.is_locked,
            instead_of=instead_of,
            instead_role=other.role if other else None,
        )

    def _other(self, account: str) -> Account | None:
        try:
            return self._accounts.get(account)
        except AccountUnknown:
            return None

    # -- do -------------------------------------------------------------------------------------

    def new(
        self,
        wish: ApplicationWish,
        actor: Actor,
        *,
        submit: bool = False,
        number: str | None = None,
    ) -> AgreementView:
        """Draft an application for a link, of its plan as it is now; with ``submit`` apply at once.

        Raises:
            LinkUnknown, PlanRefused: there is nothing that could be applied for.
            AgreementUnknown, and all that :meth:`Book.create` raises.
        """
        application = self._application(wish, actor)
        register = [line.processor() for line in wish.processors]
        if wish.change is not None:
            old = self.book.get(wish.change)
            application = replace(
                application,
                supersedes=old.agreement,
                attachments=old.application.attachments,
                conditions=application.conditions or old.application.conditions,
            )
            register = register or list(old.register)
        made = self.book.create(application, actor, register=register)
        if submit:
            made = self.book.act(made.agreement, Wish(act=Act.SUBMIT), actor, number=number)
        return self._view(made)

    def edit(self, agreement: str, wish: ApplicationWish, actor: Actor) -> AgreementView:
        """Write a draft anew, of the plan as it is now."""
        old = self.book.get(agreement)
        application = replace(
            self._application(wish, actor),
            applicant_section=old.application.applicant_section,
            attachments=old.application.attachments,
            supersedes=old.application.supersedes,
        )
        return self._view(self.book.edit(agreement, application, actor))

    def act(
        self,
        agreement: str,
        wish: Wish,
        actor: Actor,
        *,
        seen: int | None = None,
        number: str | None = None,
        dry_run: bool = False,
    ) -> AgreementView:
        """Submit, review, concur, decide, send back or withdraw."""
        done = self.book.act(agreement, wish, actor, seen=seen, number=number, dry_run=dry_run)
        return self._view(done)

    def attach(self, agreement: str, name: str, body: bytes, actor: Actor) -> AgreementView:
        """Attach a file to a draft; one of the same name is replaced."""
        self.book.act(agreement, Wish(act=Act.EDIT), actor, dry_run=True)  # before it is kept
        old = self.book.get(agreement).application
        made = self._attachments.keep(name, body, old.attachments)
        others = tuple(one for one in old.attachments if one.name != name)
        application = replace(old, attachments=(*others, made))
        return self._view(self.book.edit(agreement, application, actor))

    def processors(
        self, agreement: str, register: Sequence[Processor], actor: Actor, *, note: str
    ) -> AgreementView:
        """Replace the register of processors."""
        return self._view(self.book.register(agreement, register, actor, note=note))

    # -- look -----------------------------------------------------------------------------------

    def show(self, agreement: str) -> AgreementView:
        """Return one; raise ``AgreementUnknown`` or ``AgreementForged``."""
        return self._view(self.book.get(agreement))

    def offers(self, agreement: str, account: str) -> list[Offer]:
        """Return what an account may do to it now, for itself and as a deputy."""
        now, offices = self.book.clock.now(), self.book.offices()
        found = self.book.get(agreement)
        others = {one.instead_of for one in offices.deputies if one.account == account}
        offered = []
        for other in (None, *sorted(others)):
            actor = self.actor(account, other)
            known = self._other(other) if other else None
            shown = known.shown if known else other or ""
            offered += [
                Offer(act=act, instead_of=other, shown=shown)
                for act in acts_for(found, offices, actor, now)
            ]
        return offered

    def do(
        self,
        agreement: str,
        act: Act,
        *,
        account: str,
        instead_of: str | None,
        note: str,
        condition: str,
        seen: int,
    ) -> None:
        """Do what a form of the console asks for."""
        conditions = (condition,) if condition and act is Act.APPROVE else ()
        wish = Wish(act=act, note=note, conditions=conditions)
        self.book.act(agreement, wish, self.actor(account, instead_of), seen=seen)

    def listed(
        self,
        *,
        states: Sequence[State] = (),
        link: str | None = None,
        text: str = "",
        after: str = "",
        limit: int = PAGE,
    ) -> Listed:
        """Return a page of agreements, the newest first."""

        def read(held: Any) -> tuple[list[Agreement], list[Fault], str | None]:  # noqa: ANN401
            rows = reading.listed(
                held,
                self.book.trusted.tenant,
                states=states,
                link=link,
                text=text,
                after=after,
                limit=limit + 1,
            )
            found, bad = [], []
            for row in rows[:limit]:
                try:
                    found.append(reading.whole(held, self.book.trusted, row))
                except AgreementForged as error:
                    bad.append(
                        Fault(
                            agreement=row.agreement,
                            number=row.number,
                            code=error.code,
                            ja=error.what,
                            en=error.what_en,
                        )
                    )
            more = rows[limit - 1].agreement if len(rows) > limit else None
            return found, bad, more

        found, bad, more = self.book.store.read(read)
        offices = self.book.offices()
        views = tuple(self._view(one, offices) for one in found)
        return Listed(views=views, unreadable=tuple(bad), after=more)

    def verify(self) -> Audit:
        """Verify every agreement, its evidence and its attachments."""
        found = self.book.store.read(lambda held: audit(held, self.book.trusted))
        bad = {fault.agreement for fault in found.faults}
        faults = list(found.faults)
        after = ""
        while True:
            page = self.listed(after=after)
            for view in page.views:
                if view.agreement not in bad:
                    faults += self._lost(view)
            if page.after is None:
                return replace(found, faults=tuple(faults))
            after = page.after

    def _lost(self, view: AgreementView) -> list[Fault]:
        found = []
        for one in self.book.get(view.agreement).application.attachments:
            try:
                self._attachments.read(one)
            except AttachmentLost as lost:
                fault = Fault(
                    agreement=view.agreement,
                    number=view.number,
                    code=lost.code,
                    ja=lost.say("ja"),
                    en=lost.say("en"),
                )
                found.append(fault)
        return found

    def file(self, agreement: str, number: int) -> tuple[str, bytes]:
        """Return name and bytes of an attachment, counted from 1.

        Raises:
            AttachmentLost: it is gone, was changed, or there is none of this number.
        """
        held = self.book.get(agreement).application.attachments
        if not 1 <= number <= len(held):
            raise AttachmentLost(name=str(number))
        one = held[number - 1]
        return one.name, self._attachments.read(one)

    def paper(self, agreement: str, paper: str) -> str:
        """Return the application or the notice of decision as one HTML file.

        Raises:
            AgreementUnknown, AgreementForged, TemplateUnfit.
            IllegalAct: there is no notice before the decision.
        """
        found = self.book.get(agreement)
        if paper == NOTICE and not (found.last(Act.APPROVE) or found.last(Act.REFUSE)):
            raise IllegalAct(
                state=found.state.value,
                state_ja=found.state.ja,
                act="print the notice",
                act_ja="決定通知書の印刷",
                possible="to print the application",
                possible_ja="申請書の印刷",
            )
        workspace = self._workspace()
        values = placeholders(
            self._view(found), self._around(workspace, found), self.book.clock.now()
        )
        return SHEETS.render(paper, values, folder=workspace.folder / TEMPLATES)

    def _around(self, workspace: Workspace, found: Agreement) -> Around:
        town = workspace.municipality.municipality
        name = found.application.link
        link = workspace.links.get(name)
        planned = self._planned(workspace, name) if link else None
        basis = planned.basis if planned else None
        is_same = basis is not None and basis.code == found.application.basis
        old = found.application.supersedes
        return Around(
            town=town.name,
            code=town.code,
            link_name=link.name if link else name,
            from_name=planned.from_name if planned else "",
            to_name=planned.to_name if planned else "",
            basis_name=basis.article_ja if basis and is_same else found.application.basis,
            names={account.name: account.shown for account in self._accounts.list()},
            changes=self.book.get(old).name if old else None,
            digest=found.head.digest(),
        )

    # -- inside ---------------------------------------------------------------------------------

    def _application(self, wish: ApplicationWish, actor: Actor) -> Application:
        workspace = self._workspace()
        workspace.link(wish.link)
        decided = self._planned(workspace, wish.link)
        if not decided.is_permitted:
            first = decided.reasons[0]
            raise PlanRefused(link=wish.link, reason=first.ja, reason_en=first.en)
        basis = decided.link.legal_basis
        return Application(
            link=wish.link,
            applicant_section=self.book.offices().section_of(actor.instead_of or actor.account),
            owner_section=wish.owner_section,
            basis=basis.code if basis else "",
            purpose=wish.purpose,
            items=tuple(
                Item(name=item.name, ja=item.ja, form=item.operation_ja) for item in decided.items
            ),
            conditions=wish.conditions,
            first=wish.first,
            last=wish.last,
            plan=plan_seen(decided),
        )

    def _view(self, agreement: Agreement, offices: Offices | None = None) -> AgreementView:
        now = self.book.clock.now()
        return view_of(agreement, offices or self.book.offices(), now, business_date(now))


def plan_seen(decided: Plan) -> PlanSeen:
    """Return what an agreement keeps of a plan."""
    decision = canonical(json.loads(json.dumps(decided.decision))).decode("utf-8")
    return PlanSeen(hash=decided.hash, number=decided.number, decision=decision)
