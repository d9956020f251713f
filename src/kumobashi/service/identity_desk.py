"""How a desk finds out that an applicant is the resident: four items, or a document it sees."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import date
from typing import Any

from kumobashi.consent.channels.errors import ChannelUnproven
from kumobashi.consent.documents import kinds
from kumobashi.consent.four_items import FourItems, Outcome
from kumobashi.consent.identifying import Identification
from kumobashi.consent.records import plain_record
from kumobashi.kernel import Clock, business_date
from kumobashi.service.asking import said_text
from kumobashi.service.consents import Consents
from kumobashi.service.errors import BadRequest

Said = Mapping[str, Any]
Answer = dict[str, Any]
_SEXES = {"1": "1", "2": "2", "男": "1", "女": "2", "１": "1", "２": "2"}
_LONGEST = 200


class IdentityDesk:
    """What people at a desk ask of the register and of the list of documents."""

    def __init__(self, consents: Consents, clock: Clock) -> None:
        self._consents = consents
        self._clock = clock
        self.deeds: Mapping[str, Callable[[Said, str], Answer]] = {
            "identify": self.identify,
            "documents": self.documents,
        }

    def identify(self, said: Said, by: str) -> Answer:
        """Compare four items; the outcome is all that is said. A match checks the application."""
        items = _items(said)
        ledger = self._consents.ledger
        identification = Identification(ledger, self._consents.register)
        if not said.get("record"):
            number = said_text(said, "resident_no")
            return {"outcome": identification.of_resident(number, items, by=by).value}
        outcome, held = identification.of_record(said_text(said, "record"), items, by=by)
        if outcome is Outcome.MATCH:
            with suppress(ChannelUnproven):  # granted as soon as her address is proven
                held = ledger.grant(held.record, by=by)
        return {"outcome": outcome.value, "records": [plain_record(held)]}

    def documents(self, _said: Said, _by: str) -> Answer:
        """Return the kinds of documents that count today."""
        found = kinds(business_date(self._clock.now()))
        return {"documents": [{"code": one.code, "ja": one.ja, "en": one.en} for one in found]}


def _items(said: Said) -> FourItems:
    """Read four items; what is wrong is named, never what was said."""
    given = {name: said_text(said, name) for name in ("kana", "sex", "birth_date", "address")}
    for name, value in given.items():
        if len(value) > _LONGEST:
            raise BadRequest(field=name, expected=f"at most {_LONGEST} letters")
    sex = _SEXES.get(given["sex"])
    if sex is None:
        raise BadRequest(field="sex", expected="1, 2, 男, 女")
    try:
        born = date.fromisoformat(given["birth_date"])
    except ValueError:
        raise BadRequest(field="birth_date", expected="YYYY-MM-DD") from None
    return FourItems(kana=given["kana"], sex=sex, birth_date=born, address=given["address"])
