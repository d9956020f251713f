"""What an incident may have exposed: persons, items, and with which key it was sealed. Pure.

Rows are counted where a row is a person; the same person may stand in several transfers, so over
several of them a count is an upper bound, and the largest one a lower bound. What is not known is
``None`` and becomes a blank; it is never taken for zero.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from kumobashi.papers.incidents import Doubt, Incident, Place
from kumobashi.papers.rules import ThresholdRow


class KeyState(StrEnum):
    """What became of a key or of sealed parts."""

    HELD = "held"  # it is here
    GONE = "gone"  # it is not here any more
    UNKNOWN = "unknown"


class RecipientState(StrEnum):
    """How the receiver's sealing key stands in the directory of today."""

    IN_USE = "in_use"
    LEAVING = "leaving"  # 交替中
    OUT_OF_USE = "out_of_use"  # not in the directory any more
    UNKNOWN = "unknown"


class ReceiverState(StrEnum):
    """What the receiver has of a transfer, as far as its signed receipts say."""

    NOT_APPLIED = "not_applied"
    HELD = "held"
    DELETED = "deleted"  # proved by a signed receipt
    LOST = "lost"  # its receiver was put back from a backup
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One item that left."""

    name: str
    ja: str
    form: str
    sensitivity: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposed:
    """One transfer of the incident's link."""

    transfer: str
    business_date: str
    started: datetime
    state: str
    mode: str
    attempt: int
    to_site: str
    rows: int | None
    deleted_rows: int  # of a difference: persons whose deletion was told
    is_person_a_row: bool  # whether each row is another person
    items: tuple[Item, ...] | None  # none: the decision of that time is not here any more
    seal: str | None  # digest of the recipient of this transfer's own key; none: the site's key
    recipient: str | None  # age1… that the approved decision names
    recipient_state: RecipientState
    key_at_sender: KeyState
    parts_at_sender: KeyState
    receiver: ReceiverState
    deleted: datetime | None
    receipt: str | None  # digest of the proof of deletion

    @property
    def most(self) -> int | None:
        """How many persons at most."""
        return None if self.rows is None else self.rows + self.deleted_rows

    @property
    def special(self) -> tuple[Item, ...] | None:
        """The items that need special care; none: not known."""
        if self.items is None:
            return None
        return tuple(item for item in self.items if item.sensitivity == "special")

    def plain(self) -> dict[str, Any]:
        """Return it as JSON."""
        special = self.special
        return {
            "transfer": self.transfer,
            "business_date": self.business_date,
            "started": self.started.isoformat(),
            "state": self.state,
            "mode": self.mode,
            "attempt": self.attempt,
            "to_site": self.to_site,
            "rows": self.rows,
            "deleted_rows": self.deleted_rows,
            "persons_at_most": self.most,
            "is_person_a_row": self.is_person_a_row,
            "items": None if self.items is None else [item.name for item in self.items],
            "special_items": None if special is None else [item.name for item in special],
            "sealed_to": self.seal,
            "recipient": self.recipient,
            "recipient_state": self.recipient_state.value,
            "key_at_sender": self.key_at_sender.value,
            "parts_at_sender": self.parts_at_sender.value,
            "receiver": self.receiver.value,
            "deleted": self.deleted.isoformat() if self.deleted else None,
            "receipt": self.receipt,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Persons:
    """How many persons an incident is about."""

    least: int | None
    most: int | None  # none: not known
    is_counted: bool = False  # by people

    @property
    def is_exact(self) -> bool:
        """Whether both bounds are the same."""
        return self.most is not None and self.least == self.most


def persons_in(exposed: Sequence[Exposed], counted: int | None) -> Persons:
    """Return the bounds of the number of persons.

    >>> persons_in([], None).most is None
    True
    """
    if counted is not None:
        return Persons(least=counted, most=counted, is_counted=True)
    mosts = [one.most for one in exposed]
    known = [most for most in mosts if most is not None]
    sure = [one.most for one in exposed if one.is_person_a_row and one.most is not None]
    whole = sum(known) if exposed and len(known) == len(mosts) else None
    return Persons(least=max(sure, default=None), most=whole)


def is_open_text(incident: Incident) -> bool | None:
    """Whether what was taken lay open at that place; none: nobody knows the place yet."""
    match incident.place:
        case Place.SENDER | Place.RECEIVER:
            return True
        case Place.ROUTE | Place.MEDIA:
            return False
        case Place.UNKNOWN:
            return None


def meets(
    row: ThresholdRow, incident: Incident, persons: Persons, exposed: Sequence[Exposed]
) -> Doubt:
    """Return whether an incident meets a threshold, as far as that is known.

    In doubt the answer is ``unknown``; only what is sure is ``no``.
    """
    match row.code:
        case "many":
            return _reaches(persons, row.at_least)
        case "special":
            return _both(_special(exposed), _reaches(persons, row.at_least))
        case "improper":
            return incident.improper
        case "property":
            return incident.property
        case _:
            return Doubt.UNKNOWN


def must_report(found: Sequence[Doubt]) -> Doubt:
    """Return whether it must be reported: one threshold that is met is enough."""
    if Doubt.YES in found:
        return Doubt.YES
    return Doubt.UNKNOWN if Doubt.UNKNOWN in found or not found else Doubt.NO


def _reaches(persons: Persons, at_least: int) -> Doubt:
    if persons.least is not None and persons.least >= at_least:
        return Doubt.YES
    if persons.most is not None and persons.most < at_least:
        return Doubt.NO
    return Doubt.UNKNOWN


def _both(one: Doubt, other: Doubt) -> Doubt:
    if Doubt.NO in {one, other}:
        return Doubt.NO
    return Doubt.YES if one is other is Doubt.YES else Doubt.UNKNOWN


def _special(exposed: Sequence[Exposed]) -> Doubt:
    if any(one.special for one in exposed):
        return Doubt.YES
    return Doubt.UNKNOWN if not exposed or any(one.items is None for one in exposed) else Doubt.NO
