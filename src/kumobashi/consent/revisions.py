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
_STATES = {state.value: state for state in State}


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
    previous: str | None = None
    state: State | None = None
    for number, revision in enumerate(chain, 1):
        wrong, then = _wrong(kept.record, number, revision, previous, state)
        if wrong:
            raise RevisionTouched(record=kept.record, number=number, what=wrong)
        previous, state = revision.hash, then
    if len(chain) != kept.revisions or previous != kept.head:
        number = min(len(chain), kept.revisions) + 1
        raise RevisionTouched(record=kept.record, number=number, what="missing")
    first = chain[0].said
    is_bound = kept.subject is not None and kept.salt is not None
    if is_bound and first.get("subject") != bound(kept.salt or b"", kept.subject or ""):
        raise RevisionTouched(record=kept.record, number=1, what="of another resident")
    says = (first.get("purpose"), first.get("tier"), first.get("version"), first.get("text"))
    if says != (kept.purpose, kept.tier, kept.version, kept.text) or state != kept.state:
        raise RevisionTouched(
            record=kept.record, number=len(chain), what="the record says otherwise"
        )


def _wrong(
    record: str, number: int, revision: Revision, previous: str | None, state: State | None
) -> tuple[str, State | None]:
    """Return what is wrong with one revision behind another, if anything, and its state."""
    said = revision.said
    then = _STATES.get(str(said.get("state")))
    facts = {
        "missing": revision.number == number,
        "altered": digest(revision.body) == revision.hash,
        "of another record": (said.get("record"), said.get("number")) == (record, number),
        "not behind the one before": said.get("previous") == previous,
        "a move that is not allowed": then in (FIRST if state is None else MOVES[state]),
    }
    return next((what for what, holds in facts.items() if not holds), ""), then
