"""Decide the invariants I1 to I9 from what was meant, what stands and what was signed. Pure.

====================  ===  ======================================================================
kind                       what it means
====================  ===  ======================================================================
lost                  I1   shown as applied to the sender, and not in the receiver's table
duplicated            I2   loaded twice, or rows that stand there twice
unexpected            I3   loaded, and nobody meant to send it
altered               I3   another content than was meant, an older one too
out_of_order          I4   a link's loads not in the order of their days
confirmed_but_gone    I5   a signed receipt says applied, and the load is not there
contradictory         I5   receipts that cannot all be true, or applied without a receipt
forged                I5   a stored receipt that its signer's key did not sign
limbo                 I6   neither applied nor refused nor visibly waiting, or two of these
unfinished            I6   still waiting although everything was healed
refused               I6   refused, where nothing was wrong with what was sent
chain_broken          I7   records of an evidence log are not those whose root was signed
slow                  I8   healed, and not at rest within the bound
undeleted             I9   proved deleted, and rows, files or keys are there
history                    the history itself cannot be right
====================  ===  ======================================================================
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from kumobashi.testing.faults.deletions import back_again, is_emptied, untrue
from kumobashi.testing.faults.evidence_logs import Log, broken
from kumobashi.testing.faults.history import ENDS, Event
from kumobashi.testing.faults.statements import Statement
from kumobashi.testing.faults.tables import Gone, Marker

LOST = ("lost", "confirmed_but_gone")
DUPLICATED = ("duplicated",)
UNFINISHED = ("limbo", "unfinished", "refused", "slow", "history")
UNDETECTED = (
    "unexpected",
    "altered",
    "out_of_order",
    "contradictory",
    "forged",
    "chain_broken",
    "undeleted",
)
KINDS = (*LOST, *DUPLICATED, *UNDETECTED, *UNFINISHED)
_NEXT = {
    None: {"delivered", "refused"},
    "delivered": {"opened", "refused"},
    "opened": {"validated", "refused"},
    "validated": {"applied", "refused"},
    "applied": {"deleted"},
    "refused": {"deleted"},
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One violation: its kind, whose, and what was seen. Identifiers only, never a value."""

    kind: str
    who: str
    seen: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What the table of one link holds: its loads in order, and key and digest of each row."""

    markers: Sequence[Marker]
    rows: Sequence[tuple[str, str]]
    gone: Sequence[Gone] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """All that is judged."""

    events: Sequence[Event]
    targets: Mapping[str, Target]  # by link
    statements: Sequence[Statement] = ()
    logs: Sequence[Log] = ()
    left: Sequence[str] = ()  # names of files in the receivers' private folders
    bound_seconds: float = 60.0
    must_apply: bool = False  # nothing that was sent deserves a refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class _Intent:
    name: str
    link: str
    day: str
    rows: Mapping[str, str]
    ends: list[Event] = field(default_factory=list)

    @property
    def last(self) -> Event | None:
        return self.ends[-1] if self.ends else None


def judge(world: World) -> list[Fault]:
    """Return every violation; none when all invariants hold."""
    intents = _intents(world.events)
    found = [
        *_history(world.events, intents),
        *_loads(world, intents),
        *_contents(world, intents),
        *_receipts(world, intents),
        *_ends(world, intents),
        *_rounds(world),
        *_deletions(world),
        *(Fault("chain_broken", log.site, what) for log in world.logs for what in broken(log)),
    ]
    return sorted(set(found), key=lambda fault: (KINDS.index(fault.kind), fault.who))


def _intents(events: Iterable[Event]) -> dict[str, _Intent]:
    intents: dict[str, _Intent] = {}
    for event in events:
        if event["event"] == "invoke" and event["intent"] not in intents:
            name, rows = event["intent"], event.get("rows", {})
            intents[name] = _Intent(name=name, link=event["link"], day=event["day"], rows=rows)
        elif event["event"] in ENDS and event["intent"] in intents:
            intents[event["intent"]].ends.append(event)
    return intents


def _history(events: Iterable[Event], intents: Mapping[str, _Intent]) -> Iterator[Fault]:
    invoked: set[str] = set()
    for event in events:
        if event["event"] == "invoke":
            if event["intent"] in invoked:
                yield Fault("history", event["intent"], "invoked twice")
            invoked.add(event["intent"])
        elif event["event"] in ENDS and event["intent"] not in invoked:
            yield Fault("history", event["intent"], "ended without being invoked")
    for intent in intents.values():
        if len(intent.ends) > 1:
            yield Fault("history", intent.name, "ended twice")


def _loads(world: World, intents: Mapping[str, _Intent]) -> Iterator[Fault]:
    """I1 by the load's mark, I2, I3 of whole loads, I4."""
    meant = {(intent.link, intent.day) for intent in intents.values()}
    for link, target in world.targets.items():
        own = [marker for marker in target.markers if marker.link == link]
        yield from _twice(link, own)
        for marker in own:
            if (link, marker.day) not in meant:
                yield Fault("unexpected", marker.transfer, f"{link} {marker.day}")
        for before, after in pairwise(own):
            if (before.day, before.sequence) > (after.day, after.sequence):
                yield Fault("out_of_order", link, f"{after.transfer} behind {before.transfer}")
        days = {marker.day for marker in own}
        for intent in intents.values():
            end = intent.last
            if intent.link == link and end and end["event"] == "ok" and intent.day not in days:
                yield Fault("lost", intent.name, str(end.get("transfer", "")))


def _twice(link: str, own: Sequence[Marker]) -> Iterator[Fault]:
    """Find a transfer that was loaded twice, and an intent that became two transfers."""
    transfers: defaultdict[str, set[str]] = defaultdict(set)
    for marker in own:
        transfers[marker.day].add(marker.transfer)
    for transfer, count in Counter(marker.transfer for marker in own).items():
        if count > 1:
            yield Fault("duplicated", transfer, f"{link}: loaded {count} times")
    for day, several in transfers.items():
        if len(several) > 1:
            yield Fault("duplicated", f"{link} {day}", f"{len(several)} transfers loaded")


def _contents(world: World, intents: Mapping[str, _Intent]) -> Iterator[Fault]:
    """I1 to I3 row by row: a table holds what the newest load of its link was meant to bring."""
    meant = {(intent.link, intent.day): intent for intent in intents.values()}
    for link, target in world.targets.items():
        own = [marker for marker in target.markers if marker.link == link]
        newest = max(own, key=lambda marker: (marker.day, marker.sequence), default=None)
        intent = meant.get((link, newest.day)) if newest else None
        if intent is None:
            if newest is None and target.rows:
                yield Fault("unexpected", link, f"{len(target.rows)} rows without a load")
            continue
        if newest and is_emptied(newest, target.gone):
            yield from (Fault(*found) for found in back_again(link, target.rows))
        else:
            yield from _rows(link, intent.rows, target.rows)


def _rows(link: str, meant: Mapping[str, str], rows: Sequence[tuple[str, str]]) -> Iterator[Fault]:
    held: defaultdict[str, list[str]] = defaultdict(list)
    for key, digest in rows:
        held[key].append(digest)
    for key, digest in meant.items():
        if key not in held:
            yield Fault("lost", f"{link} {key}", "row")
        elif digest not in held[key]:
            yield Fault("altered", f"{link} {key}", "row")
    for key, digests in held.items():
        if key not in meant:
            yield Fault("unexpected", f"{link} {key}", "row")
        elif len(digests) > 1:
            yield Fault("duplicated", f"{link} {key}", f"{len(digests)} rows")


def _deletions(world: World) -> Iterator[Fault]:
    """I9."""
    gone = [one for target in world.targets.values() for one in target.gone]
    for found in untrue(world.events, gone, world.statements, world.left):
        yield Fault(*found)


def _receipts(world: World, intents: Mapping[str, _Intent]) -> Iterator[Fault]:
    loaded = {marker.transfer for target in world.targets.values() for marker in target.markers}
    stages: defaultdict[str, set[str]] = defaultdict(set)
    for said in world.statements:
        if not said.is_genuine:
            yield Fault("forged", said.transfer, f"{said.stage} at {said.found}")
            continue
        stages[said.transfer].add(said.stage)
    for transfer, said_stages in stages.items():
        if "applied" in said_stages and transfer not in loaded:
            yield Fault("confirmed_but_gone", transfer, "a receipt says applied")
        if {"applied", "refused"} <= said_stages:
            yield Fault("contradictory", transfer, "applied and refused")
        if "refused" in said_stages and "applied" not in said_stages and transfer in loaded:
            yield Fault("contradictory", transfer, "refused, and loaded")
    yield from _chains(world.statements)
    heard = {
        said.transfer
        for said in world.statements
        if said.side == "out" and said.stage == "applied" and said.is_genuine
    }
    for intent in intents.values():
        end = intent.last
        believed = end is not None and end["event"] == "ok"
        if world.statements and end and believed and end.get("transfer") not in heard:
            yield Fault("contradictory", intent.name, "shown as applied without a signed receipt")


def _chains(statements: Iterable[Statement]) -> Iterator[Fault]:
    """Find a stage stated twice or out of order, and a statement that names another before it."""
    by_stage: defaultdict[tuple[str, int, str], set[str]] = defaultdict(set)
    held: defaultdict[tuple[str, str, str, int], list[Statement]] = defaultdict(list)
    for said in statements:
        if said.is_genuine:
            by_stage[said.transfer, said.attempt, said.stage].add(said.digest)
            if said.side != "wire":
                held[said.found, said.side, said.transfer, said.attempt].append(said)
    for (transfer, attempt, stage), digests in by_stage.items():
        if len(digests) > 1:
            seen = f"attempt {attempt}: {len(digests)} different receipts of {stage}"
            yield Fault("contradictory", transfer, seen)
    for (found, _side, transfer, _attempt), chain in held.items():
        before: Statement | None = None
        for said in chain:
            if said.stage not in _NEXT[before.stage if before else None]:
                yield Fault("contradictory", transfer, f"{found}: {said.stage} out of order")
                break
            if said.previous != (before.digest if before else None):
                yield Fault("contradictory", transfer, f"{found}: {said.stage} breaks the chain")
                break
            before = said


def _ends(world: World, intents: Mapping[str, _Intent]) -> Iterator[Fault]:
    """I6: every intent is in exactly one of applied, refused, visibly waiting."""
    loaded = {(m.link, m.day) for target in world.targets.values() for m in target.markers}
    waiting = _waiting(world.events)
    for intent in intents.values():
        end: Mapping[str, Any] = intent.last or {}
        event = end.get("event")
        is_applied = (intent.link, intent.day) in loaded
        is_refused = event == "fail"
        if is_refused and not end.get("code"):
            yield Fault("limbo", intent.name, "refused without a reason")
        if is_refused and world.must_apply:
            yield Fault("refused", intent.name, str(end.get("code")))
        if is_refused and is_applied:
            yield Fault("limbo", intent.name, "refused, and applied")
        if intent.name in waiting:
            yield Fault("unfinished", intent.name, waiting[intent.name])
            if event == "ok" or is_refused:
                yield Fault("limbo", intent.name, "ended, and waiting")
        elif event is None:
            yield Fault("limbo", intent.name, "no end, and not shown as waiting")
        # ``info``: nobody answered when asked. It may have happened once or not at all.


def _waiting(events: Iterable[Event]) -> dict[str, str]:
    """Return what the newest look at the sender's own status showed as waiting."""
    waiting: dict[str, str] = {}
    for event in events:
        if event["event"] == "backlog":
            waiting = dict(event["waiting"])
    return waiting


def _rounds(world: World) -> Iterator[Fault]:
    """I8: at rest within the bound after healing; and a round without a fault proves nothing."""
    injected: set[int] = set()
    healed: dict[int, float] = {}
    rested: set[int] = set()
    for event in world.events:
        number = event.get("round", 0)
        if event["event"] == "inject":
            injected.add(number)
        elif event["event"] == "healed":
            healed[number] = event["at"]
        elif event["event"] == "rest":
            rested.add(number)
            took = event["at"] - healed.get(number, event["at"])
            if took > world.bound_seconds:
                allowed = f"{took:.1f} s, allowed {world.bound_seconds:.1f} s"
                yield Fault("slow", f"round {number}", allowed)
    for number in sorted(healed.keys() - rested):
        yield Fault("slow", f"round {number}", "never at rest")
    for number in sorted(healed.keys() - injected):
        yield Fault("history", f"round {number}", "no fault was injected")
