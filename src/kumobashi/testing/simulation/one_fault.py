"""Let one call of a database fail, each in its turn, in lives that are otherwise quiet.

Whatever the call was for, and whatever was dropped out of memory by it, the transfer must end as it
would have, within seconds and with nothing left behind: what is due is found again in the database.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from kumobashi.storage.errors import OutcomeUnknown, OwnStoreFailed, SpoolFull
from kumobashi.testing.simulation.disks import AFTER_COMMIT, COMMIT, READ
from kumobashi.testing.simulation.living import live

_LATER_SECONDS = 15.0  # simulated; by how much one fault may delay the end
KINDS: dict[str, Callable[[str], Exception]] = {
    "full": lambda place: SpoolFull(place=place),
    "own": lambda place: OwnStoreFailed(reason=place),
    "unforeseen": RuntimeError,
}
"""What a call ends with. Of a commit whose answer is lost nobody knows whether it went through."""


@dataclass(slots=True)
class OneFault:
    """Fails the ``at``-th call of those at ``places``; counts them all."""

    kind: str
    places: frozenset[str]
    at: int
    calls: int = 0
    failed: str = ""

    def __call__(self, site: str, place: str) -> Exception | None:
        """Return what the call ends with."""
        if place not in self.places:
            return None
        self.calls += 1
        if self.calls != self.at:
            return None
        self.failed = f"{site}: {place}"
        if place == AFTER_COMMIT and self.kind == "full":
            return OutcomeUnknown(system="state", name=site)
        return KINDS[self.kind](place)


def each_call(kind: str, *, reads: bool, every: int = 1, seed: int = 1) -> Iterator[list[str]]:
    """Live once for every call, or every n-th; yield what went wrong in each life."""
    places = frozenset({READ} if reads else {COMMIT, AFTER_COMMIT})
    quiet = OneFault(kind, places, 0)
    undisturbed = live(seed, spoil=quiet)
    yield undisturbed.faults if quiet.calls else ["nothing was called"]
    at = 1
    while True:
        fault = OneFault(kind, places, at)
        lived = live(seed, spoil=fault)
        if not fault.failed:  # there were not so many calls
            return
        late = lived.rested - undisturbed.rested
        wrong = [*lived.faults, *([f"{late:.0f} s late"] if late > _LATER_SECONDS else [])]
        yield [f"{kind}, call {at} ({fault.failed}): {each}" for each in wrong]
        at += every
