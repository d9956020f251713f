"""What people do with requests of residents, as JSON in and JSON out.

A number comes in a body when a request is received, is sealed here and never goes into an answer.
Who does it has signed in; what has no words here is looked at by whoever may ask this gateway.
"""

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final

from kumobashi.evidence.entries import Entry, Fact
from kumobashi.identity.roles import Deed
from kumobashi.kernel import business_date
from kumobashi.requests.book import Book, Who
from kumobashi.requests.carrying_errors import (
    ReceiversOpen,
)
from kumobashi.requests.deadlines import RULES, due_of, is_in_window
from kumobashi.requests.errors import (
    RequestUnfit,
    SubjectDied,
    SubjectProtected,
)
from kumobashi.requests.placeholders import Around, placeholders
from kumobashi.requests.printing import SHEETS, paper_of
from kumobashi.requests.reading import Reading
from kumobashi.requests.records import Applicant, Identity, Request
from kumobashi.requests.ruling import Wish
from kumobashi.requests.states import LIVE, OPEN, Kind, Outcome, State
from kumobashi.service.endpoint import Endpoint
from kumobashi.service.errors import BadRequest, ResidentUnknown
from kumobashi.service.gateway import Gateway
from kumobashi.service.person_report import COLUMNS, cautions, cells
from kumobashi.service.person_trace import PersonTrace, number_in, presences
from kumobashi.service.protecting import is_protected
from kumobashi.service.request_answers import check_answer, composed, digest_of
from kumobashi.service.request_receivers import Following, receivers_of

Said = Mapping[str, Any]
Answer = dict[str, Any]
Lines = list[Answer]
TEMPLATES: Final = Path("templates") / "requests"
"""Where the staff's own templates lie in a workspace."""
DEEDS: Final[Mapping[str, Deed | None]] = {
    "new": Deed.HANDLE_REQUEST,
    "check": Deed.HANDLE_REQUEST,
    "ask_more": Deed.HANDLE_REQUEST,
    "resume": Deed.HANDLE_REQUEST,
    "propose": Deed.HANDLE_REQUEST,
    "carry_out": Deed.HANDLE_REQUEST,
    "receiver": Deed.HANDLE_REQUEST,
    "ask_lift": Deed.HANDLE_REQUEST,
    "lift": Deed.DECIDE_REQUEST,
    "close": Deed.HANDLE_REQUEST,
    "withdraw": Deed.HANDLE_REQUEST,
    "extend": Deed.DECIDE_REQUEST,
    "answer": Deed.DECIDE_REQUEST,
    "send_back": Deed.DECIDE_REQUEST,
    "decide": Deed.DECIDE_REQUEST,
    "confirm": Deed.DECIDE_REQUEST,
    "transfer": Deed.DECIDE_REQUEST,
    "show": None,
    "list": None,
    "verify": None,
    "paper": None,
}
"""What each deed needs somebody to sign in for; none: nobody is named by it."""
_WARN_DAYS: Final = 7
_FIRST_DAY: Final = date(2000, 1, 1)
_LONGEST_SECTION: Final = 60


def book_of(gateway: Gateway) -> Book:
    """Return the book of a site's gateway."""
    return Book(gateway.store, tenant=gateway.identity.tenant, clock=gateway.clock)


class RequestDesk:
    """The requests of residents at one site."""

    def __init__(self, gateway: Gateway, endpoint: Endpoint) -> None:
        self._gateway = gateway
        self._endpoint = endpoint
        self._book = book_of(gateway)
        self._reading = Reading(gateway.store, tenant=gateway.identity.tenant)
        self._trace = PersonTrace(gateway, endpoint)
        self._following = Following(gateway)

    def do(self, deed: str, said: Said, *, by: str) -> Answer:
        """Do one deed of :data:`DEEDS`.

        Raises:
            RequestFailed, ConsentFailed: it was not done.
            BadRequest: the body lacks a field.
        """
        work: Callable[[Said, str], Answer] = getattr(self, deed)
        return work(said, by)

    # -- what moves a request -------------------------------------------------------------------

    def new(self, said: Said, by: str) -> Answer:
        """Receive a request; ``dry_run`` says what would be written."""
        number, kind = number_in(said.get("number")), _choice(said, "kind", Kind)
        applicant = _choice(said, "applicant", Applicant)
        section = said.get("section_asked")
        if section is not None and not 1 <= len(str(section)) <= _LONGEST_SECTION:
            raise RequestUnfit(field="section_asked", expected_ja="課の名前", expected="a section")
        workspace = self._endpoint.wiring.workspace()
        links = _texts(said, "links")
        for link in links:
            workspace.link(link)
        consents, warnings = self._endpoint.consents, []
        ledger = consents.ledger
        try:
            number = consents.named(number)
        except ResidentUnknown:  # moved away, perhaps; what was sent before is answered
            warnings.append("number_unknown")
        if ledger.is_gone(number):
            raise SubjectDied
        is_guarded = is_protected(workspace, number)
        if is_guarded and applicant is not Applicant.SELF and not section:
            raise SubjectProtected
        who = self._who(said, by)
        on = who.on or self._today
        subject, rows = ledger.subjects.seal(number), RULES.of(kind, on)
        warnings += ["protected"] if is_guarded else []
        if not is_in_window(on, self._reading.disclosed_on(subject), rows, RULES.closed):
            warnings.append("no_disclosure")
        if said.get("dry_run") is True:
            due = due_of(on, rows, RULES.closed)
            days = {"counted": due.counted.isoformat(), "day": due.day.isoformat()}
            return {"requests": [], "warnings": warnings, "due": days}
        held = self._book.receive(
            subject,
            kind,
            who,
            links=links,
            applicant=applicant,
            identity=_choice(said, "identity", Identity) if said.get("identity") else None,
            section_asked=bool(is_guarded and section),
        )
        return {**self._told(held), "warnings": warnings}

    def check(self, said: Said, by: str) -> Answer:
        """Write down how identity was checked."""
        identity = _choice(said, "identity", Identity)
        return self._told(self._book.check(_text(said, "request"), identity, self._who(said, by)))

    def ask_more(self, said: Said, by: str) -> Answer:
        """Ask to complete the request; the clock stops."""
        what = _text(said, "what")
        return self._told(self._book.ask_more(_text(said, "request"), what, self._who(said, by)))

    def resume(self, said: Said, by: str) -> Answer:
        """Take what was lacking; the clock runs again."""
        identity = _choice(said, "identity", Identity) if said.get("identity") else None
        return self._told(self._book.resume(_text(said, "request"), identity, self._who(said, by)))

    def extend(self, said: Said, by: str) -> Answer:
        """Put the deadline off."""
        days, until = said.get("days"), _day(said, "until")
        if days is not None and type(days) is not int:
            raise BadRequest(field="days", expected="a number")
        reason = str(said.get("reason") or "")
        request, who = _text(said, "request"), self._who(said, by)
        return self._told(self._book.extend(request, reason, who, days=days, until=until))

    def answer(self, said: Said, by: str) -> Answer:
        """Compose the record of what was sent, and keep its digest."""
        held = self._reading.one(_text(said, "request"))
        first = _day(said, "first") or _FIRST_DAY
        last = _day(said, "last") or self._today
        told = self._traced(held, first, last, by)
        made = composed(
            held,
            told,
            municipality=self._endpoint.wiring.workspace().municipality.municipality.name,
            site=self._gateway.identity.site,
            first=first,
            last=last,
        )
        found = self._book.answered(held.request, digest_of(made), self._who(said, by))
        return {**self._told(found), "answer": made, "digest": digest_of(made)}

    def propose(self, said: Said, by: str) -> Answer:
        """Propose a decision."""
        request, who = _text(said, "request"), self._who(said, by)
        return self._told(self._book.propose(request, _wish(said), who))

    def send_back(self, said: Said, by: str) -> Answer:
        """Send a proposal back."""
        return self._told(self._book.send_back(_text(said, "request"), self._who(said, by)))

    def decide(self, said: Said, by: str) -> Answer:
        """Decide what one person may decide."""
        request, who = _text(said, "request"), self._who(said, by)
        return self._told(self._book.decide(request, _wish(said), who))

    def confirm(self, said: Said, by: str) -> Answer:
        """Decide what another person proposed."""
        request, proposal = _text(said, "request"), _text(said, "proposal")
        return self._told(self._book.confirm(request, proposal, self._who(said, by)))

    def transfer(self, said: Said, by: str) -> Answer:
        """Transfer it to another office."""
        request, to = _text(said, "request"), str(said.get("to") or "")
        reason = str(said.get("reason") or "")
        return self._told(self._book.transfer(request, to, reason, self._who(said, by)))

    def carry_out(self, said: Said, by: str) -> Answer:
        """Do what was decided: from here on a suspended resident's rows do not leave."""
        held = self._reading.one(_text(said, "request"))
        links, who = _texts(said, "links"), self._who(said, by)
        workspace = self._endpoint.wiring.workspace()
        for link in links:
            workspace.link(link)
        receivers = []
        if held.kind is not Kind.DISCLOSURE and held.state is State.DECIDED:
            told = self._traced(held, _FIRST_DAY, self._today, by)
            site = self._gateway.identity.site
            receivers = receivers_of(told, workspace, site, links or held.details.links)
        done = self._book.carry_out(held.request, who, links=links, receivers=receivers)
        concerned = done.details.suspended or [one.link for one in receivers]
        under_way = self._following.under_way(concerned)
        warnings = ["under_way"] if under_way else []
        return {**self._followed(done), "warnings": warnings, "under_way": under_way}

    def receiver(self, said: Said, by: str) -> Answer:
        """Note that a receiver was told on paper, or confirmed."""
        request, link = _text(said, "request"), _text(said, "link")
        is_confirmed = said.get("confirmed") is True
        who = self._who(said, by)
        return self._followed(self._book.note(request, link, who, is_confirmed=is_confirmed))

    def ask_lift(self, said: Said, by: str) -> Answer:
        """Ask that a suspension ends."""
        request, reason = _text(said, "request"), str(said.get("reason") or "")
        return self._followed(self._book.ask_lift(request, reason, self._who(said, by)))

    def lift(self, said: Said, by: str) -> Answer:
        """End a suspension that another person asked to end."""
        return self._followed(self._book.lift(_text(said, "request"), self._who(said, by)))

    def close(self, said: Said, by: str) -> Answer:
        """End it, once every receiver has confirmed."""
        held = self._reading.one(_text(said, "request"))
        if held.state is State.CARRIED_OUT and (links := self._following.open(held)):
            raise ReceiversOpen(open=len(links), links="、".join(links))
        return self._told(self._book.close(held.request, self._who(said, by)))

    def withdraw(self, said: Said, by: str) -> Answer:
        """Note that the applicant takes it back."""
        return self._told(self._book.withdraw(_text(said, "request"), self._who(said, by)))

    # -- looking --------------------------------------------------------------------------------

    def show(self, said: Said, _by: str) -> Answer:
        """Return one request with its history."""
        held = self._reading.one(_text(said, "request"))
        history = [{**one.said, "hash": one.hash} for one in self._reading.history(held.request)]
        for one in history:
            for name in ("subject", "facts", "texts"):
                one.pop(name, None)
        return {**self._followed(held), "revisions": history}

    def list(self, said: Said, _by: str) -> Answer:
        """Return requests: live ones, all, or those that are due within a week or overdue.

        Overdue are also those that receivers have not confirmed in time.
        """
        is_due = said.get("due") is True
        states = (*OPEN, State.CARRIED_OUT) if is_due else LIVE
        listed = self._reading.listed(states=() if said.get("all") is True else states)
        waited = {
            one.request
            for one in listed.requests
            if one.state is State.CARRIED_OUT and self._following.is_overdue(one)
        }
        found = [
            one
            for one in listed.requests
            if not is_due or one.request in waited or (one.is_open and _is_near(one, self._today))
        ]
        found.sort(key=lambda one: one.due(self._today).counted)
        told = self._told(*found)
        for one in told["requests"]:
            one["is_waited_for"] = one["request"] in waited
        return {**told, "touched": [one.problem() for one in listed.touched]}

    def verify(self, _said: Said, _by: str) -> Answer:
        """Return what is not as it was written."""
        return {"faults": [one.problem() for one in self._reading.verify()]}

    def paper(self, said: Said, _by: str) -> Answer:
        """Return a paper as HTML; ``answer`` is the record that it shows."""
        held = self._reading.one(_text(said, "request"))
        name = said.get("paper")
        paper = paper_of(held, str(name) if name else None)
        answer, rows, notes = said.get("answer"), [], []
        if answer is not None:
            if not isinstance(answer, dict):
                raise BadRequest(field="answer", expected="the answer as JSON")
            check_answer(held, answer)
            titles = [ja for ja, _ in COLUMNS]
            rows = [
                dict(zip(titles, cells(line, "ja"), strict=True)) for line in answer["transfers"]
            ]
            notes = cautions(answer, "ja")
        workspace = self._endpoint.wiring.workspace()
        town = workspace.municipality.municipality
        around = Around(
            town=town.name,
            code=town.code,
            now=self._gateway.clock.now(),
            links=[
                workspace.links[one].name for one in held.details.links if one in workspace.links
            ],
            rows=rows,
            receivers=answer["receivers"] if answer else [],
            told=self._following.told(held, workspace),
            notes=notes,
        )
        html = SHEETS.render(paper, placeholders(held, around), folder=workspace.folder / TEMPLATES)
        return {"paper": paper, "html": html}

    # -- inside ---------------------------------------------------------------------------------

    def _traced(self, held: Request, first: date, last: date, by: str) -> Lines:
        """Return what was sent of the resident; that it was asked is on record."""
        number = self._endpoint.consents.ledger.subjects.open(held.subject)
        told = self._trace.told(number, first, last, links=held.details.links)
        counts = {"transfers": len(told), **presences(told)}
        facts: dict[str, Fact] = {"id": held.request, "counts": counts}
        self._gateway.evidence.note(
            Entry(event="person.audited", at=self._gateway.clock.now(), by=by, facts=facts)
        )
        return told

    def _followed(self, held: Request) -> Answer:
        """Return a request with how far its receivers are."""
        found = self._told(held)
        if held.details.receivers:
            workspace = self._endpoint.wiring.workspace()
            found["requests"][0]["receivers"] = self._following.told(held, workspace)
        return found

    @property
    def _today(self) -> date:
        return business_date(self._gateway.clock.now())

    def _who(self, said: Said, by: str) -> Who:
        return Who(by=by, on=_day(said, "on"))

    def _told(self, *held: Request) -> Answer:
        return {"requests": [one.plain(self._today) for one in held]}


def _is_near(held: Request, today: date) -> bool:
    due = held.due(today)
    return not due.is_stopped and due.days_left(today) <= _WARN_DAYS


def _wish(said: Said) -> Wish:
    return Wish(
        outcome=_choice(said, "outcome", Outcome),
        clauses=tuple(_texts(said, "clauses")),
        reason=str(said.get("reason") or ""),
    )


def _text(said: Said, name: str) -> str:
    value = said.get(name)
    if not isinstance(value, str) or not value:
        raise BadRequest(field=name, expected="a text")
    return value


def _texts(said: Said, name: str) -> list[str]:
    value = said.get(name) or []
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise BadRequest(field=name, expected="a list of texts")
    return value


def _day(said: Said, name: str) -> date | None:
    value = said.get(name)
    if value is None:
        return None
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise BadRequest(field=name, expected="2026-11-23") from None


def _choice(said: Said, name: str, kind: Any) -> Any:  # noqa: ANN401 - an enum, and one of it
    try:
        return kind(said.get(name))
    except ValueError:
        raise BadRequest(field=name, expected=", ".join(one.value for one in kind)) from None
