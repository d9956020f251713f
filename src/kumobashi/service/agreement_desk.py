"""What the local API and the console do with agreements: judge, look, print."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kumobashi.agreements import (
    Act,
    Actor,
    Agreement,
    Book,
    State,
    reading,
)
from kumobashi.agreements.acting import Wish
from kumobashi.agreements.attaching import Attachments
from kumobashi.agreements.auditing import Audit, Fault, audit
from kumobashi.agreements.errors import AgreementForged, AttachmentLost, IllegalAct
from kumobashi.agreements.placeholders import Around, placeholders
from kumobashi.agreements.printing import SHEETS
from kumobashi.agreements.processors import Processor
from kumobashi.agreements.views import AgreementView, acts_for
from kumobashi.console.ports import Offer
from kumobashi.identity import Account, Accounts
from kumobashi.identity.errors import AccountUnknown
from kumobashi.planning.decided import Decided
from kumobashi.planning.workspace import Workspace
from kumobashi.service.agreement_drafts import Drafts, viewed

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
        planned: Callable[[Workspace, str], Decided],
    ) -> None:
        self.book = book
        self._accounts = accounts
        self._attachments = attachments
        self._workspace = workspace
        self._planned = planned
        self.drafts = Drafts(
            book=book, attachments=attachments, workspace=workspace, planned=planned
        )

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
        return viewed(self.book, done)

    def processors(
        self, agreement: str, register: Sequence[Processor], actor: Actor, *, note: str
    ) -> AgreementView:
        """Replace the register of processors."""
        return viewed(self.book, self.book.register(agreement, register, actor, note=note))

    # -- look -----------------------------------------------------------------------------------

    def show(self, agreement: str) -> AgreementView:
        """Return one; raise ``AgreementUnknown`` or ``AgreementForged``."""
        return viewed(self.book, self.book.get(agreement))

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
        views = tuple(viewed(self.book, one, offices) for one in found)
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
            viewed(self.book, found), self._around(workspace, found), self.book.clock.now()
        )
        return SHEETS.render(paper, values, folder=workspace.folder / TEMPLATES)

    def _around(self, workspace: Workspace, found: Agreement) -> Around:
        town = workspace.municipality.municipality
        name = found.application.link
        link = workspace.every_link.get(name)
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
