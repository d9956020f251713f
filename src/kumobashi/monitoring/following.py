"""From look to look: what is confirmed is opened once, what is over ends once. Pure but for memory.

A suspicion opens a fault when two looks agree and it has lasted for :data:`CONFIRM`; a restart or
one lost packet is not told. It ends when it was not seen for a while, and the longer the more often
it came back. Lengths are of the monotonic clock: a step of the wall clock opens and ends nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from kumobashi.kernel import new_id
from kumobashi.monitoring.points import Point
from kumobashi.monitoring.suspicions import Suspicion

CONFIRM = 25.0  # seconds that a suspicion must last
REST = 30.0  # seconds without it, until it is over
_LONGEST_REST = 960.0
_AGAIN = 900.0  # seconds in which the same cause is the same fault come back
_LOOKS = 2
_SEEN_BLIND = ("gateway:", "network:", "overdue:")  # what can be judged without the gateway


class Turn(StrEnum):
    """What happened to a fault."""

    OPENED = "opened"
    REOPENED = "reopened"
    WORSENED = "worsened"
    CHANGED = "changed"  # more is known; nobody is told
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One turn of one fault."""

    turn: Turn
    fault: str  # id
    suspicion: Suspicion


@dataclass(slots=True, kw_only=True)
class _Track:
    suspicion: Suspicion
    began: float
    looks: int = 1
    fault: str | None = None  # while it is open, and a while after
    gone: float | None = None  # not seen since
    ended: float | None = None
    returns: int = 0


@dataclass(slots=True)
class Following:
    """What a watch remembers between looks."""

    confirm: float = CONFIRM
    rest: float = REST
    _tracks: dict[str, _Track] = field(default_factory=dict)
    _told: set[tuple[str, date]] = field(default_factory=set)  # missed deadlines

    def resume(self, fault: str, suspicion: Suspicion, now: float) -> None:
        """Go on with a fault that was open when the watch was last stopped."""
        self._tracks[suspicion.key] = _Track(
            suspicion=suspicion, began=now, looks=_LOOKS, fault=fault
        )
        self._told |= suspicion.overdue

    def follow(
        self, now: float, seen: Iterable[Suspicion], *, blind: bool = False
    ) -> tuple[Change, ...]:
        """Take in one look and return what turned; ``blind`` when the gateway said nothing.

        Args:
            now: seconds of the monotonic clock.
            seen: what looks wrong at this look.
            blind: what only the gateway could tell stays as it was.
        """
        changes: list[Change] = []
        there = {one.key: one for one in seen}
        for key, one in there.items():
            changes += self._seen(key, one, now)
        for key, track in list(self._tracks.items()):
            if key not in there and not (blind and not key.startswith(_SEEN_BLIND)):
                changes += self._missed(key, track, now)
        return tuple(changes)

    def _seen(self, key: str, one: Suspicion, now: float) -> list[Change]:
        track = self._tracks.get(key)
        if track is None:
            track = self._tracks[key] = _Track(suspicion=one, began=now)
        else:
            track.looks += 1
        before, track.suspicion, track.gone = track.suspicion, one, None
        if track.fault is not None and track.ended is None:
            return self._goes_on(track, before, one)
        lasted = now - track.began >= self.confirm and track.looks >= _LOOKS
        if not (lasted or one.is_certain):
            return []
        if one.point is Point.OVERDUE and one.overdue <= self._told:
            return []  # told with what stopped it
        self._told |= one.overdue
        if track.fault is not None and track.ended is not None:
            track.returns += 1
            track.ended = None
            return [Change(turn=Turn.REOPENED, fault=track.fault, suspicion=one)]
        track.fault = new_id()
        return [Change(turn=Turn.OPENED, fault=track.fault, suspicion=one)]

    def _goes_on(self, track: _Track, before: Suspicion, one: Suspicion) -> list[Change]:
        fault = track.fault or ""
        if one.overdue - self._told:
            self._told |= one.overdue
            return [Change(turn=Turn.WORSENED, fault=fault, suspicion=one)]
        if _told_of(before) != _told_of(one):
            return [Change(turn=Turn.CHANGED, fault=fault, suspicion=one)]
        return []

    def _missed(self, key: str, track: _Track, now: float) -> list[Change]:
        if track.fault is None:  # never confirmed
            del self._tracks[key]
            return []
        if track.ended is not None:
            if now - track.ended > _AGAIN:
                del self._tracks[key]
            track.began, track.looks = now, 0  # it must be confirmed anew
            return []
        if track.gone is None:
            track.gone = now
        if now - track.gone < min(_LONGEST_REST, self.rest * (1 << min(track.returns, 8))):
            return []
        track.ended, track.looks = now, 0
        return [Change(turn=Turn.ENDED, fault=track.fault, suspicion=track.suspicion)]


def _told_of(one: Suspicion) -> tuple[object, ...]:
    return one.links, one.what, one.tried, one.urgency
