"""The history of one record as a chain: each revision holds the hash of the one before it.

No revision names the resident. The first one holds a keyed digest of the sealed number, whose key
(``salt``) lies in the record: a record that somebody moved to another resident is found, and once
the salt is gone nothing ties the history to anybody.
"""

import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kumobashi.consent.errors import RevisionTouched
from kumobashi.consent.states import FIRST, MOVES, State
from kumobashi.crypto.canonical import canonical, digest

Facts = dict[str, str | int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One stored revision."""

    number: int
    hash: str
    body: bytes

    @property
    def said(self) -> dict[str, Any]:
        """What it says; nothing when somebody made it unreadable."""
        try:
            value = json.loads(self.body)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}


def revise(record: str, number: int, previous: str | None, facts: Facts) -> Revision:
    """Return the next revision of a record; facts that are ``None`` are left out."""
    said = {name: value for name, value in facts.items() if value is not None}
    body = canonical({**said, "record": record, "number": number, "previous": previous})
    return Revision(number=number, hash=digest(body), body=body)


def bound(salt: bytes, subject: str) -> str:
    """Return what ties the first revision to a sealed number."""
    return f"hmac-sha256:{hmac.digest(salt, subject.encode('ascii'), 'sha256').hex()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What the tables say of a record, to be held against its revisions."""

    record: str
    subject: str | None
    salt: bytes | None
    state: str
    purpose: str
    tier: str
    version: int
    text: str
    revisions: int
    head: str


def verify_chain(kept: Kept, chain: Sequence[Revision]) -> None:
    """Raise :class:`RevisionTouched` naming the first revision that is not what was written."""

    def touched(number: int, what: str) -> RevisionTouched:
        return RevisionTouched(record=kept.record, number=number, what=what)

    previous: str | None = None
    state: State | None = None
    for number, revision in enumerate(chain, 1):
        if revision.number != number:
            raise touched(number, "missing")
        if digest(revision.body) != revision.hash:
            raise touched(number, "altered")
        said = revision.said
        if (said.get("record"), said.get("number")) != (kept.record, number):
            raise touched(number, "of another record")
        if said.get("previous") != previous:
            raise touched(number, "not behind the one before")
        try:
            then = State(str(said.get("state")))
        except ValueError:
            raise touched(number, "no state") from None
        if then not in (FIRST if state is None else MOVES[state]):
            raise touched(number, "a move that is not allowed")
        previous, state = revision.hash, then
    if len(chain) != kept.revisions or previous != kept.head:
        raise touched(min(len(chain), kept.revisions) + 1, "missing")
    first = chain[0].said
    if kept.subject is not None and kept.salt is not None:
        if first.get("subject") != bound(kept.salt, kept.subject):
            raise touched(1, "of another resident")
    says = (first.get("purpose"), first.get("tier"), first.get("version"), first.get("text"))
    if says != (kept.purpose, kept.tier, kept.version, kept.text) or state != kept.state:
        raise touched(len(chain), "the record says otherwise")
