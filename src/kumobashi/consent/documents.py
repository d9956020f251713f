"""Kinds of documents that a clerk may have looked at: a closed, dated list; never a copy or number.

>>> from datetime import date
>>> checked("health_insurance_card", date(2025, 12, 1)).ja
'健康保険証'
>>> [one.code for one in kinds(date(2026, 11, 22)) if "insurance" in one.en]
['eligibility_certificate']
"""

import csv
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files

from kumobashi.consent.errors import DocumentUnknown

_FILE = "identity_documents.csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind, and the days on which it counts, both included."""

    code: str
    ja: str
    en: str
    valid_from: date
    valid_to: date | None
    verified: str
    source: str

    def counts(self, on: date) -> bool:
        """Whether it counts on a day."""
        return self.valid_from <= on and (self.valid_to is None or on <= self.valid_to)


def kinds(on: date) -> list[Kind]:
    """Return the kinds that count on a day, in the order of the file."""
    return [one for one in _all() if one.counts(on)]


def checked(code: str, on: date) -> Kind:
    """Return a kind that counts on a day; raise ``DocumentUnknown``."""
    for one in kinds(on):
        if one.code == code:
            return one
    known = any(one.code == code for one in _all())  # what was typed may be anything: never repeat
    raise DocumentUnknown(document=code if known else "?", on=on.isoformat())


@cache
def _all() -> tuple[Kind, ...]:
    text = (files("kumobashi.consent") / _FILE).read_text(encoding="utf-8")
    return tuple(
        Kind(
            code=row["code"],
            ja=row["ja"],
            en=row["en"],
            valid_from=date.fromisoformat(row["valid_from"]),
            valid_to=date.fromisoformat(row["valid_to"]) if row["valid_to"] else None,
            verified=row["verified"],
            source=row["source"],
        )
        for row in csv.DictReader(text.splitlines())
    )
