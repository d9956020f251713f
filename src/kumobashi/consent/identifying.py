"""Compare four items with the register for one resident: counted, limited, noted without values.

What comes back is the outcome alone. A match with another resident than the one who is applied for
is none, and protected persons are not in the register that is asked: neither tells who lives where.
"""

from collections.abc import Callable, Iterable
from datetime import timedelta

import sqlalchemy as sa

from kumobashi.consent.channels.counting import What, take
from kumobashi.consent.errors import IdentityLimited
from kumobashi.consent.four_items import FourItems, Outcome, identify
from kumobashi.consent.ledger import ConsentLedger
from kumobashi.consent.reading import Reading
from kumobashi.consent.records import Method, Record
from kumobashi.consent.states import State, check_move
from kumobashi.evidence.entries import Entry
from kumobashi.evidence.log import append
from kumobashi.kernel import to_wire

Register = Callable[[FourItems], Iterable[tuple[str, FourItems]]]
MOST = 5
WINDOW = timedelta(hours=24)


class Identification:
    """The four items of a ledger's applicants."""

    def __init__(self, ledger: ConsentLedger, register: Register) -> None:
        """``register`` gives number and items of all who may be the one that is described."""
        self._ledger = ledger
        self._register = register

    def of_record(self, record: str, said: FourItems, *, by: str) -> tuple[Outcome, Record]:
        """Compare for an application; a match checks it.

        Raises:
            ConsentUnknown, ConsentMove: nobody waits for it.
            IdentityLimited: too often for this resident.
        """
        held = Reading(self._ledger).record(record)
        check_move(held.state, State.CHECKED)
        outcome = self._compared(held.subject or "", said, record=record, by=by)
        if outcome is Outcome.MATCH:
            held = self._ledger.check(record, Method.FOUR_ITEMS, by=by)
        return outcome, held

    def of_resident(self, number: str, said: FourItems, *, by: str) -> Outcome:
        """Compare for a resident, with no application; raise ``IdentityLimited``."""
        return self._compared(self._ledger.subjects.seal(number), said, record=None, by=by)

    def _compared(self, subject: str, said: FourItems, *, record: str | None, by: str) -> Outcome:
        ledger = self._ledger

        def count(connection: sa.Connection) -> None:
            key, now = (ledger.tenant, What.IDENTIFIED, subject), ledger.clock.now()
            until = take(connection, key, most=MOST, window=WINDOW, now=now)
            if until is not None:
                raise IdentityLimited(most=MOST, after=to_wire(until))

        ledger.store.write(count, key="consents")
        found = identify(said, self._register(said))
        outcome = found.outcome
        if outcome is Outcome.MATCH and ledger.subjects.seal(found.number or "") != subject:
            outcome = Outcome.NONE
        facts = {"consent": record, "code": outcome.value}
        entry = Entry(event="consent.compared", at=ledger.clock.now(), by=by, facts=facts)
        ledger.store.write(lambda connection: append(connection, ledger.tenant, entry))
        return outcome
