"""The history of a tie or a service as a chain: each revision holds the hash of the one before.

No revision names the resident: each holds a digest of the sealed number under a key (``salt``) that
lies in the row, so a tie that somebody moved to another resident is found.
"""

import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kumobashi.crypto.canonical import canonical, digest
from kumobashi.ties.errors import TieTouched
from kumobashi.ties.states import Act, State, after

Facts = Mapping[str, str | int | None]


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
    return f"hmac-sha256:{hmac.digest(salt, subject.encode(), 'sha256').hex()}"


def verify_head(record: str, kept: Facts, head: str, revision: Revision | None) -> None:
    """Raise :class:`TieTouched` unless a row says what its last revision says.

    ``kept`` are the columns that every revision repeats; asked at every use.
    """
    number = revision.number if revision else 1
    what = ""
    if revision is None:
        what = "missing"
    elif not digest(revision.body) == revision.hash == head:
        what = "altered"
    else:
        said = revision.said
        held = {**kept, "record": record, "number": number}
        if any(said.get(name) != value for name, value in held.items()):
            what = "the row says otherwise"
    if what:
        raise TieTouched(record=record, number=number, what=what)


def verify_chain(record: str, chain: Sequence[Revision], *, is_tie: bool) -> None:
    """Raise :class:`TieTouched` naming the first revision that is not what was written."""
    previous: str | None = None
    state: State | None = None
    for number, revision in enumerate(chain, 1):
        said = revision.said
        then = next((one for one in State if one.value == said.get("state")), None)
        facts = {
            "missing": revision.number == number,
            "altered": digest(revision.body) == revision.hash,
            "of another record": (said.get("record"), said.get("number")) == (record, number),
            "not behind the one before": said.get("previous") == previous,
            "a move that is not allowed": not is_tie or _is_move(state, said.get("act"), then),
        }
        if what := next((what for what, holds in facts.items() if not holds), None):
            raise TieTouched(record=record, number=number, what=what)
        previous, state = revision.hash, then


def _is_move(state: State | None, act: object, then: State | None) -> bool:
    made = next((one for one in Act if one.value == act), None)
    if made is None or then is None:
        return False
    if state is None:
        return (made, then) == (Act.PROPOSE, State.PROPOSED)
    return after(state, made) is then
