"""Drafts of applications (利用協議の起案): of a link's plan as it is now, with what is attached."""

import json
from collections.abc import Callable
from dataclasses import replace

from kumobashi.agreements import Act, Actor, Agreement, Application, Book, Item, PlanSeen
from kumobashi.agreements.acting import Wish
from kumobashi.agreements.attaching import Attachments
from kumobashi.agreements.models import ApplicationWish
from kumobashi.agreements.offices import Offices
from kumobashi.agreements.views import AgreementView, view_of
from kumobashi.crypto.canonical import canonical
from kumobashi.kernel import business_date
from kumobashi.planning.decided import Decided
from kumobashi.planning.errors import PlanRefused
from kumobashi.planning.workspace import Workspace


class Drafts:
    """Makes and changes drafts; whoever applies has to be an applicant of the offices."""

    def __init__(
        self,
        *,
        book: Book,
        attachments: Attachments,
        workspace: Callable[[], Workspace],
        planned: Callable[[Workspace, str], Decided],
    ) -> None:
        self._book = book
        self._attachments = attachments
        self._workspace = workspace
        self._planned = planned

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
            old = self._book.get(wish.change)
            application = replace(
                application,
                supersedes=old.agreement,
                attachments=old.application.attachments,
                conditions=application.conditions or old.application.conditions,
            )
            register = register or list(old.register)
        made = self._book.create(application, actor, register=register)
        if submit:
            made = self._book.act(made.agreement, Wish(act=Act.SUBMIT), actor, number=number)
        return viewed(self._book, made)

    def edit(self, agreement: str, wish: ApplicationWish, actor: Actor) -> AgreementView:
        """Write a draft anew, of the plan as it is now."""
        old = self._book.get(agreement)
        application = replace(
            self._application(wish, actor),
            applicant_section=old.application.applicant_section,
            attachments=old.application.attachments,
            supersedes=old.application.supersedes,
        )
        return viewed(self._book, self._book.edit(agreement, application, actor))

    def attach(self, agreement: str, name: str, body: bytes, actor: Actor) -> AgreementView:
        """Attach a file to a draft; one of the same name is replaced."""
        self._book.act(agreement, Wish(act=Act.EDIT), actor, dry_run=True)  # before it is kept
        old = self._book.get(agreement).application
        made = self._attachments.keep(name, body, old.attachments)
        others = tuple(one for one in old.attachments if one.name != name)
        application = replace(old, attachments=(*others, made))
        return viewed(self._book, self._book.edit(agreement, application, actor))

    def _application(self, wish: ApplicationWish, actor: Actor) -> Application:
        workspace = self._workspace()
        workspace.declared(wish.link)
        decided = self._planned(workspace, wish.link)
        if not decided.is_permitted:
            first = decided.reasons[0]
            raise PlanRefused(link=wish.link, reason=first.ja, reason_en=first.en)
        basis = decided.link.legal_basis
        return Application(
            link=wish.link,
            applicant_section=self._book.offices().section_of(actor.instead_of or actor.account),
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


def viewed(book: Book, agreement: Agreement, offices: Offices | None = None) -> AgreementView:
    """Return an agreement as it is shown now."""
    now = book.clock.now()
    return view_of(agreement, offices or book.offices(), now, business_date(now))


def plan_seen(decided: Decided) -> PlanSeen:
    """Return what an agreement keeps of a plan."""
    decision = canonical(json.loads(json.dumps(decided.decision))).decode("utf-8")
    return PlanSeen(hash=decided.hash, number=decided.number, decision=decision)
