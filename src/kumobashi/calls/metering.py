"""How many calls there were and how long they took: a few numbers beside the hot path.

>>> meter = Meter()
>>> meter.note("asker", ANSWERED, 0.004)
>>> meter.outcomes
{('asker', 'answered'): 1}
"""

from dataclasses import dataclass, field
from typing import Final

from kumobashi.observe.metric_families import CALL_SECONDS
from kumobashi.observe.metrics import OTHER, Tally

ANSWERED: Final = "answered"
UNFORESEEN: Final = "unforeseen"  # nobody waited for it any more, or a fault of ours
ASKER, ANSWERER, RELAY = "asker", "answerer", "relay"
_MOST_OUTCOMES: Final = 200


@dataclass(slots=True)
class Meter:
    """The calls of one process; belongs to its event loop."""

    outcomes: dict[tuple[str, str], int] = field(default_factory=dict)
    took: dict[str, Tally] = field(default_factory=dict)

    def note(self, role: str, outcome: str, seconds: float) -> None:
        """Count a call; ``outcome`` is :data:`ANSWERED` or the code of an error class of ours."""
        key = (role, outcome)
        if key not in self.outcomes and len(self.outcomes) >= _MOST_OUTCOMES:
            key = (role, OTHER)
        self.outcomes[key] = self.outcomes.get(key, 0) + 1
        tally = self.took.get(role)
        if tally is None:
            tally = self.took[role] = Tally(CALL_SECONDS)
        tally.add(seconds)
