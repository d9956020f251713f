"""What carries a letter to a person, seen from those who decide that it goes."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable

from kumobashi.monitoring.alerts import Alert


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What goes to one address at once: one alert, or several gathered (まとめ)."""

    id: str  # the same at every try: the far side knows a repeat by it
    to: str = field(repr=False)  # empty: the channel has one receiver
    alerts: tuple[Alert, ...]  # the most urgent first; at most some
    more: int  # how many others it stands for
    at: datetime  # when it is handed over
    word: str = ""  # of a daily letter: whoever types it has received it

    @property
    def first(self) -> Alert:
        """The alert that it is mainly about."""
        return self.alerts[0]

    @property
    def count(self) -> int:
        """For how many alerts it stands."""
        return len(self.alerts) + self.more


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """Somebody took a letter over: no word yet of its arrival."""

    reference: str | None = None  # by which the far side is asked what came of it
    acknowledged_by: str | None = None  # the far side says at once who sees to it


class Outcome(StrEnum):
    """What came of a call."""

    RINGING = "ringing"
    ANSWERED = "answered"  # somebody or a machine listened, and pressed no key
    ACKNOWLEDGED = "acknowledged"  # a key was pressed: she sees to it
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    FAILED = "failed"
    UNKNOWN = "unknown"  # forgotten there

    @property
    def is_final(self) -> bool:
        """Whether nothing else follows."""
        return self is not Outcome.RINGING


class Channel(Protocol):
    """A way to people; blocks, is called in worker threads."""

    def send(self, letter: Letter) -> Accepted:
        """Hand a letter over.

        Raises:
            ChannelAway: it did not go through, or nobody knows; another try may.
            LetterRefused: it is not taken, now or later.
        """


@runtime_checkable
class Asking(Protocol):
    """A channel that can be asked what came of a letter."""

    def outcome(self, reference: str) -> Outcome:
        """Return what is known; raise ``ChannelAway``."""
