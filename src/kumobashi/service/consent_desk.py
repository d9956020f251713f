"""What the people at a desk do with the ledger of consents, as JSON in and JSON out.

The local API and the terminal ask the same desk: the one where a gateway runs, the other where it
does not. Numbers of residents come in bodies only and never go into an answer.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from kumobashi.consent.channels.errors import ChannelUnproven
from kumobashi.consent.channels.states import Channel
from kumobashi.consent.codes import MailedCodes
from kumobashi.consent.importing import export_all, import_all
from kumobashi.consent.incoming import incoming
from kumobashi.consent.reading import Reading
from kumobashi.consent.records import Application, GivenBy, Method, Record, plain_record
from kumobashi.consent.snapshot import Terms
from kumobashi.consent.standing import why_not
from kumobashi.consent.states import State, Tier
from kumobashi.consent.texts import shown
from kumobashi.identity import Accounts
from kumobashi.kernel import Clock, business_date, from_wire, to_wire
from kumobashi.service.asking import said_choice, said_text
from kumobashi.service.channel_desk import ChannelDesk
from kumobashi.service.consents import Consents
from kumobashi.service.counter import Counter
from kumobashi.service.errors import BadRequest
from kumobashi.service.identity_desk import IdentityDesk

Said = Mapping[str, Any]
Answer = dict[str, Any]
_PAGE = 1_000  # records in one answer


class ConsentDesk:
    """The ledger of one site, as people use it."""

    def __init__(self, consents: Consents, clock: Clock, accounts: Accounts) -> None:
        self._consents = consents
        self._clock = clock
        self._counter = Counter(accounts, clock)
        self.deeds: Mapping[str, Callable[[Said, str], Answer]] = {
            "texts": self.texts,
            "apply": self.apply,
            "check": self.check,
            "code": self.code,
            "prove": self.prove,
            "grant": self.grant,
            "give": self.give,
            "withdraw": self.withdraw,
            "died": self.died,
            "merge": self.merge,
            "show": self.show,
            "list": self.list,
            "history": self.history,
            "verify": self.verify,
            "record": self.record,
            "counts": self.counts,
            "counts_now": self.counts_now,
            "import": self.import_,
            "export": self.export,
            **ChannelDesk(consents).deeds,
            **IdentityDesk(consents, clock).deeds,
        }

    def do(self, deed: str, said: Said, *, by: str) -> Answer:
        """Do one deed.

        Raises:
            ConsentFailed: it was not done.
            BadRequest: the body lacks a field, or there is no such deed.
            ResidentUnknown, ResidentUnclear, StorageFailed: it cannot be said who is meant.
        """
        if deed not in self.deeds:
            raise BadRequest(field="deed", expected=", ".join(self.deeds))
        # An applicant learns from a comparison only whether all matched, not who there is.
        consents = self._consents
        numbers = consents.guessed if deed == "identify" else consents.with_numbers
        return self.deeds[deed](numbers(said), by)

    # -- deeds ----------------------------------------------------------------------------------

    def texts(self, _said: Said, _by: str) -> Answer:
        """Return the texts as they are shown."""
        on = business_date(self._clock.now())
        found = []
        for text in self._consents.texts().values():
            now = text.offered(on)
            found.append(
                {
                    "purpose": text.purpose,
                    "name": text.name,
                    "category": text.category.name,
                    "covers": [one.link or one.campaign for one in text.covers],
                    "versions": [
                        {
                            "version": one.version,
                            "from": one.from_.isoformat(),
                            "hash": text.hash_of(one.version),
                            "tiers": [tier.tier for tier in one.tiers],
                            "is_shown": now is not None and now.version == one.version,
                            "text": shown(text, one.version),
                        }
                        for one in text.versions
                    ],
                }
            )
        return {"texts": found}

    def apply(self, said: Said, by: str) -> Answer:
        """Take an application."""
        return self._told(self._consents.ledger.apply(self._application(said), by=by))

    def check(self, said: Said, by: str) -> Answer:
        """Note how identity was checked."""
        proved = said.get("is_proved", True) is True
        method = said_choice(said, "method", Method)
        clerk, document = self._counter.seen(said, method, by=by)
        ledger = self._consents.ledger
        record = said_text(said, "record")
        held = ledger.check(record, method, is_proved=proved, document=document, by=clerk)
        return self._told(held)

    def code(self, said: Said, by: str) -> Answer:
        """Make the code that is mailed to an applicant; it is in no other answer."""
        letter = MailedCodes(self._consents.ledger).send(said_text(said, "record"), by=by)
        return {"record": letter.record, "code": letter.code, "until": to_wire(letter.until)}

    def prove(self, said: Said, by: str) -> Answer:
        """Take the mailed code; a right one makes the application a consent."""
        codes = MailedCodes(self._consents.ledger)
        held = codes.prove(said_text(said, "record"), said_text(said, "code"), by=by)
        with suppress(ChannelUnproven):  # granted as soon as her address is proven
            held = self._consents.ledger.grant(held.record, by=by)
        return self._told(held)

    def grant(self, said: Said, by: str) -> Answer:
        """Let a checked application count."""
        return self._told(self._consents.ledger.grant(said_text(said, "record"), by=by))

    def give(self, said: Said, by: str) -> Answer:
        """Take a consent at the counter, all at once, of one tier or of several."""
        method = said_choice(said, "method", Method)
        clerk, document = self._counter.seen(said, method, by=by)
        tiers = said.get("tiers", [Tier.REGISTER.value])
        if not isinstance(tiers, list) or not tiers:
            raise BadRequest(field="tiers", expected="a list of tiers")
        applications = [
            replace(self._application({**said, "tier": tier}), document=document) for tier in tiers
        ]
        made = [self._consents.ledger.give(one, method, by=clerk) for one in applications]
        return {"records": [plain_record(one) for one in made]}

    def withdraw(self, said: Said, by: str) -> Answer:
        """Take consent back."""
        made = self._consents.ledger.withdraw(
            said_text(said, "resident_no"),
            said_text(said, "purpose"),
            tier=said_choice(said, "tier", Tier) if said.get("tier") else None,
            stated_at=self._moment(said),
            source=said_text(said, "source"),
            given_by=said_choice(said, "given_by", GivenBy)
            if said.get("given_by")
            else GivenBy.SELF,
            by=by,
        )
        self._consents.tidy_channels()
        return {"records": [plain_record(one) for one in made]}

    def died(self, said: Said, by: str) -> Answer:
        """End the consents, and the ties, of a resident who died."""
        ledger, number = self._consents.ledger, said_text(said, "resident_no")
        made = ledger.died(number, at=self._moment(said), by=by)
        self._consents.ties.died(ledger.subjects.seal(number), by=by)
        self._consents.tidy_channels()
        return {"records": [plain_record(one) for one in made]}

    def merge(self, said: Said, by: str) -> Answer:
        """Let the records of one number follow another; its ties end."""
        ledger, number, into = (
            self._consents.ledger,
            said_text(said, "resident_no"),
            said_text(said, "into"),
        )
        made = ledger.merge(number, into, by=by)
        if number != into:
            self._consents.ties.merged(ledger.subjects.seal(number), by=by)
            self._consents.tidy_channels()
        return {"records": [plain_record(one) for one in made]}

    def show(self, said: Said, _by: str) -> Answer:
        """Return a resident's records."""
        found = Reading(self._consents.ledger).of_resident(said_text(said, "resident_no"))
        return {"records": [plain_record(one) for one in found]}

    def list(self, said: Said, _by: str) -> Answer:
        """Return records of all residents, a page at a time."""
        found = Reading(self._consents.ledger).listed(
            purpose=str(said["purpose"]) if said.get("purpose") else None,
            state=said_choice(said, "state", State) if said.get("state") else None,
            limit=_PAGE,
            after=str(said.get("after", "")),
        )
        return {"records": [plain_record(one) for one in found], "is_all": len(found) < _PAGE}

    def history(self, said: Said, _by: str) -> Answer:
        """Return the revisions of a record."""
        found = Reading(self._consents.ledger).history(said_text(said, "record"))
        return {"revisions": [{**one.said, "hash": one.hash} for one in found]}

    def verify(self, said: Said, _by: str) -> Answer:
        """Verify one record, or all."""
        record = str(said["record"]) if said.get("record") else None
        found = Reading(self._consents.ledger).verify(record)
        return {"faults": [one.problem() | {"facts": one.facts} for one in found]}

    def record(self, said: Said, _by: str) -> Answer:
        """Return a record and its first revision, for a receipt."""
        reading, record = Reading(self._consents.ledger), said_text(said, "record")
        first = reading.history(record)[0]
        return {
            "record": plain_record(reading.record(record)),
            "first": {"hash": first.hash, "body": first.body.decode("utf-8")},
        }

    def counts_now(self, said: Said, _by: str) -> Answer:
        """Return whether data of one resident may be used for a purpose at this moment."""
        tiers = said.get("tiers")
        if not isinstance(tiers, list) or not tiers:
            raise BadRequest(field="tiers", expected="a list of tiers")
        purpose = said_text(said, "purpose")
        now = self._clock.now()
        terms = Terms(
            purpose=purpose,
            tiers=frozenset(said_choice({"tier": tier}, "tier", Tier) for tier in tiers),
            versions=self._consents.ledger.text(purpose).accepted(business_date(now)),
        )
        rows = Reading(self._consents.ledger).rows(said_text(said, "resident_no"), purpose)
        reason = why_not(terms, rows, now)
        return {"in_force": reason is None, "reason": reason}

    def counts(self, _said: Said, _by: str) -> Answer:
        """Return how many residents there are by purpose, tier and state."""
        self._consents.ledger.expire()
        self._consents.tidy_channels()
        found = Reading(self._consents.ledger).counted()
        return {
            "counts": [
                {"purpose": purpose, "tier": tier, "state": state, "residents": count}
                for (purpose, tier, state), count in found.items()
            ]
        }

    def import_(self, said: Said, by: str) -> Answer:
        """Take a file of consents in, or only judge it."""
        ledger = self._consents.ledger
        today = business_date(self._clock.now())
        texts, residents = self._consents.texts(), self._consents.residents
        known = residents.all() if residents else None
        with incoming(Path(said_text(said, "path")), texts, today=today, known=known) as rows:
            judged = asdict(rows.judged)
            if said.get("dry_run") is True:
                return {"judged": judged, "imported": None}
            return {"judged": judged, "imported": asdict(import_all(ledger, rows, by=by))}

    def export(self, said: Said, _by: str) -> Answer:
        """Write all records into a new file that only its owner reads."""
        purpose = str(said["purpose"]) if said.get("purpose") else None
        path = Path(said_text(said, "path"))
        try:
            path.touch(mode=0o600, exist_ok=False)
        except OSError:
            raise BadRequest(field="path", expected="a file that is not there yet") from None
        with path.open("w", encoding="utf-8", newline="") as file:
            return {"written": export_all(self._consents.ledger, file, purpose=purpose)}

    # -- inside ---------------------------------------------------------------------------------

    def _application(self, said: Said) -> Application:
        purpose = said_text(said, "purpose")
        text = self._consents.ledger.text(purpose)
        on = business_date(self._clock.now())
        version = said.get("version")
        if version is None:
            now = text.offered(on)
            version = now.version if now else text.newest.version
        if type(version) is not int:
            raise BadRequest(field="version", expected="a number")
        return Application(
            number=said_text(said, "resident_no"),
            purpose=purpose,
            tier=said_choice(said, "tier", Tier),
            version=version,
            stated_at=self._moment(said),
            source=said_text(said, "source"),
            given_by=said_choice(said, "given_by", GivenBy)
            if said.get("given_by")
            else GivenBy.SELF,
            text=str(said["text"]) if said.get("text") else None,
            channel=said_choice(said, "channel", Channel) if said.get("channel") else None,
        )

    def _moment(self, said: Said) -> datetime:
        value = said.get("stated_at")
        if value is None:
            return self._clock.now()
        try:
            return from_wire(str(value))
        except ValueError:
            raise BadRequest(field="stated_at", expected="a time with a zone") from None

    def _told(self, record: Record) -> Answer:
        return {"records": [plain_record(record)]}
