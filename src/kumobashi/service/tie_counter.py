"""What the console's pages of ties ask and do: services with counts, one resident's, three acts.

A resident is named once, in the body of a form; afterwards pages go by the id of a tie.
"""

from collections.abc import Mapping, Sequence

from kumobashi.console.ports import ServiceRow, TiedResident
from kumobashi.evidence.entries import Entry
from kumobashi.evidence.log import append
from kumobashi.kernel import Clock
from kumobashi.service.consents import Consents
from kumobashi.ties.held import Held, held_by_token
from kumobashi.ties.reading import Reading
from kumobashi.ties.records import Tie
from kumobashi.ties.states import Act
from kumobashi.ties.terms import Terms
from kumobashi.ties.writing import Said

_SOURCE = "console"  # the clock by which it was stated


class TieCounter:
    """The ties of one site, as somebody at its counter sees them."""

    def __init__(self, consents: Consents, *, site: str, clock: Clock) -> None:
        self._consents = consents
        self._site = site
        self._clock = clock

    @property
    def is_hall(self) -> bool:
        """Whether residents are known here by their numbers; else by the codes of a system."""
        return self._consents.is_here

    def systems(self) -> Sequence[str]:
        """Return the systems of this site."""
        return sorted(
            system for system, site in self._consents.systems().items() if site == self._site
        )

    def services(self, words: str) -> Sequence[ServiceRow]:
        """Return services whose texts hold all words, with counts of residents and of ties."""
        statuses, states = self._reading.counts()
        return [
            ServiceRow(
                service=one,
                statuses=statuses.get(one.service, {}),
                states=states.get(one.service, {}),
            )
            for one in self._consents.ties.registry.search(words.split())
        ]

    def resident(self, number: str, *, by: str) -> TiedResident:
        """Return one resident by number; that somebody looked is a record.

        Raises:
            ResidentUnknown, ResidentUnclear, SubjectUnfit: it cannot be said who is meant.
            KeyOfConsentsMissing: residents are not known by their numbers here.
        """
        subject = self._consents.ledger.subjects.seal(self._consents.named(number))
        return self._seen(self._resident(subject), by=by)

    def resident_of(self, tie: str) -> TiedResident:
        """Return the resident of a tie; raise ``TieUnknown``, ``TieTouched``."""
        return self._resident(self._reading.tie(tie).subject)

    def tie(self, tie: str) -> Tie:
        """Return a tie; raise ``TieUnknown``, ``TieTouched``."""
        return self._reading.tie(tie)

    def held(self, system: str, code: str, *, by: str) -> Sequence[Held]:
        """Return what the hall told of one resident of a system here; raise ``TieTouched``."""
        book = self._consents.ties
        found = book.store.read(lambda held: held_by_token(held, book.tenant, system, code))
        self._note(len(found), by)
        return found

    def do(self, act: Act, tie: str, *, by: str, seen: str, terms: Terms | None = None) -> Tie:
        """Do for the resident what was confirmed; ``seen`` is the hash of the terms on the page.

        Raises:
            TieUnknown, TieMove, TermsUnlike, TermsWiden …: nothing was changed.
        """
        said = Said(stated_at=self._clock.now(), source=_SOURCE, by=f"account:{by}")
        book = self._consents.ties
        match act:
            case Act.WITHDRAW:
                return book.withdraw(tie, said)
            case Act.RESIDENT_ACCEPT:
                return book.accept(tie, act, said, terms=seen)
            case Act.NARROW if terms is not None:
                return book.narrow(tie, terms, said)
            case _:
                raise ValueError(f"no act of a counter: {act}")

    # -- inside ---------------------------------------------------------------------------------

    @property
    def _reading(self) -> Reading:
        book = self._consents.ties
        return Reading(book.store, tenant=book.tenant)

    def _resident(self, subject: str) -> TiedResident:
        book, reading = self._consents.ties, self._reading
        ties = reading.of_resident(subject)
        return TiedResident(
            known=book.registry.known(subject),
            ties=ties[::-1],
            services={one.service: one for one in book.registry.search()},
            transfers={tie.tie: reading.transfers(tie) for tie in ties},
        )

    def _seen(self, found: TiedResident, *, by: str) -> TiedResident:
        self._note(len(found.ties), by)
        return found

    def _note(self, ties: int, by: str) -> None:
        book = self._consents.ties
        facts: Mapping[str, Mapping[str, int]] = {"counts": {"ties": ties}}
        entry = Entry(event="tie.looked_up", at=self._clock.now(), by=f"account:{by}", facts=facts)
        book.store.write(lambda held: append(held, book.tenant, entry))
