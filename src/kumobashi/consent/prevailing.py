"""What counts of what was stated: a yes, a no, a death, a merger, brought together in one commit.

Of two statements about the same resident, purpose and tier ``states.prevails`` says which counts;
here the records and the standing become so.
"""

from dataclasses import replace
from datetime import datetime

from kumobashi.consent.errors import SubjectUnfit
from kumobashi.consent.records import NO_VERSION, GivenBy, Record
from kumobashi.consent.states import LIVE, Reason, State, Statement, Tier, prevails
from kumobashi.consent.writing import Pen, Standing
from kumobashi.kernel import to_micros

DIED, MERGED = "died", "merged"  # fates of residents
_NO_TEXT = "-"


def settle(pen: Pen, held: Record) -> Record:
    """Let a granted record count, unless something that was stated says otherwise."""
    if held.subject is None:
        raise SubjectUnfit
    yes = Statement(
        is_yes=True, stated_at=held.stated_at, source=held.source, sequence=pen.sequence
    )
    before = pen.standing(held.subject, held.purpose, held.tier)
    fate = pen.fate(held.subject)
    if fate is not None and fate.fate == DIED:
        ended = pen.move(held, State.EXPIRED, **end(Reason.DIED, pen.now))
        if before is None:
            pen.stand(ended, stated=yes, before=None, state=State.EXPIRED)
        return ended
    if before is not None and not prevails(yes, before.stated):
        if before.is_granted:
            return pen.move(held, State.SUPERSEDED, **end(Reason.ANEW, pen.now))
        return pen.move(held, State.WITHDRAWN, **end(Reason.BEFORE, pen.now))
    if before is not None and before.is_granted:
        pen.move(pen.record(before.record), State.SUPERSEDED, **end(Reason.ANEW, pen.now))
    pen.stand(held, stated=yes, before=before, state=State.GRANTED)
    return held


def take_back(
    pen: Pen, subject: str, what: tuple[str, Tier], said: Statement, given_by: GivenBy
) -> list[Record]:
    """Take back what there is of one purpose and tier, also where nothing is yet."""
    asked = end(Reason.ASKED, pen.now)
    found = [
        pen.move(live, State.WITHDRAWN, **asked)
        for state in (State.APPLIED, State.CHECKED)
        for live in pen.live(subject, *what, state)
        if said.stated_at >= live.stated_at or live.source != said.source
    ]
    before = pen.standing(subject, *what)
    if before is not None and before.stated.is_same_as(said):
        return found
    counts = before is None or prevails(said, before.stated)
    if before is not None and before.is_granted and counts:
        found.append(pen.move(pen.record(before.record), State.WITHDRAWN, **asked))
    elif not found:
        alone = pen.begin(
            State.WITHDRAWN,
            subject,
            purpose=what[0],
            tier=what[1].value,
            version=NO_VERSION,
            text=_NO_TEXT,
            given_by=given_by.value,
            source=said.source,
            stated_at=to_micros(said.stated_at),
            **asked,
        )
        found.append(alone)
    if counts and not (before and before.reason is Reason.DIED):
        pen.stand(found[-1], stated=said, before=before, state=State.WITHDRAWN)
    return found


def end_standing(pen: Pen, standing: Standing, state: State, reason: Reason) -> list[Record]:
    """End what counts for a resident, whatever it is; return the record that ended, if any."""
    held = pen.record(standing.record)
    found = []
    if held.state in LIVE:
        held = pen.move(held, state, **end(reason, pen.now))
        found.append(held)
    marked = _marked(held, reason)
    pen.stand(marked, stated=standing.stated, before=standing, state=state)
    for waiting in (State.APPLIED, State.CHECKED):
        for live in pen.live(standing.subject, standing.purpose, standing.tier, waiting):
            then = State.EXPIRED if state is State.EXPIRED else State.WITHDRAWN
            found.append(pen.move(live, then, **end(reason, pen.now)))
    return found


def carry_over(pen: Pen, held: Standing, target: str) -> list[Record]:
    """Bring what counts for one number together with what counts for another."""
    other = pen.standing(target, held.purpose, held.tier)
    old = pen.record(held.record)
    found: list[Record] = []
    if other is None:
        copied = _copied(pen, old, held, target)
        state = State.GRANTED if held.is_granted else held.state
        pen.stand(copied, stated=held.stated, before=None, state=state)
        found.append(copied)
    elif other.is_granted and not held.is_granted:
        survivor = pen.record(other.record)
        ended = pen.move(survivor, State.WITHDRAWN, **end(Reason.MERGED, pen.now))
        pen.stand(ended, stated=held.stated, before=other, state=State.WITHDRAWN)
        found.append(ended)
    elif other.is_granted and held.version < other.version:  # the older text says less
        survivor = pen.record(other.record)
        pen.move(survivor, State.SUPERSEDED, **end(Reason.MERGED, pen.now))
        copied = _copied(pen, old, held, target)
        pen.stand(copied, stated=held.stated, before=other, state=State.GRANTED)
        found.append(copied)
    found += end_standing(pen, held, State.SUPERSEDED, Reason.MERGED)
    return found


def _copied(pen: Pen, old: Record, held: Standing, target: str) -> Record:
    state = State.GRANTED if held.is_granted else State.WITHDRAWN
    ended = {} if held.is_granted else end(old.reason or Reason.MERGED, pen.now)
    return pen.begin(
        state,
        target,
        purpose=old.purpose,
        tier=old.tier.value,
        version=old.version,
        text=old.text,
        given_by=old.given_by.value,
        method=old.method.value if old.method else None,
        source=old.source,
        stated_at=to_micros(old.stated_at),
        **({"channel": old.channel.value} if old.channel else {}),
        granted_at=to_micros(old.granted_at) if old.granted_at else None,
        until=to_micros(old.until) if old.until else None,
        **ended,
    )


def end(reason: Reason, now: datetime) -> dict[str, str | int]:
    """Return the columns of a record that ends now."""
    return {"reason": reason.value, "ended_at": to_micros(now)}


def _marked(held: Record, reason: Reason) -> Record:
    """Return a record as the standing tells it: with the reason for which nothing counts."""
    return replace(held, reason=reason)
