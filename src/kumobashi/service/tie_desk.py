"""What people and programs do with ties, as JSON in and JSON out.

The local API and the terminal ask the same desk: the one where a gateway runs, the other where it
does not. Numbers of residents come in bodies only, are sealed here, and never go into an answer.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from kumobashi.kernel import Clock, from_wire
from kumobashi.service.consents import Consents
from kumobashi.service.errors import BadRequest
from kumobashi.ties.agent import Agent, Decision
from kumobashi.ties.errors import ServiceUnfit
from kumobashi.ties.held import held_by_token
from kumobashi.ties.reading import Reading
from kumobashi.ties.records import Tie
from kumobashi.ties.services import Service, Status
from kumobashi.ties.states import Act, State
from kumobashi.ties.terms import Channel, Terms
from kumobashi.ties.writing import Said as Statement

Said = Mapping[str, Any]
Answer = dict[str, Any]
_PAGE = 500  # ties in one answer
_TERMS = ("items", "channels", "times", "days", "first", "last")


class TieDesk:
    """The ties of one site, as people and programs use them."""

    def __init__(self, consents: Consents, clock: Clock) -> None:
        self._consents = consents
        self._clock = clock
        self.deeds: Mapping[str, Callable[[Said, str], Answer]] = {
            "service_add": self.service_add,
            "service_list": self.service_list,
            "service_delete": self.service_delete,
            "status": self.status,
            "services_of": self.services_of,
            "propose": self.propose,
            "narrow": self.narrow,
            "accept": self.accept,
            "withdraw": self.withdraw,
            "end": self.end,
            "show": self.show,
            "list": self.list,
            "verify": self.verify,
            "may": self.may,
            "use": self.use,
            "held": self.held,
        }

    def do(self, deed: str, said: Said, *, by: str) -> Answer:
        """Do one deed.

        Raises:
            TieFailed, ConsentFailed: it was not done.
            BadRequest: the body lacks a field, or there is no such deed.
            ResidentUnknown, ResidentUnclear, StorageFailed: it cannot be said who is meant.
        """
        if deed not in self.deeds:
            raise BadRequest(field="deed", expected=", ".join(self.deeds))
        return self.deeds[deed](self._consents.with_numbers(said), by)

    # -- services -------------------------------------------------------------------------------

    def service_add(self, said: Said, by: str) -> Answer:
        """Register a service, or change what is registered."""
        system = str(said["system"]) if said.get("system") else None
        if system is not None and not self._consents.is_elsewhere(system):
            raise ServiceUnfit(field="system")
        service = Service(
            service=_text(said, "service"),
            name=_text(said, "name"),
            provider=_text(said, "provider"),
            section=_text(said, "section"),
            clause=_text(said, "clause"),
            first=_day(said, "first"),
            last=_day(said, "last") if said.get("last") else None,
            system=system,
        )
        registry = self._consents.ties.registry
        keep = registry.replace if said.get("replace") is True else registry.add
        return {"services": [keep(service, by=by).plain()]}

    def service_list(self, said: Said, _by: str) -> Answer:
        """Search services: all words, a section, only those offered now."""
        words, section = said.get("words") or [], said.get("section")
        if not isinstance(words, list) or not all(isinstance(one, str) for one in words):
            raise BadRequest(field="words", expected="a list of texts")
        at = self._clock.now() if said.get("offered") is True else None
        found = self._consents.ties.registry.search(
            words, section=str(section) if section else None, at=at
        )
        return {"services": [one.plain() for one in found]}

    def service_delete(self, said: Said, by: str) -> Answer:
        """Delete a service that nobody is tied to."""
        self._consents.ties.registry.delete(_text(said, "service"), by=by)
        return {"services": []}

    def status(self, said: Said, by: str) -> Answer:
        """Keep how a resident stands to a service."""
        known = self._consents.ties.registry.tell(
            self._subject(said),
            _text(said, "service"),
            _choice(said, "status", Status),
            as_of=self._moment(said, "as_of"),
            source=_text(said, "source"),
            by=by,
        )
        return {"services": [known.plain()]}

    def services_of(self, said: Said, _by: str) -> Answer:
        """Return one resident's services: state, as-of time, and the clause that decides."""
        found = self._consents.ties.registry.known(self._subject(said))
        return {"services": [one.plain() for one in found]}

    # -- ties -----------------------------------------------------------------------------------

    def propose(self, said: Said, by: str) -> Answer:
        """Propose a tie for a service."""
        terms = Terms.of({name: said.get(name) for name in _TERMS})
        subject, service = self._subject(said), _text(said, "service")
        statement = self._statement(said, by)
        return _told(self._consents.ties.propose(subject, service, terms, statement))

    def narrow(self, said: Said, by: str) -> Answer:
        """Answer for the resident; what the body does not say stays."""
        tie = _text(said, "tie")
        given = {name: said[name] for name in _TERMS if said.get(name) not in (None, [])}
        terms = Terms.of({**self._reading.tie(tie).terms.plain(), **given})
        return _told(self._consents.ties.narrow(tie, terms, self._statement(said, by)))

    def accept(self, said: Said, by: str) -> Answer:
        """Accept the terms that ``terms`` is the hash of."""
        side = said.get("side")
        if side not in {"resident", "service"}:
            raise BadRequest(field="side", expected="resident, service")
        act = Act.RESIDENT_ACCEPT if side == "resident" else Act.SERVICE_ACCEPT
        book, tie, terms = self._consents.ties, _text(said, "tie"), _text(said, "terms")
        return _told(book.accept(tie, act, self._statement(said, by), terms=terms))

    def withdraw(self, said: Said, by: str) -> Answer:
        """End a tie for the resident, or what there is between a resident and a service."""
        statement, book = self._statement(said, by), self._consents.ties
        if said.get("tie"):
            return _told(book.withdraw(_text(said, "tie"), statement))
        ended = book.withdraw_from(self._subject(said), _text(said, "service"), statement)
        return _told(*ended)

    def end(self, said: Said, by: str) -> Answer:
        """End a tie for the service."""
        return _told(self._consents.ties.end(_text(said, "tie"), self._statement(said, by)))

    def show(self, said: Said, _by: str) -> Answer:
        """Return one tie with its history."""
        tie = self._reading.tie(_text(said, "tie"))
        history = [{**one.said, "hash": one.hash} for one in self._reading.history(tie.tie)]
        for one in history:
            one.pop("subject", None)
        return {**_told(tie), "revisions": history, "transfers": self._reading.transfers(tie)}

    def list(self, said: Said, _by: str) -> Answer:
        """Return ties: of one resident, or of all by service and state."""
        if said.get("resident_no"):
            return {**_told(*self._reading.of_resident(self._subject(said))), "is_all": True}
        found = self._reading.listed(
            service=str(said["service"]) if said.get("service") else None,
            state=_choice(said, "state", State) if said.get("state") else None,
            after=str(said.get("after") or ""),
            limit=_PAGE + 1,
        )
        return {**_told(*found[:_PAGE]), "is_all": len(found) <= _PAGE}

    def verify(self, _said: Said, _by: str) -> Answer:
        """Return what is not as it was written."""
        return {"faults": [one.problem() for one in self._reading.verify()]}

    # -- the agent ------------------------------------------------------------------------------

    def may(self, said: Said, _by: str) -> Answer:
        """Ask the agent; nothing is counted."""
        items, channel = _items(said), _choice(said, "channel", Channel)
        return _decided(self._agent.may(_text(said, "tie"), items, channel))

    def use(self, said: Said, _by: str) -> Answer:
        """Ask the agent for one call or notice, and count it."""
        items, channel, use = _items(said), _choice(said, "channel", Channel), _text(said, "use")
        if len(use) > 63:  # noqa: PLR2004 - as the table has it
            raise BadRequest(field="use", expected="at most 63 characters")
        return _decided(self._agent.use(_text(said, "tie"), items, channel, use=use))

    def held(self, said: Said, _by: str) -> Answer:
        """Return what the hall told of one resident of a system here, by the resident's token."""
        book, system, token = self._consents.ties, _text(said, "system"), _text(said, "token")
        found = book.store.read(lambda held: held_by_token(held, book.tenant, system, token))
        return {"ties": [one.plain() for one in found]}

    # -- inside ---------------------------------------------------------------------------------

    @property
    def _reading(self) -> Reading:
        book = self._consents.ties
        return Reading(book.store, tenant=book.tenant)

    @property
    def _agent(self) -> Agent:
        book = self._consents.ties
        return Agent(book.store, tenant=book.tenant, clock=self._clock)

    def _subject(self, said: Said) -> str:
        return self._consents.ledger.subjects.seal(_text(said, "resident_no"))

    def _statement(self, said: Said, by: str) -> Statement:
        source = _text(said, "source")
        if len(source) > 63:  # noqa: PLR2004 - as the table has it
            raise BadRequest(field="source", expected="at most 63 characters")
        return Statement(stated_at=self._moment(said, "stated_at"), source=source, by=by)

    def _moment(self, said: Said, name: str) -> datetime:
        value = said.get(name)
        if value is None:
            return self._clock.now()
        try:
            return from_wire(str(value))
        except ValueError:
            raise BadRequest(field=name, expected="a time with a zone") from None


def _told(*ties: Tie) -> Answer:
    return {"ties": [tie.plain() for tie in ties]}


def _decided(said: Decision) -> Answer:
    return {
        "permitted": said.is_permitted,
        "reason": said.reason.value,
        "service": said.service,
        "clause": said.clause,
    }


def _items(said: Said) -> list[str]:
    items = said.get("items")
    if not isinstance(items, list) or not all(isinstance(one, str) for one in items):
        raise BadRequest(field="items", expected="a list of names of items")
    return items


def _text(said: Said, name: str) -> str:
    value = said.get(name)
    if not isinstance(value, str) or not value:
        raise BadRequest(field=name, expected="a text")
    return value


def _day(said: Said, name: str) -> date:
    try:
        return date.fromisoformat(_text(said, name))
    except ValueError:
        raise ServiceUnfit(field=name) from None


def _choice(said: Said, name: str, kind: Any) -> Any:  # noqa: ANN401 - an enum, and one of it
    value = said.get(name)
    try:
        return kind(value)
    except ValueError:
        raise BadRequest(field=name, expected=", ".join(one.value for one in kind)) from None
