"""The form in which an office applies (利用協議の起案): its fields, and what is kept of them."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

from kumobashi.agreements import Act, State
from kumobashi.agreements.errors import AgreementFailed, ApplicationUnfit, IllegalAct
from kumobashi.agreements.models import RegisterFile, wish_of
from kumobashi.agreements.numbering import last_of_fiscal_year
from kumobashi.agreements.offices import Power, standing_of
from kumobashi.console.ports import DraftForm
from kumobashi.kernel import business_date
from kumobashi.planning.workspace import Workspace
from kumobashi.service.agreement_desk import AgreementDesk
from kumobashi.storage.documents import Document, read_text

_MOST_MISTAKES: Final = 5  # that are told at once
_REGISTER: Final = "register.yaml"  # what mistakes in an uploaded one are said of
_FIELDS: Final = ("link", "owner_section", "purpose", "first", "last")


class DraftForms:
    """Meets ``DraftSource``."""

    def __init__(self, desk: AgreementDesk, workspace: Callable[[], Workspace]) -> None:
        self._desk = desk
        self._workspace = workspace

    def blank(self, link: str, *, account: str) -> DraftForm:
        """Return the form of a new application: until the end of the fiscal year."""
        today, sections = self._today(), self._sections()
        fields = {
            "link": link if link in self._workspace().links else "",
            "owner_section": sections[0] if len(sections) == 1 else "",
            "purpose": "",
            "first": today.isoformat(),
            "last": last_of_fiscal_year(today).isoformat(),
            "conditions": "",
        }
        return self._form(fields, account)

    def filled(self, agreement: str, *, account: str) -> DraftForm:
        """Return the form with what a draft says now."""
        view = self._desk.show(agreement)
        if view.state != State.DRAFT:
            raise IllegalAct(
                state=view.state,
                state_ja=view.state_ja,
                act=Act.EDIT.value,
                act_ja=Act.EDIT.ja,
                possible="to look at it",
                possible_ja="見ること",
            )
        fields = {
            "link": view.link,
            "owner_section": view.owner_section,
            "purpose": view.purpose,
            "first": view.first.isoformat(),
            "last": view.last.isoformat(),
            "conditions": "\n".join(view.conditions),
        }
        return self._form(fields, account)

    def keep(self, fields: Mapping[str, str], *, account: str, agreement: str | None) -> str:
        """Keep a draft, new or written anew, and return its id."""
        said: dict[str, object] = {name: fields.get(name, "").strip() for name in _FIELDS}
        lines = (line.strip() for line in fields.get("conditions", "").splitlines())
        said["conditions"] = [line for line in lines if line]
        wish, actor = wish_of(said), self._desk.actor(account)
        if agreement is None:
            return self._desk.drafts.new(wish, actor).agreement
        return self._desk.drafts.edit(agreement, wish, actor).agreement

    def attach(self, agreement: str, name: str, body: bytes, *, account: str) -> None:
        """Attach a file to a draft; one of the same name is replaced."""
        self._desk.drafts.attach(agreement, name, body, self._desk.actor(account))

    def register(self, agreement: str, body: bytes, *, account: str) -> None:
        """Replace the register of processors by what a file (YAML) says."""
        try:
            text = body.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise _unfit("UTF-8 ではありません", "it is not UTF-8") from None
        found = read_text(text, RegisterFile, file=_REGISTER)
        if not isinstance(found, Document):
            told = found[:_MOST_MISTAKES]
            raise _unfit(
                " ".join(one.say("ja") for one in told), " ".join(one.say("en") for one in told)
            )
        lines = [line.processor() for line in found.value.processors]
        self._desk.processors(agreement, lines, self._desk.actor(account), note="")

    def _form(self, fields: Mapping[str, str], account: str) -> DraftForm:
        links = self._workspace().links
        return DraftForm(
            fields=fields,
            sections=self._sections(),
            links=[(name, links[name].name) for name in sorted(links)],
            may_apply=self._may_apply(account),
        )

    def _sections(self) -> list[str]:
        members = self._desk.book.offices().members.values()
        return sorted({member.section for member in members if Power.REVIEW in member.powers})

    def _may_apply(self, account: str) -> bool:
        try:
            standing_of(
                self._desk.book.offices(),
                self._desk.actor(account),
                Act.CREATE,
                State.DRAFT,
                self._today(),
            )
        except AgreementFailed:
            return False
        return True

    def _today(self) -> date:
        return business_date(self._desk.book.clock.now())


def _unfit(reason: str, reason_en: str) -> ApplicationUnfit:
    return ApplicationUnfit(
        field="processors", field_ja="再委託台帳", reason=reason, reason_en=reason_en
    )
