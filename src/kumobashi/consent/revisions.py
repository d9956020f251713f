"""Whether the tables say of a consent what its chained revisions say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kumobashi.consent.errors import RevisionTouched
from kumobashi.consent.states import FIRST, MOVES, State
from kumobashi.evidence.revisions import Revision, bound, faults

_STATES = {state.value: state for state in State}


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
    channel: str | None = None
    document: str | None = None


def verify_chain(kept: Kept, chain: Sequence[Revision]) -> None:
    """Raise :class:`RevisionTouched` naming the first revision that is not what was written."""
    for number, what in faults(kept.record, chain, _follows):
        raise RevisionTouched(record=kept.record, number=number, what=what)
    previous = chain[-1].hash if chain else None
    state = _STATES.get(str(chain[-1].said.get("state"))) if chain else None
    if len(chain) != kept.revisions or previous != kept.head:
        number = min(len(chain), kept.revisions) + 1
        raise RevisionTouched(record=kept.record, number=number, what="missing")
    first = chain[0].said
    is_bound = kept.subject is not None and kept.salt is not None
    if is_bound and first.get("subject") != bound(kept.salt or b"", kept.subject or ""):
        raise RevisionTouched(record=kept.record, number=1, what="of another resident")
    says = (first.get("purpose"), first.get("tier"), first.get("version"), first.get("text"))
    seen = [one.said["document"] for one in chain if "document" in one.said]
    names = (first.get("channel"), seen[-1] if seen else None)
    is_like = (kept.purpose, kept.tier, kept.version, kept.text) == says and state == kept.state
    if not is_like or names != (kept.channel, kept.document):
        raise RevisionTouched(
            record=kept.record, number=len(chain), what="the record says otherwise"
        )


def _follows(before: Mapping[str, Any] | None, said: Mapping[str, Any]) -> bool:
    then = _STATES.get(str(said.get("state")))
    if before is None:
        return then in FIRST
    state = _STATES.get(str(before.get("state")))
    return then in (FIRST if state is None else MOVES[state])
